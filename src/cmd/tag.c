/* src/cmd/tag.c - strake tag, strake untag */
#include <limits.h>
#include <stdio.h>

#include "base/explain.h"
#include "cmd/cmd.h"
#include "engine/engine.h"
#include "image/image.h"
#include "image/index.h"
#include "image/name.h"

/* Returns as explain() does: no stock tool names an image. */
static bool narrate(struct engine *engine, const char *what, const char *id, const char *name)
{
	(void)explain_note("%s is %s; nothing of it is copied", what, id);
	return explain_note(
		"one transaction in %s/state.db: %s stands for it, and for nothing else",
		engine_root(engine), name);
}

static int tag_run(struct engine *engine, const void *args, int argc, char **argv,
		   struct error *err)
{
	struct db *db = engine_db(engine);
	int root = engine_root_fd(engine);
	cleanup(image_cleanup) struct image *image = NULL;
	char index[ID_LEN + 1];
	int r = index_look(db, argv[0], index, err);

	(void)args;
	if (r == 0 && !index[0])
		r = image_find(db, root, argv[0], &image, err);
	for (int i = 1; r == 0 && i < argc; i++) {
		if (narrate(engine, argv[0], index[0] ? index : image->id, argv[i]))
			continue;
		r = index[0] ? index_tag(db, root, index, argv[i], err)
			     : image_tag(db, root, argv[0], argv[i], err);
	}
	return r;
}

const struct cmd cmd_tag = {
	.name = "tag",
	.operands = "IMAGE NAME...",
	.help = "Give an image further names",
	.details = "A name that another image has is taken from it. Nothing is copied.",
	.min_operands = 2,
	.max_operands = INT_MAX,
	.run = tag_run,
};

static void print(void *data, const char *name)
{
	(void)data;
	(void)printf("Untagged: %s\n", name);
}

static int untag_run(struct engine *engine, const void *args, int argc, char **argv,
		     struct error *err)
{
	(void)args;
	return image_untag(engine_db(engine), engine_root_fd(engine), argv[0], argv + 1,
			   (size_t)argc - 1, print, NULL, err);
}

const struct cmd cmd_untag = {
	.name = "untag",
	.operands = "IMAGE [NAME...]",
	.help = "Take names from an image, which stays",
	.details =
		"Without NAME all that it has. 'strake rmi' removes an image with its last name.",
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run = untag_run,
};
