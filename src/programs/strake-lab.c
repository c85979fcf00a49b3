/* src/programs/strake-lab.c - network labs; executed by strake when it is used. */
#include "cmd/cmd.h"
#include "cmd/globals.h"

extern const struct cmd cmd_lab_dns, cmd_lab_down, cmd_lab_exec, cmd_lab_link, cmd_lab_list,
	cmd_lab_shell, cmd_lab_show, cmd_lab_up;
extern const struct cmd cmd_lab_capture, cmd_lab_domains, cmd_lab_matrix, cmd_lab_path,
	cmd_lab_ping, cmd_lab_send, cmd_lab_check, cmd_lab_faults, cmd_lab_hint, cmd_lab_draw;

static const struct cmd *const cmds[] = {
	/* what is there */
	&cmd_lab_up,
	&cmd_lab_down,
	&cmd_lab_list,
	&cmd_lab_show,
	/* in it */
	&cmd_lab_exec,
	&cmd_lab_shell,
	&cmd_lab_link,
	&cmd_lab_dns,
	/* what it does */
	&cmd_lab_ping,
	&cmd_lab_path,
	&cmd_lab_matrix,
	&cmd_lab_domains,
	&cmd_lab_send,
	&cmd_lab_capture,
	&cmd_lab_check,
	&cmd_lab_faults,
	&cmd_lab_hint,
	&cmd_lab_draw,
	NULL,
};

static int setup(const void *globals, struct error *err)
{
	(void)err;
	globals_explain(globals);
	return 0;
}

int main(int argc, char **argv)
{
	const struct program program = {
		.name = "strake", /* whoever reads an error typed "strake lab up" */
		.help = "network labs; called by strake",
		.cmds = cmds,
		.global_opts = globals_opts,
		.globals_size = sizeof(struct globals),
		.setup = setup,
	};

	return program_main(&program, argc, argv);
}
