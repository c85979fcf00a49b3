/* src/cmd/system_df.c - strake system df */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/number.h"
#include "base/table.h"
#include "cmd/cmd.h"
#include "cmd/rows.h"
#include "engine/engine.h"
#include "engine/usage.h"
#include "image/list.h"
#include "image/reference.h"

struct df_args {
	bool verbose, bytes;
	const char *format;
};

static const struct opt df_opts[] = {
	OPT(struct df_args, verbose, "verbose", 'v', NULL,
	    "each image, with what it shares with others"),
	OPT(struct df_args, bytes, "bytes", 0, NULL, "sizes in bytes"),
	OPT(struct df_args, format, "format", 0, "FORMAT",
	    "table, json or a template such as '{{.Type}} {{.Size}}'"),
	{ 0 },
};

static const struct column columns[] = {
	{ "TYPE", "Type" }, { "TOTAL", "TotalCount" },        { "ACTIVE", "Active" },
	{ "SIZE", "Size" }, { "RECLAIMABLE", "Reclaimable" }, { NULL, NULL },
};

static char *size_text(const struct df_args *args, int64_t bytes)
{
	char text[NUMBER_SIZE_LEN];

	if (args->bytes)
		return xasprintf("%lld", (long long)bytes);
	number_format_size((uint64_t)bytes, text);
	return xstrdup(text);
}

static json_t *row(const struct df_args *args, const char *type, const struct usage_part *p,
		   bool counted)
{
	autofree char *size = size_text(args, p->bytes),
		      *free_size = size_text(args, p->reclaimable);
	json_t *doc = json_object();

	(void)json_object_set_new(doc, "Type", json_string(type));
	(void)json_object_set_new(doc, "TotalCount",
				  counted ? json_sprintf("%lld", (long long)p->total)
					  : json_string(""));
	(void)json_object_set_new(doc, "Active",
				  counted ? json_sprintf("%lld", (long long)p->active)
					  : json_string(""));
	(void)json_object_set_new(doc, "Size", json_string(size));
	(void)json_object_set_new(
		doc, "Reclaimable",
		args->bytes || p->bytes == 0
			? json_string(free_size)
			: json_sprintf("%s (%lld%%)", free_size,
				       (long long)(p->reclaimable * 100 / p->bytes)));
	return doc;
}

static int print_summary(const struct df_args *args, const struct usage *usage, struct error *err)
{
	struct usage_part sum = { 0 };
	struct rows rows;
	int r;

	rows_init(&rows, columns, args->format);
	for (int i = 0; i < N_USAGE; i++) {
		const struct usage_part *p = &usage->parts[i];

		rows_add(&rows, row(args, usage_name((enum usage_kind)i), p, i != USAGE_RECORDS));
		sum.bytes += p->bytes;
		sum.reclaimable += p->reclaimable;
	}
	rows_add(&rows, row(args, "Total", &sum, false));
	r = rows_print(&rows, err);
	rows_done(&rows);
	return r;
}

/* Of its layers' files: what another image has, too. */
static int shared_size(struct db *db, const char *id, int64_t *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT total(size) FROM layers JOIN image_layers i USING (chain)"
			 " WHERE i.image = ?1 AND EXISTS (SELECT 1 FROM image_layers o"
			 "  WHERE o.chain = i.chain AND o.image <> ?1)",
			 "s", id);

	*ret = 0;
	if (r < 0)
		return r;
	if (db_next(&rows))
		*ret = db_int(&rows, 0);
	return db_finish(&rows);
}

static int print_images(struct engine *engine, const struct df_args *args, struct error *err)
{
	static const char *const headings[] = { "IMAGE",  "IMAGE ID", "SIZE",
						"SHARED", "UNIQUE",   "CONTAINERS" };
	cleanup(image_list_done) struct image_list list = { 0 };
	struct table t;
	int r = image_list(engine_db(engine), engine_root_fd(engine), NULL, &list, err);

	table_init(&t, ARRAY_SIZE(headings), headings);
	for (size_t i = 0; r == 0 && i < list.n; i++) {
		const struct listed *l = &list.items[i];
		autofree char *size = NULL, *shared = NULL, *own = NULL;
		char familiar[REFERENCE_MAX] = "<none>";
		int64_t bytes = 0;

		if (l->is_index)
			continue;
		r = shared_size(engine_db(engine), l->id, &bytes, err);
		if (l->names.n)
			reference_familiar(l->names.items[0], familiar);
		size = size_text(args, l->size);
		shared = size_text(args, bytes);
		own = size_text(args, l->size - bytes);
		table_cell(&t, familiar);
		table_cellf(&t, "%.12s", l->id);
		table_cell(&t, size);
		table_cell(&t, shared);
		table_cell(&t, own);
		table_cellf(&t, "%lld", (long long)l->containers);
	}
	if (r == 0 && list.n) {
		(void)putchar('\n');
		table_print(&t, stdout);
	}
	table_done(&t);
	return r;
}

static int df_run(struct engine *engine, const void *data, int argc, char **argv, struct error *err)
{
	const struct df_args *args = data;
	struct usage usage;
	int r = usage_read(engine, &usage, err);

	(void)argc;
	(void)argv;
	if (r == 0)
		r = print_summary(args, &usage, err);
	if (r == 0 && args->verbose && !args->format)
		r = print_images(engine, args, err);
	return r;
}

const struct cmd cmd_system_df = {
	.name = "df",
	.operands = "",
	.help = "Show where the space goes",
	.details =
		"To the byte what 'du' counts below the root. Images are their unpacked layers and the blobs\n"
		"they came as; reclaimable is what no container needs: 'strake image prune --all' frees it. Working containers\n"
		"count as containers; a layer that builds keep and an image has, too, counts there, the rest\n"
		"is what 'strake builder prune' frees.",
	.opts = df_opts,
	.args_size = sizeof(struct df_args),
	.run = df_run,
};
