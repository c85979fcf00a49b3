/* src/image/compare.c */
#include "image/compare.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/walk.h"
#include "kernel/rootdir.h"

#define XATTRS_BYTES_MAX 65536 /* the kernel's own limit for a list, and for a value */
#define PIECE            65536

struct comparing {
	int other;
	bool back; /* only what is too much is looked for */
	size_t max;
	int found;
	void (*report)(void *data, const char *text);
	void *data;
};

static int open_other(const struct comparing *c, const char *path, int flags)
{
	return rootdir_open_at(c->other, path, flags | O_NOFOLLOW,
			       RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS);
}

static void differ(struct comparing *c, const char *path, const char *what)
{
	autofree char *text = xasprintf("/%s: %s", path, what);

	if ((size_t)c->found++ < c->max)
		c->report(c->data, text);
}

/* Neither end stands in a tree that anybody else writes to. */
static bool same_content(int a, int b)
{
	autofree char *x = xmalloc(PIECE), *y = xmalloc(PIECE);

	while (true) {
		ssize_t n = read(a, x, PIECE), m = 0;

		if (n < 0)
			return false;
		while (m < n) {
			ssize_t got = read(b, y + m, (size_t)(n - m));

			if (got <= 0)
				return false;
			m += got;
		}
		if (n == 0)
			return read(b, y, 1) == 0;
		if (memcmp(x, y, (size_t)n) != 0)
			return false;
	}
}

static bool same_xattr(const char *a, const char *b, const char *name)
{
	autofree char *x = xmalloc(XATTRS_BYTES_MAX), *y = xmalloc(XATTRS_BYTES_MAX);
	ssize_t n = getxattr(a, name, x, XATTRS_BYTES_MAX);
	ssize_t m = getxattr(b, name, y, XATTRS_BYTES_MAX);

	return n >= 0 && n == m && memcmp(x, y, (size_t)n) == 0;
}

/* What a security module of this machine gave a file is no part of the layer. */
static bool counts(const char *name)
{
	return strcmp(name, "security.selinux") != 0;
}

static size_t number_of(const char *names, ssize_t len)
{
	size_t n = 0;

	for (const char *p = names; p < names + len; p += strlen(p) + 1)
		n += counts(p);
	return n;
}

static bool same_xattrs(const char *a, const char *b)
{
	autofree char *x = xcalloc(XATTRS_BYTES_MAX + 1, 1), *y = xcalloc(XATTRS_BYTES_MAX + 1, 1);
	ssize_t n = listxattr(a, x, XATTRS_BYTES_MAX), m = listxattr(b, y, XATTRS_BYTES_MAX);

	if (n < 0 || m < 0)
		return n == m;
	if (number_of(x, n) != number_of(y, m))
		return false;
	for (const char *p = x; p < x + n; p += strlen(p) + 1)
		if (counts(p) && !same_xattr(a, b, p))
			return false;
	return true;
}

static bool same_link(const struct walk_entry *e, int other)
{
	char x[PATH_MAX], y[PATH_MAX];
	ssize_t n = readlinkat(e->dir, e->name, x, sizeof(x)),
		m = readlinkat(other, "", y, sizeof(y));

	return n >= 0 && n == m && memcmp(x, y, (size_t)n) == 0;
}

/* A whiteout has none in the archive, and the root only if it has an entry. */
static bool has_time(const struct walk_entry *e)
{
	return e->path[0] && !(S_ISCHR(e->st.st_mode) && e->st.st_rdev == 0);
}

static const char *difference(const struct comparing *c, const struct walk_entry *e, int fd,
			      const struct stat *st)
{
	char mine[PATH_MAX + 32], theirs[32];
	bool is_link = S_ISLNK(e->st.st_mode);

	if ((e->st.st_mode & S_IFMT) != (st->st_mode & S_IFMT))
		return "is of another kind";
	if (!is_link && e->st.st_mode != st->st_mode)
		return "has another mode";
	if (e->st.st_uid != st->st_uid || e->st.st_gid != st->st_gid)
		return "has another owner";
	if (S_ISREG(st->st_mode) && e->st.st_size != st->st_size)
		return "has another size";
	if (has_time(e) && (e->st.st_mtim.tv_sec != st->st_mtim.tv_sec ||
			    e->st.st_mtim.tv_nsec != st->st_mtim.tv_nsec))
		return "has another time";
	if ((S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) && e->st.st_rdev != st->st_rdev)
		return "is another device";
	if (is_link && !same_link(e, fd))
		return "points elsewhere";
	(void)snprintf(mine, sizeof(mine), "/proc/self/fd/%d/%s", e->dir, e->name);
	(void)snprintf(theirs, sizeof(theirs), "/proc/self/fd/%d", fd);
	if ((S_ISREG(st->st_mode) || S_ISDIR(st->st_mode)) && !same_xattrs(mine, theirs))
		return "has other attributes";
	if (S_ISREG(st->st_mode)) {
		autoclose int a = openat(e->dir, e->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
		autoclose int b = open_other(c, e->path, O_RDONLY);

		if (a < 0 || b < 0 || !same_content(a, b))
			return "has another content";
	}
	return NULL;
}

static int look(void *data, const struct walk_entry *e, struct error *err)
{
	struct comparing *c = data;
	autoclose int fd = open_other(c, e->path, O_PATH);
	struct stat st;
	const char *what = NULL;

	(void)err;
	if (fd < 0 || fstat(fd, &st) < 0)
		what = c->back ? "does not belong here" : "is gone";
	else if (!c->back)
		what = difference(c, e, fd, &st);
	if (what)
		differ(c, e->path, what);
	return fd < 0 ? WALK_SKIP : 0;
}

int compare_trees(int have, int want, size_t max, void (*report)(void *data, const char *text),
		  void *data, struct error *err)
{
	struct comparing c = { .other = have, .max = max, .report = report, .data = data };
	int r = walk_tree(want, look, NULL, &c, err);

	if (r < 0)
		return r;
	c.other = want;
	c.back = true;
	r = walk_tree(have, look, NULL, &c, err);
	return r < 0 ? r : c.found;
}
