/* src/cmd/images.c - strake images */
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/number.h"
#include "base/table.h"
#include "cmd/cmd.h"
#include "engine/engine.h"
#include "image/image.h"
#include "image/reference.h"

struct images_args {
	bool quiet, no_trunc;
	const char *format;
};

static const struct opt images_opts[] = {
	OPT(struct images_args, quiet, "quiet", 'q', NULL, "only IDs"),
	OPT(struct images_args, no_trunc, "no-trunc", 0, NULL, "whole IDs"),
	OPT(struct images_args, format, "format", 0, "FORMAT", "table (default) or json"),
	{ 0 },
};

static void add_row(struct table *t, const struct images_args *args, const struct image *image,
		    const char *name)
{
	char familiar[REFERENCE_MAX] = "<none>", size[NUMBER_SIZE_LEN], age[32] = "?";
	const char *tag = "<none>";
	int64_t created;
	char *colon;

	if (name)
		reference_familiar(name, familiar);
	colon = name ? strrchr(familiar, ':') : NULL;
	if (colon && !strchr(colon, '/')) {
		*colon = '\0';
		tag = colon + 1;
	}
	if (image->config.created && clock_parse(image->config.created, &created) == 0)
		clock_format_age(clock_now_ns() - created, age);
	number_format_size((uint64_t)image->size, size);
	table_cell(t, familiar);
	table_cell(t, tag);
	table_cellf(t, "%.*s", args->no_trunc ? ID_LEN : ID_SHORT_LEN, image->id);
	table_cellf(t, "%s ago", age);
	table_cell(t, size);
}

static void print_json(const struct image *image)
{
	cleanup(json_cleanup) json_t *doc = json_object();

	(void)json_object_set_new(doc, "Id", json_string(image->id));
	(void)json_object_set_new(doc, "Names", json_from_strv(&image->names));
	(void)json_object_set_new(doc, "Size", json_integer(image->size));
	(void)json_object_set_new(doc, "Created",
				  json_string(image->config.created ? image->config.created : ""));
	(void)json_object_set_new(doc, "Layers", json_from_strv(&image->layers));
	(void)json_object_set_new(doc, "Volumes", json_from_strv(&image->config.volumes));
	(void)json_object_set_new(doc, "ExposedPorts",
				  json_from_strv(&image->config.exposed_ports));
	(void)json_dumpf(doc, stdout, JSON_COMPACT);
	(void)putchar('\n');
}

static void show(const struct images_args *args, const struct image *image, struct table *t)
{
	if (args->quiet)
		(void)printf("%.*s\n", args->no_trunc ? ID_LEN : ID_SHORT_LEN, image->id);
	else if (args->format && strcmp(args->format, "json") == 0)
		print_json(image);
	else if (image->names.n == 0)
		add_row(t, args, image, NULL);
	for (size_t i = 0; !args->quiet && i < image->names.n; i++)
		add_row(t, args, image, image->names.items[i]);
}

static int images_run(struct engine *engine, const void *data, int argc, char **argv,
		      struct error *err)
{
	static const char *const headings[] = { "NAME", "TAG", "IMAGE ID", "CREATED", "SIZE" };
	const struct images_args *args = data;
	struct strv ids = { 0 };
	struct table t;
	int status = 0, r;

	(void)argc;
	(void)argv;
	if (args->format && strcmp(args->format, "json") != 0 && strcmp(args->format, "table") != 0)
		return error_set(err, -EINVAL, "--format is table or json, not '%s'", args->format);
	r = image_ids(engine_db(engine), &ids, err);
	table_init(&t, ARRAY_SIZE(headings), headings);
	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		cleanup(image_cleanup) struct image *image = NULL;
		struct error failure = { 0 };

		if (image_load(engine_db(engine), engine_root_fd(engine), ids.items[i], &image,
			       &failure) == 0) {
			show(args, image, &t);
			continue;
		}
		cmd_report("images", &failure);
		status = 1;
	}
	if (r == 0 && !args->quiet && !(args->format && strcmp(args->format, "json") == 0))
		table_print(&t, stdout);
	table_done(&t);
	strv_done(&ids);
	return r < 0 ? r : status;
}

const struct cmd cmd_images = {
	.name = "images",
	.operands = "",
	.help = "List images",
	.opts = images_opts,
	.args_size = sizeof(struct images_args),
	.run = images_run,
};
