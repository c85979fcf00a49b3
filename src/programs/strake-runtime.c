/* src/programs/strake-runtime.c - the OCI runtime: its table of commands, and how it reports. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/runtime.h"

extern const struct cmd cmd_runtime_create, cmd_runtime_delete, cmd_runtime_exec,
	cmd_runtime_features, cmd_runtime_kill, cmd_runtime_list, cmd_runtime_pause, cmd_runtime_ps,
	cmd_runtime_resume, cmd_runtime_run, cmd_runtime_spec, cmd_runtime_start, cmd_runtime_state;

static const struct opt global_opts[] = {
	OPT(struct runtime_globals, root, "root", 0, "DIR", "state (default /run/strake-runtime)"),
	OPT(struct runtime_globals, log, "log", 0, "FILE", "append errors to FILE"),
	OPT(struct runtime_globals, log_format, "log-format", 0, "FORMAT",
	    "text (default) or json"),
	OPT(struct runtime_globals, debug, "debug", 0, NULL, "taken for the callers' sake"),
	OPT(struct runtime_globals, systemd_cgroup, "systemd-cgroup", 0, NULL,
	    "refused: only cgroupfs is there"),
	OPT(struct runtime_globals, cgroup_manager, "cgroup-manager", 0, "NAME", "cgroupfs"),
	OPT(struct runtime_globals, rootless, "rootless", 0, "MODE", "taken for the callers' sake"),
	OPT(struct runtime_globals, explain, "explain", 0, NULL,
	    "say each step on standard error as it is done"),
	OPT(struct runtime_globals, dry_run, "dry-run", 0, NULL,
	    "print the steps as a shell script, do nothing"),
	{ 0 },
};

static const struct cmd *const cmds[] = {
	&cmd_runtime_create,   &cmd_runtime_start,
	&cmd_runtime_run,      &cmd_runtime_exec,
	&cmd_runtime_state,    &cmd_runtime_list,
	&cmd_runtime_ps,       &cmd_runtime_kill,
	&cmd_runtime_pause,    &cmd_runtime_resume,
	&cmd_runtime_delete,   &cmd_runtime_spec,
	&cmd_runtime_features, NULL,
};

const char *runtime_root(const struct runtime_globals *g)
{
	return g->root ? g->root : "/run/strake-runtime";
}

/* Beside the containers, under a name that no container can have. */
char *runtime_cache(const struct runtime_globals *g)
{
	return xasprintf("%s/.seccomp", runtime_root(g));
}

static int setup(const void *globals, struct error *err)
{
	const struct runtime_globals *g = globals;

	if (g->systemd_cgroup || (g->cgroup_manager && strcmp(g->cgroup_manager, "systemd") == 0))
		return error_set(err, -EOPNOTSUPP,
				 "cgroups by systemd are not there; use the cgroupfs manager");
	if (g->dry_run)
		explain_init(EXPLAIN_DRY, STDOUT_FILENO);
	else if (g->explain)
		explain_init(EXPLAIN_NARRATE, STDERR_FILENO);
	return 0;
}

/* Callers read the last line of --log for the reason; people read standard error. */
static void report(const void *globals, const struct error *err)
{
	const struct runtime_globals *g = globals;
	autofree char *line = NULL;
	autoclose int fd = -1;
	char now[CLOCK_TEXT_LEN];

	(void)fprintf(stderr, "strake-runtime: %s\n", err->text);
	if (!g->log)
		return;
	clock_format(clock_now_ns(), now);
	if (g->log_format && strcmp(g->log_format, "json") == 0) {
		cleanup(json_cleanup) json_t *doc = json_pack("{s:s, s:s, s:s}", "msg", err->text,
							      "level", "error", "time", now);
		autofree char *text = json_dumps(doc, JSON_COMPACT);

		line = xasprintf("%s\n", text ? text : "{}");
	} else {
		line = xasprintf("time=\"%s\" level=error msg=\"%s\"\n", now, err->text);
	}
	fd = open(g->log, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0644);
	if (fd >= 0)
		ignore_result(file_write_all(fd, line, strlen(line)));
}

int main(int argc, char **argv)
{
	const struct program program = {
		.name = "strake-runtime",
		.help = "an OCI runtime: a bundle in, a process out",
		.cmds = cmds,
		.global_opts = global_opts,
		.globals_size = sizeof(struct runtime_globals),
		.setup = setup,
		.report = report,
	};

	return program_main(&program, argc, argv);
}
