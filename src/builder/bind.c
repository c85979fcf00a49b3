/* src/builder/bind.c */
#include "builder/bind.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/walk.h"
#include "builder/draft.h"
#include "builder/listing.h"
#include "image/lower.h"
#include "kernel/overlay.h"

#define UPPER "upper"
#define WORK  "work"

/* The path of what is open, as the host sees it. */
static char *path_of(int fd)
{
	autofree char *link = xasprintf("/proc/self/fd/%d", fd);
	char *path = xcalloc(1, PATH_MAX);

	if (readlink(link, path, PATH_MAX - 1) <= 0 || *path != '/') {
		free(path);
		return NULL;
	}
	return path;
}

/* layers */

/* The directory at path in one layer, if it has it.  true: what is below it is hidden. */
static bool add_layer(const char *layer, const char *path, struct strv *ret)
{
	autoclose int at = open(layer, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autofree char *copy = xstrdup(path);
	char *rest = copy, *name;
	bool hides = false;

	while (at >= 0 && *copy && (name = strsep(&rest, "/"))) {
		struct stat st;
		int next;

		if (fstatat(at, name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return hides;
		if (!S_ISDIR(st.st_mode))
			return true;
		next = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (next < 0)
			return hides;
		hides |= is_opaque(next);
		(void)close(at);
		at = next;
	}
	strv_addf(ret, "%s%s%s", layer, *path ? "/" : "", path);
	return hides;
}

/* The path without links, as the layers together have it. */
static int plain_path(const struct bind *b, char **ret, struct error *err)
{
	cleanup(draft_done) struct draft tree = { .fd = -1, .here_fd = -1 };

	draft_init(&tree, -1, b->layers);
	return draft_resolve(&tree, b->item->path, true, ret, err);
}

static int find_lower(const struct bind *b, struct strv *ret, struct error *err)
{
	autofree char *path = NULL;
	bool hides = false;
	int r;

	if (b->layers->n == 0) {
		path = path_of(b->item->dir);
		if (!path)
			return 1;
		strv_add(ret, path);
		return 0;
	}
	r = plain_path(b, &path, err);
	for (size_t i = 0; r == 0 && !hides && i < b->layers->n; i++)
		hides = add_layer(b->layers->items[i], path, ret);
	return r == 0 && ret->n == 0 ? 1 : r;
}

/* what is ignored */

struct hiding {
	const struct listing_item *item;
	size_t next; /* entry that the walk has not met yet; both have the same order */
	struct draft *mask;
	bool any;
};

static int hide(struct hiding *h, const char *path, struct error *err)
{
	const char *slash = strrchr(path, '/');
	autofree char *parent = xstrndup(path, slash ? (size_t)(slash - path) : 0);
	int r = draft_make_dir(h->mask, parent, 0, 0, NULL, err);

	if (r == 0 && mknodat(h->mask->fd, path, S_IFCHR, makedev(0, 0)) < 0)
		r = error_sys(err, -errno, "hide %s", path);
	h->any = true;
	return r;
}

static int visit(void *data, const struct walk_entry *e, struct error *err)
{
	struct hiding *h = data;
	int r;

	if (h->next < h->item->n && strcmp(h->item->entries[h->next].path, e->path) == 0) {
		h->next++;
		return 0;
	}
	if (!*e->path)
		return 0;
	r = hide(h, e->path, err);
	return r == 0 && S_ISDIR(e->st.st_mode) ? WALK_SKIP : r;
}

/* 1: nothing has to be hidden. */
static int hide_ignored(const struct bind *b, const struct strv *lower, int upper,
			struct error *err)
{
	cleanup(draft_done) struct draft mask = { .fd = -1, .here_fd = -1 };
	struct hiding h = { .item = b->item, .mask = &mask };
	int r;

	draft_init(&mask, upper, lower);
	r = walk_tree(b->item->dir, visit, NULL, &h, err);
	if (r == 0)
		r = draft_finish(&mask, err);
	return r == 0 && !h.any ? 1 : r;
}

/* mounts */

static json_t *mount_of(const struct bind *b, const char *type, const char *source, json_t *options)
{
	(void)json_array_append_new(options, json_string(b->read_only ? "ro" : "rw"));
	return json_pack("{s:s, s:s, s:s, s:o}", "destination", b->target, "type", type, "source",
			 source, "options", options);
}

static void add_option(json_t *options, const char *name, char *value)
{
	autofree char *text = xasprintf("%s=%s", name, value);

	free(value);
	(void)json_array_append_new(options, json_string(text));
}

/* Some file systems can be no layer of an overlay: network ones, an overlay of overlays. */
static bool can_be(const struct strv *lower, const char *upper)
{
	struct strv all = { 0 };
	int fd = -1, r;

	strv_add(&all, upper);
	strv_extend(&all, lower->items, lower->n);
	r = overlay_view(&all, "a bind mount", &fd, NULL);
	strv_done(&all);
	if (fd >= 0)
		(void)close(fd);
	return r == 0;
}

static json_t *overlay_of(const struct bind *b, const struct strv *lower, const char *upper,
			  const char *work)
{
	json_t *options = json_array();
	struct strv all = { 0 };

	if (b->read_only)
		strv_add(&all, upper);
	strv_extend(&all, lower->items, lower->n);
	add_option(options, "lowerdir", overlay_join(&all));
	if (!b->read_only) {
		add_option(options, "upperdir", overlay_escape(upper));
		add_option(options, "workdir", overlay_escape(work));
	}
	strv_done(&all);
	return mount_of(b, "overlay", "overlay", options);
}

/* The upper directory is the root of what is seen, so it looks like the one below. */
static int look_like(int upper, int below)
{
	struct stat st;

	if (fstat(below, &st) < 0 || fchown(upper, st.st_uid, st.st_gid) < 0 ||
	    fchmod(upper, st.st_mode & 07777) < 0)
		return -errno;
	return 0;
}

static int make_dir(const struct bind *b, json_t **ret, struct error *err)
{
	autoclose int upper = -1, work = -1;
	autofree char *upper_path = NULL, *work_path = NULL;
	struct strv lower = { 0 };
	int hidden = 1, r = find_lower(b, &lower, err);

	if (r == 0)
		r = dir_ensure_at(b->work, UPPER, 0755, &upper, err);
	if (r == 0)
		r = dir_ensure_at(b->work, WORK, 0700, &work, err);
	if (r == 0) {
		upper_path = path_of(upper);
		work_path = path_of(work);
		r = upper_path && work_path ? look_like(upper, b->item->dir) : 1;
	}
	if (r == 0 && b->layers->n == 0) {
		hidden = hide_ignored(b, &lower, upper, err);
		r = MIN(hidden, 0);
	}
	if (r == 0 && b->read_only && hidden > 0 && lower.n == 1)
		*ret = mount_of(b, "bind", lower.items[0], json_pack("[s]", "bind"));
	else if (r == 0 && can_be(&lower, upper_path))
		*ret = overlay_of(b, &lower, upper_path, work_path);
	else if (r == 0)
		r = 1;
	strv_done(&lower);
	return r;
}

/* One that may be written to is a copy: it is only one. */
static int make_file(const struct bind *b, json_t **ret, struct error *err)
{
	const struct listing_entry *e = &b->item->entries[0];
	autofree char *path = NULL, *plain = NULL;
	autoclose int fd = -1;
	struct stat st;
	int r = 0;

	if (!b->read_only || !S_ISREG(e->st.st_mode))
		return 1;
	if (b->layers->n == 0) {
		fd = openat(b->item->dir, e->path, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	} else {
		r = plain_path(b, &plain, err);
		if (r == 0 && lower_open(b->layers, plain, &fd, &st) < 0)
			return 1;
	}
	path = fd >= 0 ? path_of(fd) : NULL;
	if (r < 0 || !path)
		return r < 0 ? r : 1;
	*ret = mount_of(b, "bind", path, json_pack("[s]", "bind"));
	return 0;
}

int bind_make(const struct bind *b, json_t **ret, struct error *err)
{
	json_t *mount = NULL;
	int r = b->item->is_dir ? make_dir(b, &mount, err) : make_file(b, &mount, err);

	/* A path that is not UTF-8 has no place in a container's document. */
	if (r == 0 && !mount)
		return 1;
	if (r == 0)
		*ret = mount;
	return r;
}
