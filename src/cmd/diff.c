/* src/cmd/diff.c - strake diff */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/text.h"
#include "cmd/cmd.h"
#include "engine/container.h"
#include "engine/container_files.h"
#include "engine/engine.h"
#include "image/changes.h"
#include "image/image.h"

struct diff_args {
	const char *format;
};

static const struct opt diff_opts[] = {
	OPT(struct diff_args, format, "format", 0, "FORMAT", "table (default) or json"),
	{ 0 },
};

static const struct {
	const char *letter, *word;
} kinds[] = {
	[CHANGE_ADDED] = { "A", "added" },
	[CHANGE_CHANGED] = { "C", "changed" },
	[CHANGE_DELETED] = { "D", "deleted" },
};

struct printer {
	json_t *lists; /* by word; NULL: lines */
};

/* The names are the container's: one could be a command to the terminal, or look like two. */
static void print_line(const char *letter, char *path)
{
	text_clean(path);
	(void)printf("%s %s\n", letter, path);
}

static int print(void *data, const struct change *item, struct error *err)
{
	const struct printer *p = data;
	autofree char *path = xasprintf("/%s", item->path);

	(void)err;
	if (!*item->path)
		return 0;
	if (p->lists)
		(void)json_array_append_new(json_object_get(p->lists, kinds[item->kind].word),
					    json_string(path));
	else
		print_line(kinds[item->kind].letter, path);
	return 0;
}

static int show(const char *dir, struct changes_request *req, const struct diff_args *args,
		struct error *err)
{
	cleanup(json_cleanup) json_t *lists = NULL;
	autoclose int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct printer p = { .lists = NULL };
	int r;

	if (fd < 0)
		return error_sys(err, -errno, "open %s", dir);
	if (args->format && strcmp(args->format, "json") == 0)
		p.lists = lists = json_pack("{s:[], s:[], s:[]}", "changed", "added", "deleted");
	req->fd = fd;
	req->visit = print;
	req->data = &p; /* cppcheck-suppress autoVariables ; taken back below */
	r = changes_walk(req, err);
	req->data = NULL;
	if (r == 0 && lists) {
		(void)json_dumpf(lists, stdout, JSON_INDENT(2));
		(void)putchar('\n');
	}
	return r;
}

/* The uppermost layer of an image. */
static int show_image(struct engine *engine, const char *what, const struct diff_args *args,
		      struct error *err)
{
	cleanup(image_cleanup) struct image *image = NULL;
	struct changes_request req = { .fd = -1 };
	struct strv dirs = { 0 }, lower = { 0 };
	int r = image_find(engine_db(engine), engine_root_fd(engine), what, &image, err);

	if (r < 0)
		return r;
	image_lower_dirs(engine_root(engine), image, &dirs);
	if (dirs.n > 1)
		strv_extend(&lower, dirs.items + 1, dirs.n - 1);
	req.lower = dirs.n > 1 ? &lower : NULL;
	r = dirs.n ? show(dirs.items[0], &req, args, err) : 0;
	strv_done(&dirs);
	strv_done(&lower);
	return r;
}

static int diff_run(struct engine *engine, const void *data, int argc, char **argv,
		    struct error *err)
{
	const struct diff_args *args = data;
	cleanup(container_cleanup) struct container *c = NULL;
	cleanup(container_files_done) struct container_files files = { .upper = NULL };
	struct changes_request req = { .fd = -1 };
	struct error not_found = { 0 };
	int r = container_find(engine, argv[0], &c, &not_found);

	(void)argc;
	if (args->format && strcmp(args->format, "json") != 0 && strcmp(args->format, "table") != 0)
		return error_set(err, -EINVAL, "--format is table or json, not '%s'", args->format);
	if (r == -ENOENT) {
		r = show_image(engine, argv[0], args, err);
		return r == -ENOENT ? error_set(err, r, "no container and no image '%s'", argv[0])
				    : r;
	}
	if (r < 0) {
		*err = not_found;
		return r;
	}
	r = container_files_load(engine, c, &files, err);
	req.lower = &files.lower;
	req.mount_points = &files.mount_points;
	return r < 0 ? r : show(files.upper, &req, args, err);
}

const struct cmd cmd_diff = {
	.name = "diff",
	.operands = "CONTAINER|IMAGE",
	.help = "List what a container changed, or what an image's uppermost layer brings",
	.details = "A path is A added, C changed or D deleted.",
	.opts = diff_opts,
	.args_size = sizeof(struct diff_args),
	.min_operands = 1,
	.max_operands = 1,
	.run = diff_run,
};
