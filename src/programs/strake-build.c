/* src/programs/strake-build.c - builds of Containerfiles, executed by strake when it is used. */
#include "cmd/cmd.h"
#include "cmd/globals_engine.h"
#include "cmd/hand.h"
#include "engine/recover.h"

extern const struct cmd cmd_build_do;

static const struct cmd *const cmds[] = {
	&cmd_build_do,       &cmd_hand_from_do,   &cmd_hand_run_do,   &cmd_hand_copy_do,
	&cmd_hand_add_do,    &cmd_hand_config_do, &cmd_hand_mount_do, &cmd_hand_umount_do,
	&cmd_hand_commit_do, &cmd_hand_ps_do,     &cmd_hand_rm_do,    NULL,
};

static int setup(const void *globals, struct error *err)
{
	const struct globals *g = globals;

	if (g->dry_run)
		return error_set(
			err, -EOPNOTSUPP,
			"--dry-run: stock tools cannot fill the image store; nothing was done");
	globals_explain(g);
	return 0;
}

static int open_engine(const void *data, const struct cmd *cmd, struct engine **ret,
		       struct error *err)
{
	int r = globals_open(data, cmd, ret, err);

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
		.global_opts = globals_opts,
		.globals_size = sizeof(struct globals),
		.setup = setup,
		.open = open_engine,
		.close = engine_close,
		.advise = engine_advise,
	};

	return program_main(&program, argc, argv);
}
