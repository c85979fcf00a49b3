/* src/programs/strake-disk.c - disks that boot; executed by strake when it is used. */
#include <unistd.h>

#include "base/explain.h"
#include "cmd/cmd.h"
#include "cmd/globals.h"

extern const struct cmd cmd_disk_build, cmd_disk_cat, cmd_disk_check, cmd_disk_cp, cmd_disk_inspect,
	cmd_disk_ls, cmd_disk_run;

static const struct opt global_opts[] = {
	OPT(struct globals, root, "root", 0, "DIR", "lasting state (default /var/lib/strake)"),
	OPT(struct globals, run_root, "run-root", 0, "DIR",
	    "state gone at reboot (default /run/strake)"),
	OPT(struct globals, explain, "explain", 0, NULL,
	    "say each step on standard error as it is done"),
	OPT(struct globals, dry_run, "dry-run", 0, NULL,
	    "print the steps as a shell script, do nothing"),
	{ 0 },
};

static const struct cmd *const cmds[] = {
	&cmd_disk_build, &cmd_disk_run, &cmd_disk_check, &cmd_disk_inspect,
	&cmd_disk_ls,    &cmd_disk_cat, &cmd_disk_cp,    NULL,
};

static int setup(const void *globals, struct error *err)
{
	const struct globals *g = globals;

	(void)err;
	if (g->dry_run) {
		explain_init(EXPLAIN_DRY, STDOUT_FILENO);
		explain_own_stdout();
	} else if (g->explain) {
		explain_init(EXPLAIN_NARRATE, STDERR_FILENO);
	}
	return 0;
}

int main(int argc, char **argv)
{
	const struct program program = {
		.name = "strake", /* whoever reads an error typed "strake disk build" */
		.help = "disks that boot; called by strake",
		.cmds = cmds,
		.global_opts = global_opts,
		.globals_size = sizeof(struct globals),
		.setup = setup,
	};

	return program_main(&program, argc, argv);
}
