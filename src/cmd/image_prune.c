/* src/cmd/image_prune.c - strake image prune */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/fault.h"
#include "base/number.h"
#include "cmd/cmd.h"
#include "engine/engine.h"
#include "engine/image_mount.h"
#include "engine/usage.h"
#include "image/image.h"
#include "image/index.h"
#include "image/list.h"
#include "image/partial.h"

struct prune_args {
	bool all, force;
	struct strv filter;
};

static const struct opt prune_opts[] = {
	OPT(struct prune_args, all, "all", 'a', NULL,
	    "every image that no container uses, not only those without a name"),
	OPT(struct prune_args, force, "force", 'f', NULL, "do not ask"),
	OPT(struct prune_args, filter, "filter", 0, "NAME=VALUE",
	    "only these: until=24h, label=a=b, reference=web*"),
	{ 0 },
};

static int ask(const struct prune_args *args, struct error *err)
{
	char answer[8] = "";

	if (args->force)
		return 1;
	if (!isatty(STDIN_FILENO))
		return error_set(err, -EINVAL, "nobody to ask; --force removes %s without asking",
				 args->all ? "all images that no container uses"
					   : "images without a name");
	(void)printf("Remove all images %s? [y/N] ",
		     args->all ? "that no container uses" : "without a name");
	(void)fflush(stdout);
	return fgets(answer, sizeof(answer), stdin) && (answer[0] == 'y' || answer[0] == 'Y');
}

static void print(void *data, const char *text)
{
	(void)data;
	(void)puts(text);
}

static int64_t bytes_of_images(struct engine *engine)
{
	struct usage usage;

	return usage_read(engine, &usage, NULL) < 0 ? 0 : usage.parts[USAGE_IMAGES].bytes;
}

static int prune(struct engine *engine, const struct image_list *list, struct error *err)
{
	int status = 0;

	(void)err;
	for (size_t i = 0; i < list->n; i++) {
		const struct listed *l = &list->items[i];
		struct error failure = { 0 };
		int r;

		if (l->is_index || l->containers > 0 || l->indexes > 0 ||
		    image_is_mounted(engine, l->id))
			continue;
		fault_point("prune");
		r = image_remove(engine_db(engine), engine_root_fd(engine), l->id, true, print,
				 NULL, &failure);
		/* Another command may have been quicker. */
		if (r == 0 || r == -ENOENT)
			continue;
		/* A container may have been made of it meanwhile. */
		cmd_report("image prune", &failure);
		status = 1;
	}
	return status;
}

/* They have a name, so --all means them; first, so that what they list can go. */
static int prune_indexes(struct engine *engine, const struct image_list *list, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->n; i++) {
		struct error failure = { 0 };

		if (!list->items[i].is_index)
			continue;
		r = index_remove(engine_db(engine), engine_root_fd(engine), list->items[i].id,
				 print, NULL, &failure);
		if (r == -ENOENT)
			r = 0;
		if (r < 0)
			*err = failure;
	}
	return r;
}

static int prune_run(struct engine *engine, const void *data, int argc, char **argv,
		     struct error *err)
{
	const struct prune_args *args = data;
	cleanup(image_filter_done) struct image_filter filter = { 0 };
	cleanup(image_list_done) struct image_list list = { 0 };
	struct db *db = engine_db(engine);
	int root = engine_root_fd(engine);
	char freed[NUMBER_SIZE_LEN];
	int64_t before, freed_bytes;
	int r = image_filter_parse(db, root, &args->filter, &filter, err);

	(void)argc;
	(void)argv;
	if (r == 0)
		r = ask(args, err);
	if (r <= 0)
		return r;
	if (!args->all)
		filter.dangling = DANGLING_ONLY;
	r = image_list(db, root, &filter, &list, err);
	if (r < 0)
		return r;
	freed_bytes = partial_prune(root, 0);
	before = bytes_of_images(engine);
	r = prune_indexes(engine, &list, err);
	image_list_done(&list);
	if (r == 0)
		r = image_list(db, root, &filter, &list, err);
	if (r < 0)
		return r;
	r = prune(engine, &list, err);
	freed_bytes += MAX(before - bytes_of_images(engine), 0);
	number_format_size((uint64_t)freed_bytes, freed);
	(void)printf("Total reclaimed space: %s\n", freed);
	return r;
}

const struct cmd cmd_image_prune = {
	.name = "prune",
	.operands = "",
	.help = "Remove images that nobody needs",
	.opts = prune_opts,
	.args_size = sizeof(struct prune_args),
	.run = prune_run,
};
