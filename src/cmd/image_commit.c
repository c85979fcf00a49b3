/* src/cmd/image_commit.c - strake-image commit, import and take */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "cmd/cmd.h"
#include "cmd/image_options.h"
#include "engine/container.h"
#include "engine/container_files.h"
#include "engine/engine.h"
#include "engine/settings.h"
#include "image/changes.h"
#include "image/commit.h"
#include "image/load.h"
#include "image/reference.h"
#include "kernel/overlay.h"

#define COMMAND_MAX 4096 /* of a command in an image's history */

/* What both have in common. */
static int make(struct engine *engine, struct commit_request *req, const char *name,
		struct error *err)
{
	char canonical[REFERENCE_MAX], id[ID_LEN + 1];
	int64_t epoch = -1;
	int r = name ? reference_canonical(name, canonical, err) : 0;

	if (r == 0 && name && strchr(canonical, '@'))
		r = error_set(err, -EINVAL, "'%s': a digest is no name to give", name);
	if (r == 0)
		r = source_date_epoch(&epoch, err);
	if (r < 0)
		return r;
	if (epoch >= 0)
		req->newest_s = epoch;
	req->root = engine_root(engine);
	req->root_fd = engine_root_fd(engine);
	req->name = name ? canonical : NULL;
	r = image_commit(engine_db(engine), req, id, err);
	if (r == 0)
		(void)puts(id);
	return r;
}

/* commit */

static void release(void *data)
{
	container_release(data);
}

/* Without an image below, all that the container sees is the layer. */
static int open_changes(const struct container *c, const struct container_files *files,
			struct changes_request *req, int *ret_fd, struct error *err)
{
	struct strv layers = { 0 };
	int r = 0;

	req->mount_points = &files->mount_points;
	if (c->image_id) {
		req->lower = &files->lower;
		*ret_fd = open(files->upper, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		return *ret_fd < 0 ? error_sys(err, -errno, "open %s", files->upper) : 0;
	}
	strv_add(&layers, files->upper);
	strv_extend(&layers, files->lower.items, files->lower.n);
	r = overlay_view(&layers, c->name, ret_fd, err);
	strv_done(&layers);
	return r;
}

static char *command_text(const struct container *c)
{
	struct buf text = BUF_INIT(COMMAND_MAX);

	for (size_t i = 0; i < c->command.n; i++) {
		buf_add_str(&text, i ? " " : "");
		buf_add_shell(&text, c->command.items[i]);
	}
	return buf_steal(&text);
}

static void narrate(struct engine *engine, const struct container *c,
		    const struct container_files *files, bool pause, const char *name)
{
	const char *root = engine_root(engine);

	if (pause)
		(void)explain_note("%s is held by its cgroup.freeze while it is read, if it runs",
				   c->name);
	(void)explain("what it changed becomes a layer; what it deleted is .wh.NAME there",
		      "tar -cC %s . | tar -xC %s/tmp/layer", sq(files->upper), sq(root));
	(void)explain("whole and on the disk: its name is the digest of all up to it",
		      "sync -f %s/tmp/layer && mv %s/tmp/layer %s/layers/CHAIN", sq(root), sq(root),
		      sq(root));
	(void)explain_note("the image's configuration with that layer, under its digest in "
			   "%s/blobs/sha256",
			   root);
	(void)explain_note("one transaction in state.db: the image, its layers%s%s",
			   name ? ", its name " : "", name ? name : "");
}

static int commit_run(struct engine *engine, const void *data, int argc, char **argv,
		      struct error *err)
{
	const struct commit_args *args = data;
	cleanup(container_cleanup) struct container *c = NULL;
	cleanup(container_files_done) struct container_files files = { .upper = NULL };
	cleanup(container_release) struct container_hold hold = { .until = -1 };
	struct changes_request changes = { .fd = -1, .is_new = true };
	struct strv settings = { 0 };
	struct commit_request req = {
		.changes = &changes,
		.archive = -1,
		.newest_s = -1,
		.author = args->author,
		.message = args->message,
		.instructions = &settings,
		.read_done = release,
		.data = &hold,
	};
	bool pause = !args->pause || strcmp(args->pause, "true") == 0;
	autofree char *command = NULL;
	autoclose int fd = -1;
	int r = container_find(engine, argv[0], &c, err);

