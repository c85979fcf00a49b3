/* src/cmd/stop.c - strake stop */
#include <limits.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/each.h"
#include "engine/stop.h"

struct stop_args {
	int timeout;
};

static const struct opt stop_opts[] = {
	OPT(struct stop_args, timeout, "time", 't', "SECONDS",
	    "wait this long before the kill; -1: for ever"),
	{ 0 },
};

static int stop_run(struct engine *engine, const void *args, int argc, char **argv,
		    struct error *err)
{
	int timeout_s = ((const struct stop_args *)args)->timeout;
	struct each each;

	if (timeout_s < -1 && timeout_s != STOP_TIMEOUT_OWN)
		return error_set(err, -EINVAL, "--time wants seconds, or -1 for ever, not '%d'",
				 timeout_s);
	each_open(engine, "stop", argc, argv, &each);
	containers_stop(engine, each.all, each.n, timeout_s, each_done, &each);
	return each_close(&each);
}

static const struct stop_args defaults = { .timeout = STOP_TIMEOUT_OWN };

const struct cmd cmd_stop = {
	.name = "stop",
	.operands = "CONTAINER...",
	.help = "Ask containers to end, kill those that do not",
	.opts = stop_opts,
	.args_size = sizeof(struct stop_args),
	.defaults = &defaults,
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run = stop_run,
};
