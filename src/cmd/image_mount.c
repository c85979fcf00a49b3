/* src/cmd/image_mount.c - strake image mount, strake image unmount */
#include <limits.h>
#include <stdio.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/id.h"
#include "base/table.h"
#include "cmd/cmd.h"
#include "engine/engine.h"
#include "engine/image_mount.h"
#include "image/image.h"
#include "image/reference.h"

static int list_mounts(struct engine *engine, struct error *err)
{
	static const char *const headings[] = { "IMAGE ID", "NAME", "MOUNT" };
	struct strv ids = { 0 };
	struct table t;
	int r = image_mounts(engine, &ids, err);

	table_init(&t, ARRAY_SIZE(headings), headings);
	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		cleanup(image_cleanup) struct image *image = NULL;
		autofree char *path = image_mount_path(engine, ids.items[i]);
		char familiar[REFERENCE_MAX] = "<none>";

		if (image_load(engine_db(engine), engine_root_fd(engine), ids.items[i], &image,
			       NULL) == 0 &&
		    image->names.n)
			reference_familiar(image->names.items[0], familiar);
		table_cellf(&t, "%.*s", ID_SHORT_LEN, ids.items[i]);
		table_cell(&t, familiar);
		table_cell(&t, path);
	}
	if (r == 0)
		table_print(&t, stdout);
	table_done(&t);
	strv_done(&ids);
	return r;
}

static int mount_run(struct engine *engine, const void *args, int argc, char **argv,
		     struct error *err)
{
	int r = 0;

	(void)args;
	if (argc == 0)
		return list_mounts(engine, err);
	for (int i = 0; r == 0 && i < argc; i++) {
		cleanup(image_cleanup) struct image *image = NULL;
		autofree char *path = NULL;

		r = image_find(engine_db(engine), engine_root_fd(engine), argv[i], &image, err);
		if (r == 0)
			r = image_mount(engine, image, &path, err);
		if (r == 0 && !explain_dry())
			(void)puts(path);
	}
	return r;
}

const struct cmd cmd_image_mount = {
	.name = "mount",
	.operands = "[IMAGE...]",
	.help = "Show an image's files at a place on the host, read-only",
	.details =
		"Prints the place; it stays until 'strake image unmount' or a reboot. Without IMAGE what\n"
		"is mounted is listed.",
	.max_operands = INT_MAX,
	.run = mount_run,
};

struct unmount_args {
	bool all;
};

static const struct opt unmount_opts[] = {
	OPT(struct unmount_args, all, "all", 'a', NULL, "every image that is mounted"),
	{ 0 },
};

static int unmount_all(struct engine *engine, struct error *err)
{
	struct strv ids = { 0 };
	int r = image_mounts(engine, &ids, err);

	for (size_t i = 0; r == 0 && i < ids.n; i++)
		r = image_unmount(engine, ids.items[i], err);
	strv_done(&ids);
	return r;
}

static int unmount_run(struct engine *engine, const void *data, int argc, char **argv,
		       struct error *err)
{
	const struct unmount_args *args = data;
	int r = 0;

	if (args->all == (argc > 0))
		return error_set(err, -EINVAL, "name an IMAGE, or say --all");
	if (args->all)
		return unmount_all(engine, err);
	for (int i = 0; r == 0 && i < argc; i++) {
		cleanup(image_cleanup) struct image *image = NULL;

		r = image_find(engine_db(engine), engine_root_fd(engine), argv[i], &image, err);
		if (r == 0)
			r = image_unmount(engine, image->id, err);
	}
	return r;
}

const struct cmd cmd_image_unmount = {
	.name = "unmount",
	.operands = "IMAGE...",
	.help = "Take what 'strake image mount' showed away",
	.opts = unmount_opts,
	.args_size = sizeof(struct unmount_args),
	.max_operands = INT_MAX,
	.run = unmount_run,
};
