/* src/disk/source.c */
#include "disk/source.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/json.h"
#include "engine/container.h"
#include "engine/settings.h"
#include "image/config_change.h"
#include "disk/filetree.h"
#include "disk/output.h"
#include "disk/place.h"
#include "disk/tree_dir.h"
#include "disk/tree_tar.h"
#include "engine/bare.h"
#include "engine/engine.h"
#include "engine/root.h"
#include "image/image.h"
#include "image/inflate.h"
#include "kernel/overlay.h"

DEFINE_CLEANUP(struct engine *, engine, engine_close);

static int keep_open(struct disk_source *s, const char *path, int flags, struct error *err)
{
	int fd = open(path, flags | O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return error_sys(err, -errno, "open %s", path);
	VEC_GROW(s->fds, s->nfds, s->room);
	s->fds[s->nfds++] = fd;
	return fd;
}

static int add_directory(struct disk_source *s, const char *path, struct error *err)
{
	int fd = keep_open(s, path, O_DIRECTORY, err);

	return fd < 0 ? fd : filetree_add_dir(s->tree, fd, err);
}

static int read_directory(struct disk_source *s, const char *path, struct error *err)
{
	int r;

	s->kind = SOURCE_DIRECTORY;
	strv_add(&s->dirs, path);
	r = add_directory(s, path, err);
	return r < 0 ? error_wrap(err, r, "%s", path) : 0;
}

/* images and containers */

static int read_document(int root_fd, const char *id, json_t **ret, struct error *err)
{
	autofree char *path = xasprintf("blobs/sha256/%s", id);

	return json_load_at(root_fd, path, ret, err);
}

static void keep_config(struct disk_source *s, const json_t *doc)
{
	autofree char *text =
		json_dumps(json_object_get(doc, "config"), JSON_COMPACT | JSON_SORT_KEYS);

	if (text && strlen(text) < PLACED_TEXT_MAX)
		s->config = steal_ptr(&text);
}

/* The lowest first: each is laid over what is there. */
static int add_layers(struct disk_source *s, struct error *err)
{
	int r = 0;

	for (size_t i = s->dirs.n; r == 0 && i > 0; i--)
		r = add_directory(s, s->dirs.items[i - 1], err);
	return r;
}

static int read_image(struct disk_source *s, struct engine *engine, const char *what,
		      struct error *err)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	int r = image_find(engine_db(engine), engine_root_fd(engine), what, &s->image, err);

	s->kind = SOURCE_IMAGE;
	if (r == 0)
		r = read_document(engine_root_fd(engine), s->image->id, &doc, err);
	if (r < 0)
		return r;
	keep_config(s, doc);
	image_lower_dirs(engine_root(engine), s->image, &s->dirs);
	return add_layers(s, err);
}

/* What its image says, changed by what it was told when it was made. */
static int read_settings(struct disk_source *s, struct engine *engine, const struct container *c,
			 struct error *err)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	struct strv settings = { 0 };
	int r = c->image_id ? read_document(engine_root_fd(engine), c->image_id, &doc, err) : 0;
	json_t *config;

	if (r < 0)
		return r;
	if (!doc)
		doc = json_object();
	config = json_object_get(doc, "config");
	if (!json_is_object(config)) {
		(void)json_object_set_new(doc, "config", json_object());
		config = json_object_get(doc, "config");
	}
	r = settings_list(engine, c, &settings, err);
	for (size_t i = 0; r == 0 && i < settings.n; i++)
		r = config_change(config, settings.items[i], err);
	strv_done(&settings);
	if (r < 0)
		return r;
	keep_config(s, doc);
	s->image = xnew(struct image);
	return image_config_parse(doc, &s->image->config, err);
}

/* What is there only because something was mounted on it, and empty.  kept: what the layers below
 * the container's own have.
 */
static void drop_mount_points(struct disk_source *s, const struct strv *points,
			      const struct filetree *below)
{
	for (size_t i = points->n; i > 0; i--) {
		const char *path = points->items[i - 1], *slash = strrchr(path, '/');
		autofree char *above = xstrndup(path, slash ? (size_t)(slash - path) : 0);
		const char *name = slash ? slash + 1 : path;
		struct file *dir = filetree_resolve(s->tree, above, NULL);
		const struct file *f = dir && S_ISDIR(dir->mode) ? dir_find(dir, name) : NULL;

		if (!f || filetree_resolve(below, path, NULL) ||
		    (S_ISDIR(f->mode) ? f->nnames != 0 : !S_ISREG(f->mode) || f->content.size != 0))
			continue;
		strv_take(&s->dropped, filetree_place(s->tree, path));
		dir_drop(dir, name);
	}
}

