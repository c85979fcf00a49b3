/* src/programs/strake-why.c - firewalls explained, packets traced; executed by strake. */
#include "cmd/cmd.h"
#include "cmd/globals.h"

extern const struct cmd cmd_why_check, cmd_why_how, cmd_why_show, cmd_why_trace;

static const struct cmd *const cmds[] = { &cmd_why_show, &cmd_why_check, &cmd_why_trace,
					  &cmd_why_how, NULL };

static int setup(const void *globals, struct error *err)
{
	(void)err;
	globals_explain(globals);
	return 0;
}

int main(int argc, char **argv)
{
	const struct program program = {
		.name = "strake", /* whoever reads an error typed "strake why show" */
		.help = "firewalls explained, packets traced; called by strake",
		.cmds = cmds,
		.global_opts = globals_opts,
		.globals_size = sizeof(struct globals),
		.setup = setup,
	};

	return program_main(&program, argc, argv);
}
