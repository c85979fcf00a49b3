/* src/cmd/image_tree.c - strake image tree */
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "cmd/cmd.h"
#include "engine/engine.h"
#include "image/image.h"
#include "image/reference.h"
#include "image/tree.h"

struct tree_args {
	bool files, no_trunc;
};

static const struct opt tree_opts[] = {
	OPT(struct tree_args, files, "files", 0, NULL, "with every file of every layer"),
	OPT(struct tree_args, no_trunc, "no-trunc", 0, NULL, "whole commands"),
	{ 0 },
};

#define COMMAND_WIDTH 60

static const char *size_text(int64_t bytes, char ret[NUMBER_SIZE_LEN])
{
	number_format_size((uint64_t)bytes, ret);
	return ret;
}

/* What comes from the image is cleaned: a name may hold an escape sequence. */
static void put_clean(const char *text, size_t max)
{
	for (size_t i = 0; i < max && text[i]; i++)
		(void)putchar((unsigned char)text[i] < ' ' || text[i] == 0x7f ? '?' : text[i]);
}

static void print_line(void *data, const char *text)
{
	(void)data;
	(void)printf("     ");
	put_clean(text, SIZE_MAX);
	(void)putchar('\n');
}

static void print_names(const char *word, const struct strv *names)
{
	for (size_t i = 0; i < names->n; i++)
		(void)printf("%s%s", i ? ", " : word, names->items[i]);
}

static void print_layer(const struct tree_layer *l, size_t number, const struct tree_args *args)
{
	char size[NUMBER_SIZE_LEN], hidden[NUMBER_SIZE_LEN];

	(void)printf("%3zu  %9s  ", number, size_text(l->size, size));
	if (l->hidden)
		(void)printf("(%s of it hidden)  ", size_text(l->hidden, hidden));
	put_clean(l->made_by ? l->made_by : "", args->no_trunc ? SIZE_MAX : COMMAND_WIDTH);
	print_names("  = ", &l->bases);
	print_names("  also in ", &l->sharers);
	(void)putchar('\n');
}

static void print_familiar(const struct strv *names)
{
	char familiar[REFERENCE_MAX];

	for (size_t i = 0; i < names->n; i++) {
		reference_familiar(names->items[i], familiar);
		(void)printf("%s%s", i ? ", " : "  ", familiar);
	}
}

static void print_head(const struct image *image, const struct tree *t)
{
	char size[NUMBER_SIZE_LEN], hidden[NUMBER_SIZE_LEN];
	const char *sep = "";

	(void)printf("image         %.12s", image->id);
	print_familiar(&image->names);
	(void)printf("\nsize          %s in %zu layer%s", size_text(t->size, size), t->n,
		     t->n == 1 ? "" : "s");
	(void)printf(t->hidden ? ", %s of it wasted: hidden by later layers\n"
			       : ", nothing wasted\n",
		     size_text(t->hidden, hidden));
	(void)printf("distribution  %s\n", t->distribution);
	(void)printf("built on      ");
	for (size_t i = t->n; i > 0; i--) {
		if (t->layers[i - 1].bases.n == 0)
			continue;
		print_names(sep, &t->layers[i - 1].bases);
		sep = ", on ";
	}
	(void)printf("%s\n\nlayer     size  made by\n", *sep ? "" : "nothing that is here");
}

static int print_tree(struct engine *engine, const struct image *image,
		      const struct tree_args *args, struct error *err)
{
	cleanup(tree_done) struct tree t = { .n = 0 };
	char size[NUMBER_SIZE_LEN];
	int r = tree_read(engine_db(engine), engine_root(engine), engine_root_fd(engine), image, &t,
			  err);

	if (r < 0)
		return r;
	print_head(image, &t);
	for (size_t i = 0; r == 0 && i < t.n; i++) {
		print_layer(&t.layers[i], i + 1, args);
		if (args->files)
			r = tree_list(engine_root(engine), t.layers[i].chain, print_line, NULL,
				      err);
	}
	if (t.nworst)
		(void)printf("\nwasted        by what layer\n");
	for (size_t i = 0; i < t.nworst; i++) {
		(void)printf("%9s     %zu  /", size_text(t.worst[i].size, size),
			     t.worst[i].layer + 1);
		put_clean(t.worst[i].path, SIZE_MAX);
		(void)putchar('\n');
	}
	return r;
}

/* One path: which layer brought it, and what became of it. */
static int print_trace(struct engine *engine, const struct image *image, const struct tree *t,
		       const char *path, struct error *err)
{
	static const char *const words[] = { [TREE_NOTHING] = "",
					     [TREE_BROUGHT] = "brought it",
					     [TREE_CHANGED] = "replaced it",
					     [TREE_REMOVED] = "removed it" };
	autofree enum tree_change *changes = xcalloc(t->n + 1, sizeof(*changes));
	autofree char *real = NULL;
	int r = tree_trace(engine_root(engine), image, path, changes, &real, err);

	if (r < 0)
		return r;
	(void)printf("/%s\n", real);
	for (size_t i = 0; i < t->n; i++) {
		const struct tree_layer *l = &t->layers[i];

		if (changes[i] == TREE_NOTHING)
			continue;
		(void)printf("%3zu  %-12s", i + 1, words[changes[i]]);
		put_clean(l->made_by ? l->made_by : "", SIZE_MAX);
		print_names("  = ", &l->bases);
		(void)putchar('\n');
	}
	return 0;
}

static int tree_run(struct engine *engine, const void *data, int argc, char **argv,
		    struct error *err)
{
	cleanup(image_cleanup) struct image *image = NULL;
	cleanup(tree_done) struct tree t = { .n = 0 };
	int r = image_find(engine_db(engine), engine_root_fd(engine), argv[0], &image, err);

	if (r < 0)
		return r;
	if (argc == 1)
		return print_tree(engine, image, data, err);
	r = tree_read(engine_db(engine), engine_root(engine), engine_root_fd(engine), image, &t,
		      err);
	for (int i = 1; r == 0 && i < argc; i++)
		r = print_trace(engine, image, &t, argv[i], err);
	return r;
}

const struct cmd cmd_image_tree = {
	.name = "tree",
	.operands = "IMAGE [FILE...]",
	.help = "Look into an image layer by layer",
	.details =
		"Shows what each layer brought and how it was made, which other images have it (also in) or end\n"
		"with it (=), how many bytes later layers hide, and which distribution is inside. With FILE:\n"
		"which layer brought it, which replaced or removed it.",
	.opts = tree_opts,
	.args_size = sizeof(struct tree_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.run = tree_run,
};