static int read_container(struct disk_source *s, struct engine *engine, const struct container *c,
			  struct error *err)
{
	cleanup(container_files_done) struct container_files files = { .upper = NULL };
	cleanup(filetree_cleanup) struct filetree *below = filetree_new();
	int r = container_files_load(engine, c, &files, err);

	s->kind = SOURCE_CONTAINER;
	if (r == 0)
		r = read_settings(s, engine, c, err);
	if (r < 0)
		return r;
	if (!explain_note("%s is held by its cgroup.freeze while it is read, if it runs", c->name))
		r = container_hold(engine, c, &s->hold, err);
	strv_add(&s->dirs, files.upper);
	strv_extend(&s->dirs, files.lower.items, files.lower.n);
	for (size_t i = files.lower.n; r == 0 && i > 0; i--) {
		int fd = keep_open(s, files.lower.items[i - 1], O_DIRECTORY, err);

		r = fd < 0 ? fd : filetree_add_dir(below, fd, err);
	}
	if (r == 0)
		r = add_layers(s, err);
	if (r == 0)
		drop_mount_points(s, &files.mount_points, below);
	return r;
}

/* An image's name comes first. */
static int read_named(struct disk_source *s, const struct source_request *req, struct error *err)
{
	static const char prefix[] = "container:";
	const struct engine_options options = { .root = req->root,
						.run_root = req->run_root,
						.looks = true };
	cleanup(engine_cleanup) struct engine *engine = NULL;
	cleanup(container_cleanup) struct container *c = NULL;
	int r = engine_open(&options, &engine, err);

	if (r < 0)
		return r;
	if (strncmp(req->what, prefix, strlen(prefix)) == 0) {
		r = container_find(engine, req->what + strlen(prefix), &c, err);
		return r < 0 ? r : read_container(s, engine, c, err);
	}
	r = read_image(s, engine, req->what, err);
	if (r != -ENOENT || s->image)
		return r;
	return container_find(engine, req->what, &c, NULL) < 0 ? r
							       : read_container(s, engine, c, err);
}

/* What "docker save" writes is a tar archive, too, but of an image and not of files. */
static int refuse_image_archive(const struct disk_source *s, const char *path, struct error *err)
{
	const struct file *root = s->tree->root;

	if (dir_find(root, "etc") || dir_find(root, "usr") ||
	    !(dir_find(root, "manifest.json") || dir_find(root, "oci-layout")))
		return 0;
	return error_set(err, -EINVAL,
			 "%s is an archive of an image: 'strake load -i %s', then name the image",
			 path, path);
}

/* By what packings and all tars of this century begin with. */
static bool is_archive(int fd)
{
	static const char magic[] = "ustar";
	char head[512] = "";
	ssize_t n = pread(fd, head, sizeof(head), 0);

	return n < 0 || packing_detect(head, (size_t)n) != PACKING_NONE ||
	       memcmp(head + 257, magic, strlen(magic)) == 0;
}

static int read_archive(struct disk_source *s, const struct source_request *req, struct error *err)
{
	int fd = keep_open(s, req->what, 0, err), spool = -1, r;

	if (fd < 0)
		return fd;
	s->kind = SOURCE_ARCHIVE;
	r = output_spool(req->out, &spool, err);
	if (r < 0)
		return r;
	VEC_GROW(s->fds, s->nfds, s->room);
	s->fds[s->nfds++] = spool;
	r = filetree_add_tar(s->tree, fd, spool, req->what, err);
	if (r == -EBADMSG && !is_archive(fd))
		return error_set(err, r,
				 "%s is no directory, no executable and no tar archive (plain, "
				 "gzip or zstd)",
				 req->what);
	return r < 0 ? r : refuse_image_archive(s, req->what, err);
}

