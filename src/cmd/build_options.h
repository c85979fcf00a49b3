/* src/cmd/build_options.h - the options of build, for the program that shows them and the one that
 * heeds them.
 */
#ifndef CMD_BUILD_OPTIONS_H
#define CMD_BUILD_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/opt.h"
#include "base/strv.h"

struct build_args {
	const char *file, *target, *pull, *network, *iidfile, *timestamp, *progress, *format, *call,
		*metadata_file, *tls_verify, *auth_file, *credentials, *cert_dir, *rm, *force_rm,
		*provenance, *sbom;
	struct strv tags, platforms, build_args, labels, secrets, add_hosts, ulimits, outputs,
		annotations, allow, ssh, contexts, cache_from, cache_to, uncached;
	uint64_t memory, shm_size;
	int jobs;
	bool no_cache, explain_cache, show_changes, debug, quiet, squash, squash_all, push, load,
		check;
};

extern const struct opt build_opts[];

#endif
