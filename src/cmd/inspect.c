/* src/cmd/inspect.c - strake inspect */
#include <limits.h>
#include <stdio.h>

#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "engine/container.h"
#include "engine/inspect.h"

struct inspect_args {
	const char *format;
};

static const struct opt inspect_opts[] = {
	OPT(struct inspect_args, format, "format", 'f', "FORMAT",
	    "a line for each, such as '{{.Name}} {{.State.Pid}}'"),
	{ 0 },
};

static int inspect_run(struct engine *engine, const void *data, int argc, char **argv,
		       struct error *err)
{
	const struct inspect_args *args = data;
	cleanup(json_cleanup) json_t *all = json_array();
	int r = 0;

	for (int i = 0; r == 0 && i < argc; i++) {
		cleanup(container_cleanup) struct container *c = NULL;
		json_t *doc = NULL;

		r = container_find(engine, argv[i], &c, err);
		if (r == 0)
			r = container_inspect(engine, c, &doc, err);
		if (r == 0 && args->format)
			r = format_print(doc, args->format, err);
		if (doc)
			(void)json_array_append_new(all, doc);
	}
	if (r == 0 && !args->format) {
		(void)json_dumpf(all, stdout, JSON_INDENT(4));
		(void)putchar('\n');
	}
	return r;
}

const struct cmd cmd_inspect = {
	.name = "inspect",
	.operands = "CONTAINER...",
	.help = "Tell everything about containers, as JSON",
	.opts = inspect_opts,
	.args_size = sizeof(struct inspect_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run = inspect_run,
};
