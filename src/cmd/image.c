/* src/cmd/image.c - strake image: the commands about images under one name, and those that have no
 * other.  A command with a short spelling ("images", "rmi") is a row that points at it.
 */
#include <stdio.h>

#include "cmd/cmd.h"
#include "engine/engine.h"
#include "image/image.h"

extern const struct cmd cmd_images, cmd_rmi, cmd_load, cmd_history, cmd_tag, cmd_untag,
	cmd_image_tree, cmd_image_inspect, cmd_image_mount, cmd_image_unmount, cmd_image_prune,
	cmd_image_check_front, cmd_image_pack_front, cmd_save, cmd_import, cmd_pull, cmd_push,
	cmd_copy, cmd_search, cmd_tags, cmd_build;

static int exists_run(struct engine *engine, const void *args, int argc, char **argv,
		      struct error *err)
{
	cleanup(image_cleanup) struct image *image = NULL;
	int r = image_find(engine_db(engine), engine_root_fd(engine), argv[0], &image, err);

	(void)args;
	(void)argc;
	return r == -ENOENT ? 1 : r;
}

static const struct cmd image_exists = {
	.name = "exists",
	.operands = "IMAGE",
	.help = "Exit with 0 if the image is there, with 1 if not",
	.min_operands = 1,
	.max_operands = 1,
	.run = exists_run,
};

#define ALIAS(name_, cmd_) (&(const struct cmd) { .name = (name_), .same = &(cmd_) })

static const struct cmd *const image_cmds[] = {
	ALIAS("ls", cmd_images),
	ALIAS("list", cmd_images),
	ALIAS("build", cmd_build),
	&cmd_image_inspect,
	&cmd_image_tree,
	&cmd_history,
	&image_exists,
	&cmd_tag,
	&cmd_untag,
	&cmd_image_mount,
	&cmd_image_unmount,
	ALIAS("umount", cmd_image_unmount),
	&cmd_load,
	&cmd_save,
	&cmd_import,
	&cmd_image_pack_front,
	ALIAS("pull", cmd_pull),
	ALIAS("push", cmd_push),
	ALIAS("copy", cmd_copy),
	ALIAS("search", cmd_search),
	ALIAS("tags", cmd_tags),
	ALIAS("rm", cmd_rmi),
	&cmd_image_prune,
	&cmd_image_check_front,
	NULL,
};

const struct cmd cmd_image = {
	.name = "image",
	.help = "Look after images",
	.sub = image_cmds,
};
