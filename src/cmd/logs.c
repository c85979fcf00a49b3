/* src/cmd/logs.c - strake logs */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/explain.h"
#include "base/number.h"
#include "cmd/cmd.h"
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

/* "90s", "10m", "2h", "1d": that long ago. */
static int parse_ago(const char *text, int64_t *ret_ns)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t len = strlen(text);
	char digits[16];
	uint64_t n;

	if (len < 2 || len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, len - 1);
	digits[len - 1] = '\0';
	if (number_parse(digits, 1000000, &n) < 0)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (units[i].unit != text[len - 1])
			continue;
		*ret_ns = clock_now_ns() - (int64_t)n * units[i].seconds * 1000000000;
		return 0;
	}
	return -EINVAL;
}

/* Seconds since 1970, or a day or a minute of this place's time. */
static int parse_moment(const char *text, int64_t *ret_ns)
{
	static const char *const forms[] = { "%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S" };
	uint64_t seconds;

	if (number_parse(text, INT64_MAX / 1000000000, &seconds) == 0) {
		*ret_ns = (int64_t)seconds * 1000000000;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *end = strptime(text, forms[i], &tm);

		if (!end || *end)
			continue;
		tm.tm_isdst = -1;
		*ret_ns = (int64_t)mktime(&tm) * 1000000000;
		return 0;
	}
	return -EINVAL;
}

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
	if (args->since && clock_parse(args->since, &ret->since_ns) < 0 &&
	    parse_ago(args->since, &ret->since_ns) < 0 &&
	    parse_moment(args->since, &ret->since_ns) < 0)
		return error_set(err, -EINVAL,
				 "--since '%s': expected 2026-11-23T12:00:00Z, 2026-11-23, seconds "
				 "since 1970, or 90s, 10m, 2h, 1d",
				 args->since);
	return 0;
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
