/* src/cmd/system.c - strake system, and the command that our own monitor calls at the end of a run
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "cmd/cmd.h"
#include "engine/recover.h"
#include "engine/remove.h"

struct check_args {
	bool repair;
};

static const struct opt check_opts[] = {
	OPT(struct check_args, repair, "repair", 0, NULL, "put right what is found"),
	{ 0 },
};

static void print_finding(void *data, const char *text)
{
	(void)data;
	(void)puts(text);
}

static int check_run(struct engine *engine, const void *args, int argc, char **argv,
		     struct error *err)
{
	bool repair = ((const struct check_args *)args)->repair;
	int found;

	(void)argc;
	(void)argv;
	found = check_all(engine, repair, print_finding, NULL, err);
	if (found == -EPERM && geteuid() != 0)
		return error_wrap(err, found, "needs root, to see links, rules and namespaces");
	if (found < 0)
		return found;
	if (found == 0)
		(void)puts("nothing is wrong");
	else
		(void)printf("%d found%s\n", found,
			     repair ? ", repaired"
				    : "; 'strake system check --repair' puts it right");
	return found && !repair ? 1 : 0;
}

static const struct cmd cmd_system_check = {
	.name = "check",
	.operands = "",
	.help = "Compare what is recorded with what is there",
	.details =
		"Finds what a crash or a kill left behind: containers without a process, network links, nft\n"
		"elements, namespaces, leases and directories that belong to nobody, a database that does not\n"
		"know a container that has files. The exit status is 1 if something was found and not repaired.",
	.opts = check_opts,
	.args_size = sizeof(struct check_args),
	.run = check_run,
};

extern const struct cmd cmd_system_df;

static const struct cmd *const system_cmds[] = { &cmd_system_check, &cmd_system_df, NULL };

const struct cmd cmd_system = {
	.name = "system",
	.help = "Look after strake's own state",
	.sub = system_cmds,
};

static int cleanup_run(struct engine *engine, const void *args, int argc, char **argv,
		       struct error *err)
{
	(void)args;
	(void)argc;
	return container_finish(engine, argv[0], err);
}

static const struct cmd cmd_container_cleanup = {
	.name = "cleanup",
	.operands = "ID",
	.help = "Finish the run of a container whose process ended",
	.min_operands = 1,
	.max_operands = 1,
	.run = cleanup_run,
};

static const struct cmd *const container_cmds[] = { &cmd_container_cleanup, NULL };

const struct cmd cmd_container = {
	.name = "container",
	.help = "What strake's own programs call",
	.flags = CMD_HIDDEN,
	.sub = container_cmds,
};
