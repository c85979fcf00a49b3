/* src/cmd/images.c - strake images */
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
#include "image/list.h"
#include "image/reference.h"

struct images_args {
	bool quiet, no_trunc, digests, all;
	struct strv filter;
	const char *format;
};

static const struct opt images_opts[] = {
	OPT(struct images_args, all, "all", 'a', NULL, "all; without it nothing is hidden, either"),
	OPT(struct images_args, quiet, "quiet", 'q', NULL, "only IDs"),
	OPT(struct images_args, no_trunc, "no-trunc", 0, NULL, "whole IDs"),
	OPT(struct images_args, digests, "digests", 0, NULL, "with the digests of their manifests"),
	OPT(struct images_args, filter, "filter", 'f', "NAME=VALUE",
	    "dangling=true, reference=web*, label=a=b, before=IMAGE, since=IMAGE, until=24h"),
	OPT(struct images_args, format, "format", 0, "FORMAT",
	    "table, json, or a template such as '{{.Repository}}:{{.Tag}}'"),
	{ 0 },
};

#define PLAIN_COLUMNS                                                                              \
	{ "IMAGE ID", "ID" }, { "CREATED", "CreatedSince" }, { "SIZE", "Size" },                   \
	{                                                                                          \
		NULL, NULL                                                                         \
	}

static const struct column columns[] = { { "REPOSITORY", "Repository" },
					 { "TAG", "Tag" },
					 PLAIN_COLUMNS };
static const struct column columns_digests[] = {
	{ "REPOSITORY", "Repository" }, { "TAG", "Tag" }, { "DIGEST", "Digest" }, PLAIN_COLUMNS
};

/* "web:1" is web and 1; what came by digest has no tag. */
static void set_name(json_t *doc, const char *name)
{
	char familiar[REFERENCE_MAX] = "<none>";
	const char *tag = "<none>";
	char *at, *colon;

	if (name)
		reference_familiar(name, familiar);
	at = strchr(familiar, '@');
	if (at)
		*at = '\0';
	colon = strrchr(familiar, ':');
	if (name && colon && !strchr(colon, '/')) {
		*colon = '\0';
		tag = colon + 1;
	}
	(void)json_object_set_new(doc, "Repository", json_string(familiar));
	(void)json_object_set_new(doc, "Tag", json_string(tag));
}

static void set_time(json_t *doc, const struct listed *l)
{
	char age[32] = "";
	autofree char *since = NULL;

	if (l->created_ns)
		clock_format_age(clock_now_ns() - l->created_ns, age);
	since = age[0] ? xasprintf("%s ago", age) : xstrdup("N/A");
	(void)json_object_set_new(doc, "CreatedSince", json_string(since));
}

/* What the table has no column for; with 500 images it is a tenth of the time. */
static void set_more(json_t *doc, const struct listed *l)
{
	autofree char *containers = xasprintf("%lld", (long long)l->containers);

	(void)json_object_set_new(doc, "CreatedAt", json_string(l->created));
	(void)json_object_set_new(doc, "Platform", json_string(l->platform));
	(void)json_object_set_new(doc, "Containers", json_string(containers));
}

static json_t *row(const struct images_args *args, const struct listed *l, const char *name)
{
	char size[NUMBER_SIZE_LEN];
	autofree char *id = xasprintf(args->no_trunc ? "sha256:%.*s" : "%.*s",
				      args->no_trunc ? ID_LEN : ID_SHORT_LEN, l->id);
	json_t *doc = json_object();

	number_format_size((uint64_t)l->size, size);
	set_name(doc, name);
	(void)json_object_set_new(doc, "ID", json_string(id));
	if (args->digests || args->format) {
		autofree char *digest = xasprintf(l->digest[0] ? "sha256:%s" : "<none>", l->digest);

		(void)json_object_set_new(doc, "Digest", json_string(digest));
	}
	set_time(doc, l);
	(void)json_object_set_new(doc, "Size", json_string(size));
	if (args->format)
		set_more(doc, l);
	return doc;
}

/* For programs: one document an image, numbers as numbers. */
static json_t *document(const struct listed *l)
{
	json_t *doc = json_object();

	(void)json_object_set_new(doc, "Id", json_string(l->id));
	(void)json_object_set_new(doc, "Names", json_from_strv(&l->names));
	(void)json_object_set_new(doc, "Digest", json_string(l->digest));
	(void)json_object_set_new(doc, "Size", json_integer(l->size));
	(void)json_object_set_new(doc, "Created", json_string(l->created));
	(void)json_object_set_new(doc, "Platform", json_string(l->platform));
	(void)json_object_set_new(doc, "Containers", json_integer(l->containers));
	(void)json_object_set_new(doc, "IsManifestList", json_boolean(l->is_index));
	return doc;
}

static void show(const struct images_args *args, const struct listed *l, struct rows *rows)
{
	if (args->quiet)
		(void)printf(args->no_trunc ? "sha256:%.*s\n" : "%.*s\n",
			     args->no_trunc ? ID_LEN : ID_SHORT_LEN, l->id);
	else if (args->format && strcmp(args->format, "json") == 0)
		rows_add(rows, document(l));
	else if (l->names.n == 0)
		rows_add(rows, row(args, l, NULL));
	else
		for (size_t i = 0; i < l->names.n; i++)
			rows_add(rows, row(args, l, l->names.items[i]));
}

static int print(const struct images_args *args, const struct image_list *list, struct error *err)
{
	struct rows rows;
	int r;

	rows_init(&rows, args->digests ? columns_digests : columns, args->format);
	for (size_t i = 0; i < list->n; i++)
		show(args, &list->items[i], &rows);
	r = args->quiet ? 0 : rows_print(&rows, err);
	rows_done(&rows);
	return r;
}

static int images_run(struct engine *engine, const void *data, int argc, char **argv,
		      struct error *err)
{
	const struct images_args *args = data;
	cleanup(image_filter_done) struct image_filter filter = { 0 };
	cleanup(image_list_done) struct image_list list = { 0 };
	struct db *db = engine_db(engine);
	int root = engine_root_fd(engine);
	int r = image_filter_parse(db, root, &args->filter, &filter, err);

	for (int i = 0; r == 0 && i < argc; i++)
		strv_add(&filter.references, argv[i]);
	filter.brief = !args->digests && !args->format;
	if (r == 0)
		r = image_list(db, root, &filter, &list, err);
	return r < 0 ? r : print(args, &list, err);
}

const struct cmd cmd_images = {
	.name = "images",
	.operands = "[REPOSITORY[:TAG]]",
	.help = "List images",
	.opts = images_opts,
	.args_size = sizeof(struct images_args),
	.max_operands = 1,
	.run = images_run,
};
