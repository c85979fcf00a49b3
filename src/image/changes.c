/* src/image/changes.c */
#include "image/changes.h"

#include <assert.h>
#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "image/lower.h"

#define DEPTH_MAX 256 /* of a container's tree; a deeper one is refused aloud */

/* A directory that is being walked. */
struct level {
	struct level *up;
	int fd;
	char *path;
	char **names;
	size_t n, next;
	bool fresh; /* hides what is below, or nothing is */
};

struct walk {
	const struct changes_request *req;
	struct error *err;
	struct level *top;
	unsigned depth;
};

static int compare(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

static void level_free(struct level *level)
{
	if (!level)
		return;
	for (size_t i = 0; i < level->n; i++)
		free(level->names[i]);
	free(level->names);
	free(level->path);
	if (level->fd >= 0)
		(void)close(level->fd);
	free(level);
}
DEFINE_CLEANUP(struct level *, level, level_free);

static int level_read(struct level *level)
{
	int copy = openat(level->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;
	size_t room = 0;

	if (!dir) {
		int r = -errno;

		if (copy >= 0)
			(void)close(copy);
		return r;
	}
	while ((entry = readdir(dir))) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		VEC_GROW(level->names, level->n, room);
		level->names[level->n++] = xstrdup(entry->d_name);
	}
	(void)closedir(dir);
	if (level->n > 1)
		qsort(level->names, level->n, sizeof(*level->names), compare);
	return 0;
}

static int fail(const struct walk *w, const char *path, int r)
{
	return error_sys(w->err, r, "read /%.300s", path);
}

static int push(struct walk *w, int at, const char *name, char *path, bool fresh)
{
	cleanup(level_cleanup) struct level *level = xnew(struct level);
	int r;

	level->path = path;
	level->fresh = fresh;
	level->fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (level->fd < 0)
		return fail(w, path, -errno);
	if (++w->depth > DEPTH_MAX)
		return error_set(w->err, -ELOOP, "/%.300s...: more than %d directories deep", path,
				 DEPTH_MAX);
	r = level_read(level);
	if (r < 0)
		return fail(w, path, r);
	level->up = w->top;
	w->top = steal_ptr(&level);
	return 0;
}

/* Is something of that name below? */
static bool is_below(const struct walk *w, const char *path, struct stat *ret)
{
	autoclose int fd = -1;

	return w->req->lower && !w->top->fresh && lower_open(w->req->lower, path, &fd, ret) == 0;
}

static bool dir_is_empty(int at, const char *name)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	bool empty = dir != NULL;

	while (empty && (entry = readdir(dir)))
		empty = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
	if (dir)
		(void)closedir(dir);
	else if (fd >= 0)
		(void)close(fd);
	return empty;
}

/* Made for a mount, and nothing in it. */
static bool is_mount_point(const struct walk *w, const struct change *item)
{
	if (!w->req->mount_points || item->kind != CHANGE_ADDED ||
	    !strv_has(w->req->mount_points, item->path))
		return false;
	return S_ISDIR(item->st.st_mode) ? dir_is_empty(item->dir, item->name)
					 : S_ISREG(item->st.st_mode) && item->st.st_size == 0;
}

/* A directory that came up only because a mount point was made in it says nothing either. */
static bool is_only_for_mounts(const struct walk *w, const struct change *item,
			       const struct stat *below)
{
	struct level level = { .fd = openat(item->dir, item->name,
					    O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC) };
	bool only = level.fd >= 0 && w->req->mount_points && item->kind == CHANGE_CHANGED &&
		    !item->opaque && level_read(&level) == 0 && level.n > 0 &&
		    below->st_mode == item->st.st_mode && below->st_uid == item->st.st_uid &&
		    below->st_gid == item->st.st_gid;

	for (size_t i = 0; only && i < level.n; i++) {
		autofree char *path = xasprintf("%s/%s", item->path, level.names[i]);
		struct change inner = { .path = path, .dir = level.fd, .name = level.names[i] };
		struct stat st;
		autoclose int fd = -1;

		only = fstatat(level.fd, inner.name, &inner.st, AT_SYMLINK_NOFOLLOW) == 0 &&
		       lower_open(w->req->lower, path, &fd, &st) < 0 && is_mount_point(w, &inner);
	}
	for (size_t i = 0; i < level.n; i++)
		free(level.names[i]);
	free(level.names);
	if (level.fd >= 0)
		(void)close(level.fd);
	return only;
}

static bool hides(const struct change *item)
{
	autoclose int fd =
		openat(item->dir, item->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	return fd >= 0 && is_opaque(fd);
}

static int visit_name(struct walk *w, const char *name, bool deleted)
{
	const struct level *level = w->top;
	autofree char *path = *level->path ? xasprintf("%s/%s", level->path, name) : xstrdup(name);
	struct change item = { .path = path, .dir = level->fd, .name = name };
	struct stat below = { 0 };
	bool is_dir, fresh;
	int r;

	if (fstatat(level->fd, name, &item.st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : fail(w, path, -errno); /* gone while we look */
	if (is_whiteout(&item.st) != deleted || S_ISSOCK(item.st.st_mode))
		return 0;
	is_dir = S_ISDIR(item.st.st_mode);
	item.kind = is_below(w, path, &below) ? CHANGE_CHANGED : CHANGE_ADDED;
	if (deleted) {
		if (item.kind == CHANGE_ADDED)
			return 0; /* it hides nothing */
		item.kind = CHANGE_DELETED;
		return w->req->visit(w->req->data, &item, w->err);
	}
	item.opaque =
		is_dir && item.kind == CHANGE_CHANGED && S_ISDIR(below.st_mode) && hides(&item);
	if (is_mount_point(w, &item) || (is_dir && is_only_for_mounts(w, &item, &below)))
		return 0;
	r = w->req->visit(w->req->data, &item, w->err);
	if (r < 0 || !is_dir)
		return r;
	fresh = item.kind == CHANGE_ADDED || item.opaque || !S_ISDIR(below.st_mode);
	return push(w, level->fd, name, steal_ptr(&path), fresh);
}

/* What the directory removes, before what it has. */
static int visit_deleted(struct walk *w)
{
	const struct level *level = w->top;
	int r = 0;

	assert(level);
	for (size_t i = 0; r == 0 && w->req->lower && i < level->n; i++)
		r = visit_name(w, level->names[i], true);
	return r;
}

static int visit_root(struct walk *w)
{
	struct change item = { .path = "", .dir = w->req->fd, .name = "." };

	item.kind = w->req->lower ? CHANGE_CHANGED : CHANGE_ADDED;
	if (fstat(w->req->fd, &item.st) < 0)
		return fail(w, "", -errno);
	return w->req->visit(w->req->data, &item, w->err);
}

int changes_walk(const struct changes_request *req, struct error *err)
{
	struct walk w = { .req = req, .err = err };
	int r = visit_root(&w);

	if (r == 0)
		r = push(&w, req->fd, ".", xstrdup(""), !req->lower);
	if (r == 0)
		r = visit_deleted(&w);
	while (r == 0 && w.top) {
		struct level *level = w.top;

		if (level->next == level->n) {
			w.top = level->up;
			w.depth--;
			level_free(level);
			continue;
		}
		r = visit_name(&w, level->names[level->next++], false);
		if (r == 0 && w.top != level)
			r = visit_deleted(&w);
	}
	while (w.top) {
		struct level *level = w.top;

		w.top = level->up;
		level_free(level);
	}
	return r;
}
