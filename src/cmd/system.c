/* src/cmd/system.c - strake system, and the command that our own monitor calls at the end of a run
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "cmd/cmd.h"
#include "cmd/conclude.h"
#include "cmd/globals.h"
#include "engine/engine.h"
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

static int check(struct engine *engine, bool repair, int found_before, struct error *err)
{
	int left = 0, found = check_all(engine, repair, print_finding, NULL, &left, err);

	if (found == -EPERM && geteuid() != 0)
		return error_wrap(err, found, "needs root, to see links, rules and namespaces");
	if (found < 0)
		return found;
	return conclude("strake system check", found + found_before, left, repair);
}

/* What every other command refuses to open is what this one is for. */
static int check_open(const struct globals *g, bool repair, struct engine **ret, struct error *err)
{
	const struct engine_options options = { .root = g->root,
						.run_root = g->run_root,
						.looks = true };
	autofree char *aside = NULL;
	int r = engine_open(&options, ret, err);

	if (r != -EUCLEAN)
		return r;
	if (!repair || g->dry_run)
		return r;
	r = engine_db_aside(&options, &aside, err);
	if (r < 0)
		return r;
	(void)printf(
		"the state database was damaged; it is now %s, and made again from the files\n",
		aside);
	r = engine_open(&options, ret, err);
	return r < 0 ? r : 1;
}

static int check_run(const void *globals, const void *args, int argc, char **argv,
		     struct error *err)
{
	bool repair = ((const struct check_args *)args)->repair;
	struct engine *engine = NULL;
	int found = check_open(globals, repair, &engine, err), r;

	(void)argc;
	(void)argv;
	if (found < 0)
		return found;
	recover_dead(engine);
	r = check(engine, repair, found, err);
	if (r < 0)
		engine_advise(engine, err);
	engine_close(engine);
	return r;
}

static const struct cmd cmd_system_check = {
	.name = "check",
	.operands = "",
	.help = "Compare what is recorded with what is there",
	.details =
		"Finds what a crash or a kill left behind: containers without a process, network links, nft\n"
		"elements, namespaces, leases and directories that belong to nobody, a database that does not\n"
		"know a container that has files. --repair moves a damaged database aside (state.db.damaged-1)\n"
		"and makes it again. The exit status is 1 if something was found and not repaired.",
	.opts = check_opts,
	.args_size = sizeof(struct check_args),
	.run_alone = check_run,
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
