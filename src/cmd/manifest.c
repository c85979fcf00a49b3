/* src/cmd/manifest.c - strake manifest: indexes, one image for several machines. */
#include <limits.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/json.h"
#include "base/table.h"
#include "cmd/cmd.h"
#include "cmd/handover.h"
#include "cmd/manifest_options.h"
#include "engine/engine.h"
#include "image/image.h"
#include "image/index.h"
#include "image/reference.h"

static const struct opt no_opts[] = { { 0 } };

/* What needs digests computed is done by strake-image. */
HANDOVER("strake-image", create, "manifest-create", manifest_create_opts)
HANDOVER("strake-image", add, "manifest-add", manifest_add_opts)
HANDOVER("strake-image", annotate, "manifest-annotate", manifest_annotate_opts)
HANDOVER("strake-image", remove, "manifest-remove", no_opts)

static const struct cmd manifest_create = {
	.name = "create",
	.operands = "NAME [IMAGE...]",
	.help = "Make an index",
	.details =
		"An index is one image for several machines: it lists manifests of images in the store, each\n"
		"with its platform. They stay as long as it lists them. Of an IMAGE that came without a\n"
		"manifest one is made, once.",
	.opts = manifest_create_opts,
	.args_size = sizeof(struct manifest_create_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run_alone = create_run,
};

static const struct cmd manifest_add = {
	.name = "add",
	.operands = "NAME IMAGE...",
	.help = "List further images in an index",
	.details = "The platform is what the image's config says, if it is not given.",
	.opts = manifest_add_opts,
	.args_size = sizeof(struct manifest_add_args),
	.min_operands = 2,
	.max_operands = INT_MAX,
	.run_alone = add_run,
};

static const struct cmd manifest_annotate = {
	.name = "annotate",
	.operands = "NAME [IMAGE]",
	.help = "Say more about an image that an index lists, or about the index",
	.details =
		"IMAGE is an image in the store, or a digest that is listed, or the start of one.",
	.opts = manifest_annotate_opts,
	.args_size = sizeof(struct manifest_annotate_args),
	.min_operands = 1,
	.max_operands = 2,
	.run_alone = annotate_run,
};

static const struct cmd manifest_remove = {
	.name = "remove",
	.operands = "NAME IMAGE...",
	.help = "Take images from an index; they stay in the store",
	.min_operands = 2,
	.max_operands = INT_MAX,
	.run_alone = remove_run,
};

/* An index goes out as any name does. */
static int push_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct manifest_push_args *args = data;
	const struct push_args push = {
		.registry = args->registry,
		.digest_file = args->digest_file,
		.quiet = args->quiet,
	};

	(void)argc;
	return handover("strake-image", "push", globals, push_opts, &push, argv, err);
}

static const struct cmd manifest_push = {
	.name = "push",
	.operands = "NAME [DESTINATION]",
	.help = "Send an index and what it lists to a registry",
	.details =
		"DESTINATION is another name to send it under. Manifests and layers go out byte by byte as\n"
		"the index lists them; what the registry has is not sent again.",
	.opts = manifest_push_opts,
	.args_size = sizeof(struct manifest_push_args),
	.min_operands = 1,
	.max_operands = 2,
	.run_alone = push_run,
};

/* inspect */

/* An image's own manifest, if it has one. */
static int manifest_of(struct db *db, int root_fd, const char *what, char ret[ID_LEN + 1],
		       struct error *err)
{
	cleanup(image_cleanup) struct image *image = NULL;
	struct db_rows rows;
	int r = image_find(db, root_fd, what, &image, err);

	if (r == 0)
		r = db_query(db, &rows, err,
			     "SELECT digest FROM documents WHERE image = ?1 ORDER BY made DESC",
			     "s", image->id);
	if (r < 0)
		return r;
	ret[0] = '\0';
	if (db_next(&rows))
		(void)snprintf(ret, ID_LEN + 1, "%s", db_text(&rows, 0));
	r = db_finish(&rows);
	if (r == 0 && !ret[0])
		r = error_set(err, -ENOENT,
			      "image %s came without a manifest; it gets one when it is pushed or "
			      "added to an index",
			      what);
	return r;
}