	if (r == 0 && !pause && strcmp(args->pause, "false") != 0)
		r = error_set(err, -EINVAL, "--pause is true or false, not '%s'", args->pause);
	if (r == 0)
		r = container_files_load(engine, c, &files, err);
	if (r == 0)
		r = open_changes(c, &files, &changes, &fd, err);
	if (r == 0 && pause)
		r = container_hold(engine, c, &hold, err);
	if (r == 0)
		r = settings_list(engine, c, &settings, err);
	/* What was asked for now comes last, and wins. */
	strv_extend(&settings, args->change.items, args->change.n);
	changes.fd = fd;
	if (r == 0) {
		command = command_text(c);
		req.created_by = command;
		req.base = c->image_id;
		narrate(engine, c, &files, pause, argc > 1 ? argv[1] : NULL);
		r = make(engine, &req, argc > 1 ? argv[1] : NULL, err);
	}
	strv_done(&settings);
	return r;
}

const struct cmd cmd_image_commit = {
	.name = "commit",
	.operands = "CONTAINER [NAME]",
	.help = "Make an image out of what a container changed",
	.opts = commit_opts,
	.args_size = sizeof(struct commit_args),
	.min_operands = 1,
	.max_operands = 2,
	.run = commit_run,
};

/* import */

static int open_path(const char *path, bool *ret_is_dir, struct error *err)
{
	bool input = strcmp(path, "-") == 0;
	int fd = input ? fcntl(STDIN_FILENO, F_DUPFD_CLOEXEC, 3) : open(path, O_RDONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return error_sys(err, -errno, "open %s", path);
	*ret_is_dir = fstat(fd, &st) == 0 && S_ISDIR(st.st_mode);
	if (input && isatty(fd)) {
		(void)close(fd);
		return error_set(err, -EINVAL, "standard input is a terminal; name an archive");
	}
	return fd;
}

/* newest_s: of the image, or -1. */
static int import_path(struct engine *engine, const struct import_args *args, const char *path,
		       const char *name, int64_t newest_s, struct error *err)
{
	bool is_dir = false;
	uint64_t left_out = 0;
	autofree char *what = xasprintf("strake import %s", path);
	autoclose int fd = open_path(path, &is_dir, err);
	struct changes_request changes = { .fd = fd, .is_new = true };
	struct commit_request req = {
		.changes = is_dir ? &changes : NULL,
		.archive = is_dir ? -1 : fd,
		.newest_s = newest_s,
		.created_by = what,
		.message = args->message,
		.platform = args->platform,
		.instructions = &args->change,
		.left_out = &left_out,
	};
	int r = fd < 0 ? fd : make(engine, &req, name, err);

	image_note_left_out("import", left_out);
	return r < 0 && fd >= 0 ? error_wrap(err, r, "import %s", path) : r;
}

static int import_run(struct engine *engine, const void *data, int argc, char **argv,
		      struct error *err)
{
	return import_path(engine, data, argv[0], argc > 1 ? argv[1] : NULL, -1, err);
}

const struct cmd cmd_image_import = {
	.name = "import",
	.operands = "FILE|DIR|- [NAME]",
	.help = "Make an image of one layer out of a tar archive or a directory",
	.opts = import_opts,
	.args_size = sizeof(struct import_args),
	.min_operands = 1,
	.max_operands = 2,
	.flags = CMD_MAKES,
	.run = import_run,
};

/* take: what 'run ARCHIVE' asks for; an archive of images, or of a root's files. */

static void print_id(void *data, const char *name, const char *id)
{
	(void)data;
	(void)name;
	(void)puts(id);
}

static int take_run(struct engine *engine, const void *data, int argc, char **argv,
		    struct error *err)
{
	const struct import_args none = { .message = NULL };
	const struct load_request req = {
		.path = argv[0],
		.root = engine_root(engine),
		.root_fd = engine_root_fd(engine),
		.report = print_id,
	};
	int r = image_load_archive(engine_db(engine), &req, err);

	(void)data;
	(void)argc;
	/* Without a time of its own: the same archive again is the same image. */
	return r == -ENOMSG ? import_path(engine, &none, argv[0], NULL, 0, err) : r;
}

const struct cmd cmd_image_take = {
	.name = "take",
	.operands = "ARCHIVE",
	.help = "Bring in an archive of images, or of the files of a root",
	.min_operands = 1,
	.max_operands = 1,
	.flags = CMD_MAKES,
	.run = take_run,
};
