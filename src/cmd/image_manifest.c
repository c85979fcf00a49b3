/* src/cmd/image_manifest.c - strake-image manifest-create, -add, -annotate, -remove */
#include <limits.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "cmd/manifest_options.h"
#include "engine/engine.h"
#include "image/incoming.h"
#include "image/index_edit.h"

static int open_store(struct engine *engine, struct incoming *ret, struct error *err)
{
	return incoming_open(engine_root(engine), engine_root_fd(engine), ret, err);
}

static int print(int r, const char *digest)
{
	if (r == 0)
		(void)printf("sha256:%s\n", digest);
	return r;
}

static int create_run(struct engine *engine, const void *data, int argc, char **argv,
		      struct error *err)
{
	const struct manifest_create_args *args = data;
	cleanup(incoming_done) struct incoming in = INCOMING_INIT;
	const struct index_images images = { .items = argv + 1,
					     .n = (size_t)argc - 1,
					     .all = args->all };
	const struct index_note note = { .annotations = &args->annotations };
	struct db *db = engine_db(engine);
	char digest[DIGEST_HEX_LEN + 1];
	int r = open_store(engine, &in, err);

	if (r == 0)
		r = index_create(db, &in, argv[0], args->amend ? INDEX_AMEND : INDEX_NEW, &images,
				 digest, err);
	if (r == 0 && args->annotations.n)
		r = index_annotate(db, &in, argv[0], NULL, &note, digest, err);
	return print(r, digest);
}

static int add_run(struct engine *engine, const void *data, int argc, char **argv,
		   struct error *err)
{
	const struct manifest_add_args *args = data;
	cleanup(incoming_done) struct incoming in = INCOMING_INIT;
	struct index_note note = {
		.os = args->os,
		.arch = args->arch,
		.variant = args->variant,
		.os_version = args->os_version,
		.os_features = &args->os_features,
		.annotations = &args->annotations,
	};
	const struct index_images images = {
		.items = argv + 1, .n = (size_t)argc - 1, .all = args->all, .note = &note
	};
	char digest[DIGEST_HEX_LEN + 1];
	int r = open_store(engine, &in, err);

	if (r == 0)
		r = index_add(engine_db(engine), &in, argv[0], &images, digest, err);
	return print(r, digest);
}

static int annotate_run(struct engine *engine, const void *data, int argc, char **argv,
			struct error *err)
{
	const struct manifest_annotate_args *args = data;
	cleanup(incoming_done) struct incoming in = INCOMING_INIT;
	const struct index_note note = {
		.os = args->os,
		.arch = args->arch,
		.variant = args->variant,
		.os_version = args->os_version,
		.os_features = &args->os_features,
		.annotations = &args->annotations,
	};
	char digest[DIGEST_HEX_LEN + 1];
	int r = open_store(engine, &in, err);

	if (r == 0 && args->index == (argc > 1))
		r = error_set(err, -EINVAL, "name an IMAGE of the index, or say --index");
	if (r == 0)
		r = index_annotate(engine_db(engine), &in, argv[0], argc > 1 ? argv[1] : NULL,
				   &note, digest, err);
	return print(r, digest);
}

static int remove_run(struct engine *engine, const void *data, int argc, char **argv,
		      struct error *err)
{
	cleanup(incoming_done) struct incoming in = INCOMING_INIT;
	char digest[DIGEST_HEX_LEN + 1];
	int r = open_store(engine, &in, err);

	(void)data;
	for (int i = 1; r == 0 && i < argc; i++)
		r = index_drop(engine_db(engine), &in, argv[0], argv[i], digest, err);
	return print(r, digest);
}

const struct cmd cmd_image_manifest_create = {
	.name = "manifest-create",
	.operands = "NAME [IMAGE...]",
	.help = "Make an index",
	.opts = manifest_create_opts,
	.args_size = sizeof(struct manifest_create_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.flags = CMD_MAKES,
	.run = create_run,
};

const struct cmd cmd_image_manifest_add = {
	.name = "manifest-add",
	.operands = "NAME IMAGE...",
	.help = "List further images in an index",
	.opts = manifest_add_opts,
	.args_size = sizeof(struct manifest_add_args),
	.min_operands = 2,
	.max_operands = INT_MAX,
	.run = add_run,
};

const struct cmd cmd_image_manifest_annotate = {
	.name = "manifest-annotate",
	.operands = "NAME [IMAGE]",
	.help = "Say more about an image that an index lists",
	.opts = manifest_annotate_opts,
	.args_size = sizeof(struct manifest_annotate_args),
	.min_operands = 1,
	.max_operands = 2,
	.run = annotate_run,
};

const struct cmd cmd_image_manifest_remove = {
	.name = "manifest-remove",
	.operands = "NAME IMAGE...",
	.help = "Take images from an index",
	.min_operands = 2,
	.max_operands = INT_MAX,
	.run = remove_run,
};
