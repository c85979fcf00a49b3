/* src/programs/strake-build.c - builds of Containerfiles, executed by strake when it is used. */
#include <unistd.h>

#include "base/explain.h"
#include "cmd/cmd.h"
#include "cmd/globals.h"
#include "engine/engine.h"
#include "engine/recover.h"

extern const struct cmd cmd_build_do;

static const struct opt global_opts[] = {
	OPT(struct globals, root, "root", 0, "DIR", "lasting state (default /var/lib/strake)"),
	OPT(struct globals, run_root, "run-root", 0, "DIR",
	    "state gone at reboot (default /run/strake)"),
	OPT(struct globals, explain, "explain", 0, NULL,
	    "say each step on standard error as it is done"),
	OPT(struct globals, dry_run, "dry-run", 0, NULL, "refused: a build is not a script"),
	{ 0 },
};

static const struct cmd *const cmds[] = { &cmd_build_do, NULL };

static int setup(const void *globals, struct error *err)
{
	const struct globals *g = globals;

	if (g->dry_run)
		return error_set(
			err, -EOPNOTSUPP,
			"--dry-run: stock tools cannot fill the image store; nothing was done");
	if (g->explain)
		explain_init(EXPLAIN_NARRATE, STDERR_FILENO);
	return 0;
}

static int open_engine(const void *data, const struct cmd *cmd, struct engine **ret,
		       struct error *err)
{
	const struct globals *g = data;
	const struct engine_options options = { .root = g->root,
						.run_root = g->run_root,
						.looks = !(cmd->flags & CMD_MAKES) };
	int r = engine_open(&options, ret, err);

	if (r == 0)
		recover_dead(*ret);
	return r;
}

int main(int argc, char **argv)
{
	const struct program program = {
		.name = "strake", /* whoever reads an error typed "strake build" */
		.help = "images out of Containerfiles; called by strake",
		.cmds = cmds,
		.global_opts = global_opts,
		.globals_size = sizeof(struct globals),
		.setup = setup,
		.open = open_engine,
		.close = engine_close,
		.advise = engine_advise,
	};

	return program_main(&program, argc, argv);
}
