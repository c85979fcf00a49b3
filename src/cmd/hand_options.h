/* src/cmd/hand_options.h - the options of "builder from", "builder run" and their kin, for the
 * program that shows them and the one that heeds them.
 */
#ifndef CMD_HAND_OPTIONS_H
#define CMD_HAND_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/opt.h"
#include "base/strv.h"
#include "engine/options.h"

struct hand_from_args {
	const char *name, *pull, *platform, *arch, *os, *variant, *cidfile, *tls_verify, *auth_file,
		*credentials, *cert_dir;
	bool pull_always, pull_never, quiet;
};
struct hand_run_args {
	struct strv env, mounts, secrets, ssh;
	const char *user, *workdir, *network, *isolation, *add_history;
	bool tty;
	struct container_options run;
};
struct hand_copy_args {
	const char *chown, *chmod, *from, *context, *ignore_file, *checksum, *add_history, *unpack;
	struct strv exclude;
	bool keep_git_dir, link, parents, quiet;
};
struct hand_config_args {
	struct strv env, labels, ports, volumes, onbuild, annotations, unset_labels,
		unset_annotations, os_features;
	const char *arch, *os, *variant, *os_version, *comment, *history_comment, *hostname,
		*domainname, *add_history, *health_start_interval;
	const char *cmd, *entrypoint, *shell, *user, *workdir, *stop_signal, *author, *created_by;
	const char *health, *health_interval, *health_timeout, *health_start, *health_retries;
};
struct hand_commit_args {
	const char *timestamp, *iidfile, *format, *manifest, *disable_compression, *identity_label,
		*rewrite_timestamp;
	struct strv unset_env;
	bool squash, remove, quiet, omit_history;
};
struct hand_all_args {
	bool all;
};
struct hand_ps_args {
	bool quiet, no_trunc, json;
	const char *format, *all;
};

extern const struct opt hand_from_opts[], hand_run_opts[], hand_copy_opts[], hand_config_opts[],
	hand_commit_opts[], hand_rm_opts[], hand_umount_opts[], hand_ps_opts[];

/* The rows that builder has of them. */
struct cmd;
extern const struct cmd cmd_hand_from, cmd_hand_run, cmd_hand_copy, cmd_hand_add, cmd_hand_config,
	cmd_hand_commit, cmd_hand_mount, cmd_hand_umount, cmd_hand_ps, cmd_hand_rm;

#endif
