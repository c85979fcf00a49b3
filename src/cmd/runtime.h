/* src/cmd/runtime.h - what the commands of strake-runtime share: its global options. */
#ifndef CMD_RUNTIME_H
#define CMD_RUNTIME_H

#include <stdbool.h>

struct runtime_globals {
	const char *root;
	const char *log, *log_format;
	bool debug, systemd_cgroup, explain, dry_run;
	const char *cgroup_manager, *rootless;
};

const char *runtime_root(const struct runtime_globals *g);
char *runtime_cache(
	const struct runtime_globals *g); /* compiled seccomp filters; the caller frees */

#endif
