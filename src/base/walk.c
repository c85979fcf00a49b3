/* src/base/walk.c */
#include "base/walk.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/strv.h"

#define PATH_BYTES_MAX (WALK_DEPTH_MAX * 256U)

struct level {
	struct walk_entry e; /* the directory, as it was told; its path is path_len long */
	int fd;
	struct strv names;
	size_t next;
	size_t path_len;
	char *name;
};

struct walk {
	walk_fn fn, leave;
	void *data;
	struct error *err;
	char *path;
	struct level *levels;
	size_t depth;
};

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int walk_names(int fd, struct strv *ret)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *item;

	if (!dir) {
		int r = -errno;

		if (copy >= 0)
			(void)close(copy);
		return r;
	}
	while ((item = readdir(dir)))
		if (strcmp(item->d_name, ".") != 0 && strcmp(item->d_name, "..") != 0)
			strv_add(ret, item->d_name);
	(void)closedir(dir);
	if (ret->n)
		qsort(ret->items, ret->n, sizeof(*ret->items), by_name);
	return 0;
}

static int enter(struct walk *w, const struct walk_entry *e, size_t path_len)
{
	struct level *l = &w->levels[w->depth];
	int r;

	if (w->depth == WALK_DEPTH_MAX)
		return error_set(w->err, -ELOOP, "%s: more than %d directories deep", e->path,
				 WALK_DEPTH_MAX);
	*l = (struct level) { .e = *e, .path_len = path_len, .name = xstrdup(e->name) };
	l->fd = openat(e->dir, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	r = l->fd < 0 ? -errno : walk_names(l->fd, &l->names);
	if (r < 0) {
		if (l->fd >= 0)
			(void)close(l->fd);
		free(l->name);
		strv_done(&l->names);
		return r == -ENOENT ? 0 : error_sys(w->err, r, "read directory %s", e->path);
	}
	l->e.name = l->name;
	w->depth++;
	return 0;
}

static int leave(struct walk *w)
{
	struct level *l = &w->levels[--w->depth];
	int r = 0;

	w->path[l->path_len] = '\0';
	l->e.path = w->path;
	if (w->leave)
		r = w->leave(w->data, &l->e, w->err);
	(void)close(l->fd);
	free(l->name);
	strv_done(&l->names);
	return r;
}

static int visit(struct walk *w, struct level *l, const char *name)
{
	size_t len = l->path_len, name_len = strlen(name);
	struct walk_entry e = { .dir = l->fd, .name = name };
	int r;

	if (len + name_len + 2 > PATH_BYTES_MAX)
		return error_set(w->err, -ENAMETOOLONG, "%s: too long a path", w->path);
	if (len)
		w->path[len++] = '/';
	memcpy(w->path + len, name, name_len + 1);
	len += name_len;
	e.path = w->path;
	if (fstatat(l->fd, name, &e.st, AT_SYMLINK_NOFOLLOW) < 0)
		return errno == ENOENT ? 0 : error_sys(w->err, -errno, "look at %s", w->path);
	r = w->fn(w->data, &e, w->err);
	if (r == 0 && S_ISDIR(e.st.st_mode) && e.st.st_dev == w->levels[0].e.st.st_dev)
		r = enter(w, &e, len);
	return r < 0 ? r : 0;
}

static int walk_all(struct walk *w)
{
	int r = 0;

	while (r == 0 && w->depth > 0) {
		struct level *l = &w->levels[w->depth - 1];

		w->path[l->path_len] = '\0';
		r = l->next < l->names.n ? visit(w, l, l->names.items[l->next++]) : leave(w);
	}
	while (w->depth > 0) {
		w->leave = NULL;
		(void)leave(w);
	}
	return r;
}

int walk_tree(int dir, walk_fn fn, walk_fn leave_fn, void *data, struct error *err)
{
	struct walk w = { .fn = fn, .leave = leave_fn, .data = data, .err = err };
	struct walk_entry start = { .path = "", .dir = dir, .name = "." };
	int r;

	if (fstat(dir, &start.st) < 0)
		return error_sys(err, -errno, "look at a directory");
	r = fn(data, &start, err);
	if (r != 0)
		return r < 0 ? r : 0;
	w.path = xcalloc(1, PATH_BYTES_MAX + 1);
	w.levels = xcalloc(WALK_DEPTH_MAX + 1, sizeof(*w.levels));
	r = enter(&w, &start, 0);
	if (r == 0)
		r = walk_all(&w);
	free(w.path);
	free(w.levels);
	return r;
}
