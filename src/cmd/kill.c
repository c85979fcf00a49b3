/* src/cmd/kill.c - strake kill */
#include <limits.h>

#include "base/process.h"
#include "cmd/cmd.h"
#include "cmd/each.h"
#include "engine/stop.h"

struct kill_args {
	const char *signal;
};

static const struct opt kill_opts[] = {
	OPT(struct kill_args, signal, "signal", 's', "SIGNAL", "name or number (default KILL)"),
	{ 0 },
};

static int kill_one(struct engine *engine, const struct container *c, const void *args,
		    struct error *err)
{
	return container_kill(engine, c, *(const int *)args, err);
}

static int kill_run(struct engine *engine, const void *data, int argc, char **argv,
		    struct error *err)
{
	const struct kill_args *args = data;
	int sig = signal_parse(args->signal ? args->signal : "KILL");

	if (sig < 0)
		return error_set(err, sig, "unknown signal '%s'", args->signal);
	return each_container(engine, "kill", argc, argv, kill_one, &sig, err);
}

const struct cmd cmd_kill = {
	.name = "kill",
	.operands = "CONTAINER...",
	.help = "Send a signal to containers",
	.opts = kill_opts,
	.args_size = sizeof(struct kill_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run = kill_run,
};