static int inspect_run(struct engine *engine, const void *args, int argc, char **argv,
		       struct error *err)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	struct db *db = engine_db(engine);
	autofree char *path = NULL;
	char digest[ID_LEN + 1];
	int r = index_look(db, argv[0], digest, err);

	(void)args;
	(void)argc;
	if (r == 0 && !digest[0])
		r = manifest_of(db, engine_root_fd(engine), argv[0], digest, err);
	if (r < 0)
		return r;
	path = xasprintf("blobs/sha256/%s", digest);
	r = json_load_at(engine_root_fd(engine), path, &doc, err);
	if (r < 0)
		return r;
	(void)json_dumpf(doc, stdout, JSON_INDENT(4));
	(void)putchar('\n');
	return 0;
}

static const struct cmd manifest_inspect = {
	.name = "inspect",
	.operands = "NAME",
	.help = "Print an index, or an image's manifest, as JSON",
	.min_operands = 1,
	.max_operands = 1,
	.run = inspect_run,
};

/* ls */

static int ls_run(struct engine *engine, const void *args, int argc, char **argv, struct error *err)
{
	static const char *const headings[] = { "NAME", "DIGEST", "PLATFORMS" };
	struct table t;
	struct db_rows rows;
	int r = db_query(engine_db(engine), &rows, err,
			 "SELECT name, document, (SELECT group_concat(platform, ', ')"
			 " FROM document_parts p WHERE p.document = n.document)"
			 " FROM index_names n ORDER BY name",
			 "");

	(void)args;
	(void)argc;
	(void)argv;
	if (r < 0)
		return r;
	table_init(&t, ARRAY_SIZE(headings), headings);
	while (db_next(&rows)) {
		char familiar[REFERENCE_MAX];

		reference_familiar(db_text(&rows, 0), familiar);
		table_cell(&t, familiar);
		table_cellf(&t, "%.*s", ID_SHORT_LEN, db_text(&rows, 1));
		table_cell(&t, db_text(&rows, 2) ? db_text(&rows, 2) : "");
	}
	r = db_finish(&rows);
	if (r == 0)
		table_print(&t, stdout);
	table_done(&t);
	return r;
}

static const struct cmd manifest_ls = {
	.name = "ls",
	.operands = "",
	.help = "List indexes",
	.run = ls_run,
};

/* rm, exists */

static void print(void *data, const char *text)
{
	(void)data;
	(void)puts(text);
}

static int rm_run(struct engine *engine, const void *args, int argc, char **argv, struct error *err)
{
	int status = 0;

	(void)args;
	(void)err;
	for (int i = 0; i < argc; i++) {
		struct error failure = { 0 };

		if (index_remove(engine_db(engine), engine_root_fd(engine), argv[i], print, NULL,
				 &failure) == 0)
			continue;
		cmd_report("manifest rm", &failure);
		status = 1;
	}
	return status;
}

static const struct cmd manifest_rm = {
	.name = "rm",
	.operands = "NAME...",
	.help = "Remove indexes; the images stay",
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run = rm_run,
};

static int exists_run(struct engine *engine, const void *args, int argc, char **argv,
		      struct error *err)
{
	char digest[ID_LEN + 1];
	int r = index_look(engine_db(engine), argv[0], digest, err);

	(void)args;
	(void)argc;
	return r < 0 ? r : !digest[0];
}

static const struct cmd manifest_exists = {
	.name = "exists",
	.operands = "NAME",
	.help = "Exit with 0 if the index is there, with 1 if not",
	.min_operands = 1,
	.max_operands = 1,
	.run = exists_run,
};

static const struct cmd *const manifest_cmds[] = {
	&manifest_create,  &manifest_add, &manifest_annotate, &manifest_remove, &manifest_push,
	&manifest_inspect, &manifest_ls,  &manifest_exists,   &manifest_rm,     NULL,
};

const struct cmd cmd_manifest = {
	.name = "manifest",
	.help = "Make indexes: one image for several machines",
	.sub = manifest_cmds,
};