static int read_program(struct disk_source *s, const struct source_request *req, struct error *err)
{
	struct bare bare = { 0 };
	int r = bare_plan(req->what, true, &bare, err), fd;
	struct file *file;
	struct stat st;

	if (r < 0)
		return r;
	if (bare.from.n) {
		bare_done(&bare);
		return error_set(err, -ENOEXEC,
				 "%s is dynamic: link it with -static, or make an image of it and "
				 "its libraries with 'strake image pack --with-libs' and name that",
				 req->what);
	}
	s->kind = SOURCE_PROGRAM;
	s->program = xstrdup(bare.inside);
	fd = keep_open(s, "/", O_DIRECTORY, err);
	if (fd >= 0 && fstatat(fd, bare.host_path + 1, &st, 0) < 0)
		r = error_sys(err, -errno, "%s", req->what);
	if (fd >= 0 && r == 0) {
		file = filetree_add(s->tree, S_IFREG | 0755);
		file->mtime = st.st_mtim;
		file->content = content_of_path(fd, bare.host_path + 1, &st);
		dir_put(s->tree->root, bare.inside + 1, file);
		s->tree->root->mtime.tv_sec = req->now_s;
	}
	bare_done(&bare);
	return fd < 0 ? fd : r;
}

/* By the first bytes. */
static bool is_elf(const char *path)
{
	autoclose int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	char magic[4] = "";

	return fd >= 0 && pread(fd, magic, sizeof(magic), 0) == sizeof(magic) &&
	       memcmp(magic, "\177ELF", sizeof(magic)) == 0;
}

static int read_path(struct disk_source *s, const struct source_request *req, struct error *err)
{
	struct stat st;

	if (stat(req->what, &st) < 0)
		return error_sys(err, -errno, "%s", req->what);
	if (S_ISDIR(st.st_mode))
		return read_directory(s, req->what, err);
	if (!S_ISREG(st.st_mode) && !S_ISFIFO(st.st_mode))
		return error_set(
			err, -EINVAL,
			"%s is no directory, archive or executable, but a device or socket",
			req->what);
	return is_elf(req->what) ? read_program(s, req, err) : read_archive(s, req, err);
}

/* A script's $tree is its own, except where the directory is only read. */
static void explain_tree(const struct disk_source *s, const char *what)
{
	autofree char *lower = overlay_join(&s->dirs);

	switch (s->kind) {
	case SOURCE_DIRECTORY:
		(void)explain("what is in it", "tree=%s", sq(what));
		break;
	case SOURCE_IMAGE:
	case SOURCE_CONTAINER:
		(void)explain(
			"the layers as one tree",
			"tree=$work/tree; mkdir \"$tree\" \"$work/lower\"; unshare -m sh -c "
			"'mount -t overlay -o ro,lowerdir=\"$1:$2/lower\" overlay \"$2/lower\" && "
			"cp -a \"$2/lower/.\" \"$2/tree\"' sh %s \"$work\"",
			sq(lower));
		for (size_t i = 0; i < s->dropped.n; i++)
			(void)explain("there for a mount only", "rm -df \"$tree\"/%s",
				      sq(s->dropped.items[i]));
		break;
	case SOURCE_ARCHIVE:
		(void)explain("what is in it",
			      "tree=$work/tree; mkdir \"$tree\"; tar -C \"$tree\" --xattrs "
			      "--xattrs-include='*' --numeric-owner -xpf %s",
			      sq(what));
		break;
	case SOURCE_PROGRAM:
		(void)explain("one file, and nothing else",
			      "tree=$work/tree; mkdir \"$tree\"; install -m 755 %s \"$tree\"/%s",
			      sq(what), sq(s->program + 1));
		break;
	}
}

int source_read(const struct source_request *req, struct disk_source *ret, struct error *err)
{
	struct disk_source s = { .tree = filetree_new(), .hold = { .until = -1 } };
	int r = root_is_path(req->what) ? read_path(&s, req, err) : read_named(&s, req, err);

	if (r == 0)
		explain_tree(&s, req->what);
	if (r < 0) {
		disk_source_done(&s);
		return r;
	}
	*ret = s;
	return 0;
}

void disk_source_done(struct disk_source *s)
{
	filetree_free(s->tree);
	image_free(s->image);
	free(s->program);
	free(s->config);
	strv_done(&s->dirs);
	strv_done(&s->dropped);
	if (s->hold.child > 0)
		container_release(&s->hold);
	for (size_t i = 0; i < s->nfds; i++)
		(void)close(s->fds[i]);
	free(s->fds);
	*s = (struct disk_source) { .hold = { .until = -1 } };
}
