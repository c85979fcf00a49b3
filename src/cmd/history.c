/* src/cmd/history.c - strake history */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/id.h"
#include "base/json.h"
#include "base/number.h"
#include "cmd/cmd.h"
#include "cmd/rows.h"
#include "engine/engine.h"
#include "image/history.h"
#include "image/image.h"

#define CREATED_BY_WIDTH 45 /* as Docker cuts it */

struct history_args {
	bool quiet, no_trunc, bytes;
	const char *format;
};

static const struct opt history_opts[] = {
	OPT(struct history_args, quiet, "quiet", 'q', NULL, "only IDs"),
	OPT(struct history_args, no_trunc, "no-trunc", 0, NULL, "whole commands and IDs"),
	OPT(struct history_args, bytes, "bytes", 0, NULL, "sizes in bytes, times as dates"),
	OPT(struct history_args, format, "format", 0, "FORMAT",
	    "table, json or a template such as '{{.CreatedBy}}'"),
	{ 0 },
};

static const struct column columns[] = {
	{ "IMAGE", "ID" },  { "CREATED", "CreatedSince" }, { "CREATED BY", "CreatedBy" },
	{ "SIZE", "Size" }, { "COMMENT", "Comment" },      { NULL, NULL },
};

static void set(json_t *doc, const char *key, const char *text)
{
	json_t *value = json_string(text);

	(void)json_object_set_new(doc, key, value ? value : json_string("?"));
}

static void set_created(json_t *doc, const struct history_step *step)
{
	char age[32] = "";
	autofree char *since = NULL;
	int64_t ns;

	if (step->created && clock_parse(step->created, &ns) == 0)
		clock_format_age(clock_now_ns() - ns, age);
	since = age[0] ? xasprintf("%s ago", age) : xstrdup("N/A");
	set(doc, "CreatedSince", since);
	set(doc, "CreatedAt", step->created ? step->created : "");
}

static void set_command(json_t *doc, const struct history_step *step, bool whole)
{
	autofree char *cut = NULL;

	if (whole || strlen(step->created_by) <= CREATED_BY_WIDTH) {
		set(doc, "CreatedBy", step->created_by);
		return;
	}
	cut = xasprintf("%.*s...", CREATED_BY_WIDTH - 3, step->created_by);
	set(doc, "CreatedBy", cut);
}

static json_t *row(const struct history_step *step, const char *id, const struct history_args *args,
		   bool human)
{
	char size[NUMBER_SIZE_LEN];
	json_t *doc = json_object();

	set(doc, "ID", id);
	set_created(doc, step);
	set_command(doc, step, args->no_trunc);
	if (human)
		number_format_size((uint64_t)step->size, size);
	else
		(void)snprintf(size, sizeof(size), "%lld", (long long)step->size);
	set(doc, "Size", size);
	set(doc, "Comment", step->comment);
	if (!human)
		set(doc, "CreatedSince", step->created ? step->created : "");
	return doc;
}

static int print_steps(const struct image *image, const struct history *h,
		       const struct history_args *args, bool human, struct error *err)
{
	struct rows rows;
	int r;

	rows_init(&rows, columns, args->format);
	for (size_t i = h->n; i > 0; i--) {
		autofree char *id =
			i == h->n ? xasprintf("%.*s", args->no_trunc ? ID_LEN : ID_SHORT_LEN,
					      image->id)
				  : xstrdup("<missing>");

		if (args->quiet)
			(void)puts(id);
		rows_add(&rows, row(&h->steps[i - 1], id, args, human));
	}
	r = args->quiet ? 0 : rows_print(&rows, err);
	rows_done(&rows);
	return r;
}

static int history_run(struct engine *engine, const void *data, int argc, char **argv,
		       struct error *err)
{
	cleanup(image_cleanup) struct image *image = NULL;
	cleanup(history_done) struct history h = { 0 };
	struct db *db = engine_db(engine);
	int root = engine_root_fd(engine);
	int r = image_find(db, root, argv[0], &image, err);

	(void)argc;
	if (r == 0)
		r = history_load(db, root, image, &h, err);
	return r < 0 ? r
		     : print_steps(image, &h, data, !((const struct history_args *)data)->bytes,
				   err);
}

const struct cmd cmd_history = {
	.name = "history",
	.operands = "IMAGE",
	.help = "Show the steps that an image was made in",
	.details = "The newest first, with the size of the layer that each brought.",
	.opts = history_opts,
	.args_size = sizeof(struct history_args),
	.min_operands = 1,
	.max_operands = 1,
	.run = history_run,
};
