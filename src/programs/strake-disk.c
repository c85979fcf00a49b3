/* src/programs/strake-disk.c - disks that boot; executed by strake when it is used. */
#include "cmd/cmd.h"
#include "cmd/globals.h"
#include "cmd/globals_engine.h"

extern const struct cmd cmd_disk_build, cmd_disk_cat, cmd_disk_check, cmd_disk_convert, cmd_disk_cp,
	cmd_disk_import, cmd_disk_inspect, cmd_disk_ls, cmd_disk_run, cmd_disk_write;

static const struct cmd *const cmds[] = {
	&cmd_disk_build,
	&cmd_disk_run,
	&cmd_disk_check,
	&cmd_disk_inspect,
	&cmd_disk_convert,
	&cmd_disk_import,
	&cmd_disk_ls,
	&cmd_disk_cat,
	&cmd_disk_cp,
	&cmd_disk_write,
	NULL,
};

static int setup(const void *globals, struct error *err)
{
	(void)err;
	globals_explain(globals);
	return 0;
}

static int open_engine(const void *data, const struct cmd *cmd, struct engine **ret,
		       struct error *err)
{
	const struct globals *g = data;

	if (g->dry_run)
		return error_set(err, -EOPNOTSUPP,
				 "--dry-run: stock tools cannot fill the image store; nothing was "
				 "done");
	return globals_open(g, cmd, ret, err);
}

int main(int argc, char **argv)
{
	const struct program program = {
		.name = "strake", /* whoever reads an error typed "strake disk build" */
		.help = "disks that boot; called by strake",
		.cmds = cmds,
		.global_opts = globals_opts,
		.globals_size = sizeof(struct globals),
		.setup = setup,
		.open = open_engine,
		.close = engine_close,
	};

	return program_main(&program, argc, argv);
}
