/* src/cmd/inspect.c - strake inspect */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "cmd/cmd.h"
#include "engine/container.h"
#include "engine/inspect.h"

struct inspect_args {
	const char *format;
};

static const struct opt inspect_opts[] = {
	OPT(struct inspect_args, format, "format", 'f', "FORMAT",
	    "print one value, such as '{{.State.Pid}}'"),
	{ 0 },
};

/* "{{.State.Pid}}", and text around it: the part of Go's templates that people use here. */
static int print_path(const json_t *doc, const char *format, struct error *err)
{
	const char *start = strstr(format, "{{"), *end = start ? strstr(start, "}}") : NULL;
	autofree char *path = NULL;
	const json_t *value = doc;
	char *rest, *key;

	if (!end)
		return error_set(err, -EINVAL,
				 "--format '%s': expected something like '{{.State.Pid}}'", format);
	path = xstrndup(start + 2, (size_t)(end - start) - 2);
	path[strcspn(path, " ")] = '\0';
	rest = path[0] == '.' ? path + 1 : path;
	while (rest && *rest && (key = strsep(&rest, "."))) {
		value = json_object_get(value, key);
		if (!value)
			return error_set(err, -EINVAL, "--format '%s': there is no '%s'", format,
					 key);
		if (!rest)
			break;
	}
	(void)printf("%.*s", (int)(start - format), format);
	if (json_is_string(value))
		(void)fputs(json_string_value(value), stdout);
	else
		(void)json_dumpf(value, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
	(void)printf("%s\n", end + 2);
	return 0;
}

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
			r = print_path(doc, args->format, err);
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
