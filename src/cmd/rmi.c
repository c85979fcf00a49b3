/* src/cmd/rmi.c - strake rmi */
#include <limits.h>
#include <stdio.h>

#include "cmd/cmd.h"
#include "engine/engine.h"
#include "engine/image_mount.h"
#include "image/image.h"
#include "image/index.h"

struct rmi_args {
	bool force;
};

static const struct opt rmi_opts[] = {
	OPT(struct rmi_args, force, "force", 'f', NULL,
	    "by ID: with all its names; by name: even if a container needs it"),
	{ 0 },
};

static void print(void *data, const char *text)
{
	(void)data;
	(void)puts(text);
}

static int remove_one(struct engine *engine, const char *what, bool force, struct error *err)
{
	cleanup(image_cleanup) struct image *image = NULL;
	struct db *db = engine_db(engine);
	int root = engine_root_fd(engine);
	char index[ID_LEN + 1];
	int r = index_look(db, what, index, err);

	if (r == 0 && index[0])
		return index_remove(db, root, what, print, NULL, err);
	if (r == 0)
		r = image_find(db, root, what, &image, err);
	if (r < 0 || !image)
		return r;
	if (image->names.n < 2 && image_is_mounted(engine, image->id))
		return error_set(err, -EBUSY,
				 "image %.12s is mounted; 'strake image unmount %.12s' first",
				 image->id, image->id);
	return image_remove(db, root, what, force, print, NULL, err);
}

static int rmi_run(struct engine *engine, const void *data, int argc, char **argv,
		   struct error *err)
{
	const struct rmi_args *args = data;
	int status = 0;

	(void)err;
	for (int i = 0; i < argc; i++) {
		struct error failure = { 0 };

		if (remove_one(engine, argv[i], args->force, &failure) == 0)
			continue;
		cmd_report("rmi", &failure);
		status = 1;
	}
	return status;
}

const struct cmd cmd_rmi = {
	.name = "rmi",
	.operands = "IMAGE...",
	.help = "Remove names of images, and images without a name",
	.opts = rmi_opts,
	.args_size = sizeof(struct rmi_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run = rmi_run,
};
