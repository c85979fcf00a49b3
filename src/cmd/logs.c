/* src/cmd/logs.c - strake logs */
#include <string.h>

#include "base/explain.h"
#include "base/number.h"
#include "cmd/cmd.h"
#include "cmd/moment.h"
#include "engine/container.h"
#include "engine/status.h"
#include "monitor/log.h"

struct logs_args {
	bool follow, timestamps;
	const char *tail, *since;
};

static const struct opt logs_opts[] = {
	OPT(struct logs_args, follow, "follow", 'f', NULL, "go on until the container ends"),
	OPT(struct logs_args, timestamps, "timestamps", 't', NULL, "with the time of each line"),
	OPT(struct logs_args, tail, "tail", 'n', "N", "only the last N lines (default all)"),
	OPT(struct logs_args, since, "since", 0, "TIME",
	    "only from then on: 2026-11-23T12:00:00Z, 2026-11-23, seconds since 1970, or 10m ago as 10m"),
	{ 0 },
};

static int parse(const struct logs_args *args, struct log_options *ret, struct error *err)
{
	uint64_t n;

	*ret = (struct log_options) { .follow = args->follow,
				      .timestamps = args->timestamps,
				      .tail = -1 };
	if (args->tail && strcmp(args->tail, "all") != 0) {
		if (number_parse(args->tail, INT64_MAX, &n) < 0)
			return error_set(err, -EINVAL, "--tail '%s': expected a number or all",
					 args->tail);
		ret->tail = (int64_t)n;
	}
	return args->since ? moment_parse("--since", args->since, &ret->since_ns, err) : 0;
}

static int logs_run(struct engine *engine, const void *data, int argc, char **argv,
		    struct error *err)
{
	cleanup(container_cleanup) struct container *c = NULL;
	autofree char *dir = NULL;
	struct log_options options;
	struct status status = { .pid = 0 };
	int r = parse(data, &options, err);

	(void)argc;
	if (r == 0)
		r = container_find(engine, argv[0], &c, err);
	if (r == 0)
		r = status_read(engine, c->id, &status, err);
	if (r < 0)
		return r;
	options.follow = options.follow && status.kind == STATUS_RUNNING && !explain_dry();
	dir = container_dir(engine, c->id);
	return log_print(dir, &options, err);
}

const struct cmd cmd_logs = {
	.name = "logs",
	.operands = "CONTAINER",
	.help = "Show what a container wrote",
	.opts = logs_opts,
	.args_size = sizeof(struct logs_args),
	.min_operands = 1,
	.max_operands = 1,
	.run = logs_run,
};
