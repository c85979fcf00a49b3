/* src/cmd/build_options.h - the options of build, for the program that shows them and the one that
 * heeds them.
 */
#ifndef CMD_BUILD_OPTIONS_H
#define CMD_BUILD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/opt.h"
#include "base/strv.h"
#include "engine/options.h"

struct build_args {
	const char *file, *target, *pull, *network, *iidfile, *timestamp, *progress, *format, *call,
		*metadata_file, *tls_verify, *auth_file, *credentials, *cert_dir, *ignore_file,
		*from, *logfile, *manifest, *arch, *os, *variant, *os_version, *cache_ttl,
		*retry_delay, *layers, *unused_stages, *inherit_labels;
	/* What can only be said in one way here. */
	const char *rm, *force_rm, *provenance, *sbom, *isolation, *builder, *identity_label,
		*created_annotation, *inherit_annotations, *compat_volumes, *rewrite_timestamp,
		*disable_compression, *content_trust, *userns, *compress;
	struct strv tags, platforms, build_args, build_arg_files, labels, secrets, outputs,
		annotations, allow, ssh, contexts, cache_from, cache_to, uncached, env, unset_env,
		unset_label, os_features;
	int jobs, retry;
	bool no_cache, explain_cache, show_changes, debug, quiet, squash, squash_all, push, load,
		check, omit_history, http_proxy, pull_always, pull_never;
	struct container_options run; /* of the containers of RUN */
};

extern const struct opt build_opts[];

#endif
