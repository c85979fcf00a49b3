/* src/cmd/exec.c - strake exec */
#include <limits.h>

#include "base/explain.h"
#include "base/terminal.h"
#include "cmd/cmd.h"
#include "engine/container.h"
#include "engine/exec.h"

static const struct opt exec_opts[] = {
	OPT(struct exec_options, interactive, "interactive", 'i', NULL,
	    "hand our standard input to it"),
	OPT(struct exec_options, tty, "tty", 't', NULL, "give it a terminal"),
	OPT(struct exec_options, detach, "detach", 'd', NULL, "do not wait for its end"),
	OPT(struct exec_options, env, "env", 'e', "NAME[=VALUE]", "set a variable, or copy ours"),
	OPT(struct exec_options, user, "user", 'u', "USER[:GROUP]", "run as this user"),
	OPT(struct exec_options, workdir, "workdir", 'w', "DIR", "start in DIR"),
	OPT(struct exec_options, privileged, "privileged", 0, NULL, "with all capabilities"),
	{ 0 },
};

static int exec_run(struct engine *engine, const void *args, int argc, char **argv,
		    struct error *err)
{
	struct exec_options options = *(const struct exec_options *)args;
	cleanup(container_cleanup) struct container *c = NULL;
	int r = container_find(engine, argv[0], &c, err);

	if (r == 0 && options.tty && options.interactive && !options.detach && !explain_dry())
		r = terminal_need_input(err);
	if (r < 0)
		return r;
	options.command = argv + 1;
	options.ncommand = (size_t)argc - 1;
	return container_exec(engine, c, &options, err);
}

const struct cmd cmd_exec = {
	.name = "exec",
	.operands = "[OPTIONS] CONTAINER COMMAND [ARGUMENT...]",
	.help = "Run another program in a running container",
	.details =
		"The exit status is the program's own; 125 if strake failed, 126 if the program cannot be\n"
		"executed, 127 if it is not there. With -it, ^P ^Q leaves it running.",
	.opts = exec_opts,
	.args_size = sizeof(struct exec_options),
	.min_operands = 2,
	.max_operands = INT_MAX,
	.flags = CMD_FIRST_OPERAND,
	.error_status = 125,
	.run = exec_run,
};
