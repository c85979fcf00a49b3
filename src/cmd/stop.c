/* src/cmd/stop.c - strake stop */
#include <limits.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/each.h"
#include "engine/stop.h"

struct stop_args {
	const char *timeout;
};

static const struct opt stop_opts[] = {
	OPT(struct stop_args, timeout, "time", 't', "SECONDS",
	    "wait this long before the kill; -1: for ever"),
	{ 0 },
};

static int stop_one(struct engine *engine, const struct container *c, const void *args,
		    struct error *err)
{
	return container_stop(engine, c, *(const int *)args, err);
}

static int stop_run(struct engine *engine, const void *data, int argc, char **argv,
		    struct error *err)
{
	const struct stop_args *args = data;
	int timeout = STOP_TIMEOUT_OWN, r = 0;

	if (args->timeout)
		r = stop_timeout_parse(args->timeout, "--time", &timeout, err);
	return r < 0 ? r : each_container(engine, "stop", argc, argv, stop_one, &timeout, err);
}

const struct cmd cmd_stop = {
	.name = "stop",
	.operands = "CONTAINER...",
	.help = "Ask containers to end, kill those that do not",
	.opts = stop_opts,
	.args_size = sizeof(struct stop_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run = stop_run,
};
