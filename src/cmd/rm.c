/* src/cmd/rm.c - strake rm */
#include <limits.h>

#include "cmd/cmd.h"
#include "cmd/each.h"
#include "engine/remove.h"

struct rm_args {
	bool force;
};

static const struct opt rm_opts[] = {
	OPT(struct rm_args, force, "force", 'f', NULL, "kill those that run"),
	{ 0 },
};

static int rm_run(struct engine *engine, const void *args, int argc, char **argv, struct error *err)
{
	bool force = ((const struct rm_args *)args)->force;
	struct each each;

	(void)err;
	each_open(engine, "rm", argc, argv, &each);
	containers_remove(engine, each.all, each.n, force ? REMOVE_FORCE : REMOVE_PLAIN, each_done,
			  &each);
	return each_close(&each);
}

const struct cmd cmd_rm = {
	.name = "rm",
	.operands = "CONTAINER...",
	.help = "Remove containers",
	.opts = rm_opts,
	.args_size = sizeof(struct rm_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run = rm_run,
};
