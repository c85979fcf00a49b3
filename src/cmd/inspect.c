/* src/cmd/inspect.c - strake inspect */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/json.h"
#include "cmd/cmd.h"
#include "cmd/format.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/inspect.h"
#include "image/describe.h"
#include "image/image.h"

struct inspect_args {
	const char *format;
};

static const struct opt inspect_opts[] = {
	OPT(struct inspect_args, format, "format", 'f', "FORMAT",
	    "a line for each, such as '{{.Name}} {{.State.Pid}}', or json"),
	{ 0 },
};

static int describe_container(struct engine *engine, const char *what, json_t **ret,
			      struct error *err)
{
	cleanup(container_cleanup) struct container *c = NULL;
	struct error damage = { 0 };
	int r = container_find(engine, what, &c, err);

	if (r == 0)
		r = container_inspect(engine, c, ret, &damage, err);
	if (r == 0 && damage.code)
		cmd_report("inspect", &damage);
	return r;
}

static int describe_image(struct engine *engine, const char *what, json_t **ret, struct error *err)
{
	cleanup(image_cleanup) struct image *image = NULL;
	struct db *db = engine_db(engine);
	int root = engine_root_fd(engine), r = image_find(db, root, what, &image, err);

	return r < 0 ? r : image_describe(db, engine_root(engine), root, image, ret, err);
}

/* As Docker does: a container, or else an image. */
static int describe(struct engine *engine, const char *what, json_t **ret, struct error *err)
{
	int r = describe_container(engine, what, ret, err);

	if (r != -ENOENT)
		return r;
	r = describe_image(engine, what, ret, err);
	return r == -ENOENT ? error_set(err, r,
					"no container '%s' and no image; 'strake ps -a' and "
					"'strake images' list them",
					what)
			    : r;
}

static int inspect_run(struct engine *engine, const void *data, int argc, char **argv,
		       struct error *err)
{
	const struct inspect_args *args = data;
	/* As Docker does: the word alone is the whole document in one line. */
	bool is_json = !args->format || strcmp(args->format, "json") == 0;
	cleanup(json_cleanup) json_t *all = json_array();
	int r = 0;

	for (int i = 0; r == 0 && i < argc; i++) {
		json_t *doc = NULL;

		r = describe(engine, argv[i], &doc, err);
		if (r == 0 && !is_json)
			r = format_print(doc, args->format, FORMAT_DOCUMENT, err);
		if (doc)
			(void)json_array_append_new(all, doc);
	}
	if (r == 0 && args->format && is_json) {
		(void)json_dumpf(all, stdout, JSON_COMPACT);
		(void)putchar('\n');
	}
	if (r == 0 && !args->format) {
		(void)json_dumpf(all, stdout, JSON_INDENT(4));
		(void)putchar('\n');
	}
	return r;
}

const struct cmd cmd_inspect = {
	.name = "inspect",
	.operands = "CONTAINER|IMAGE...",
	.help = "Tell everything about containers or images, as JSON",
	.opts = inspect_opts,
	.args_size = sizeof(struct inspect_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run = inspect_run,
};
