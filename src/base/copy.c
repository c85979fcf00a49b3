/* src/base/copy.c */
#include "base/copy.h"

#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/walk.h"

#define XATTRS_BYTES_MAX 65536 /* the kernel's own limit for a list, and for a value */

/* The first name of a file that has several. */
struct linked {
	ino_t ino;
	char *path;
};

struct copying {
	int to;
	struct linked *links;
	size_t nlinks, room;
};

/* Shared blocks where the file system can, else through the kernel. */
static ssize_t copy_piece(int from, int to, off_t at, size_t len)
{
	off_t in = at, out = at;
	ssize_t n = copy_file_range(from, &in, to, &out, len, 0);

	if (n >= 0)
		return n;
	if (errno != EXDEV && errno != EINVAL && errno != EOPNOTSUPP && errno != ENOSYS)
		return -errno;
	in = at;
	if (lseek(to, at, SEEK_SET) < 0)
		return -errno;
	n = sendfile(to, from, &in, len);
	return n < 0 ? -errno : n;
}

int copy_bytes(int from, int to)
{
	off_t at = 0, end = lseek(from, 0, SEEK_END);

	if (end < 0 || ftruncate(to, end) < 0)
		return -errno;
	while (at < end) {
		off_t data = lseek(from, at, SEEK_DATA), hole;

		if (data < 0)
			return errno == ENXIO ? 0 : -errno; /* a hole up to the end */
		hole = lseek(from, data, SEEK_HOLE);
		at = data;
		while (at < hole) {
			ssize_t n = copy_piece(from, to, at, (size_t)(hole - at));

			if (n <= 0)
				return n < 0 ? (int)n : -EIO;
			at += n;
		}
	}
	return 0;
}

static bool is_ours(const char *name)
{
	return strncmp(name, "trusted.overlay.", 16) != 0 &&
	       strncmp(name, "user.overlay.", 13) != 0;
}

static int copy_xattrs(int from, int to)
{
	autofree char *names = xmalloc(XATTRS_BYTES_MAX), *value = xmalloc(XATTRS_BYTES_MAX);
	ssize_t len = flistxattr(from, names, XATTRS_BYTES_MAX);

	if (len < 0)
		return errno == EOPNOTSUPP ? 0 : -errno;
	for (const char *p = names; p < names + len; p += strlen(p) + 1) {
		ssize_t n = is_ours(p) ? fgetxattr(from, p, value, XATTRS_BYTES_MAX) : -1;

		/* What this file system does not take (labels of a security module) is no loss of
		 * the image's.
		 */
		if (n >= 0 && fsetxattr(to, p, value, (size_t)n, 0) < 0 && errno != EOPNOTSUPP &&
		    errno != EPERM)
			return -errno;
	}
	return 0;
}

static int set_attributes(int fd, const struct stat *st)
{
	/* The owner first: changing it takes set-ID bits and capabilities away. */
	if (fchown(fd, st->st_uid, st->st_gid) < 0 || fchmod(fd, st->st_mode & 07777) < 0)
		return -errno;
	return 0;
}

static int set_times(int dir, const char *name, const struct stat *st)
{
	const struct timespec times[] = { st->st_atim, st->st_mtim };

	return utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

/* The destination is ours alone: its paths lead where we made them lead. */
static int copy_file(struct copying *c, const struct walk_entry *e)
{
	autoclose int from = openat(e->dir, e->name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);
	autoclose int to = openat(c->to, e->path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	int r;

	if (from < 0 || to < 0)
		return -errno;
	r = copy_bytes(from, to);
	if (r == 0)
		r = set_attributes(to, &e->st);
	if (r == 0)
		r = copy_xattrs(from, to);
	return r < 0 ? r : set_times(c->to, e->path, &e->st);
}

/* 1: it is a further name of a file that is there. */
static int link_known(struct copying *c, const struct walk_entry *e)
{
	if (e->st.st_nlink < 2)
		return 0;
	for (size_t i = 0; i < c->nlinks; i++)
		if (c->links[i].ino == e->st.st_ino)
			return linkat(c->to, c->links[i].path, c->to, e->path, 0) < 0 ? -errno : 1;
	VEC_GROW(c->links, c->nlinks, c->room);
	c->links[c->nlinks++] = (struct linked) { e->st.st_ino, xstrdup(e->path) };
	return 0;
}

static int copy_symlink(struct copying *c, const struct walk_entry *e)
{
	char target[PATH_MAX];
	ssize_t n = readlinkat(e->dir, e->name, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (symlinkat(target, c->to, e->path) < 0 ||
	    fchownat(c->to, e->path, e->st.st_uid, e->st.st_gid, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	return set_times(c->to, e->path, &e->st);
}

static int copy_node(struct copying *c, const struct walk_entry *e)
{
	if (S_ISCHR(e->st.st_mode) && e->st.st_rdev == 0)
		return 0;
	if (S_ISSOCK(e->st.st_mode))
		return 0; /* of a process that is not there */
	if (mknodat(c->to, e->path, e->st.st_mode, e->st.st_rdev) < 0 ||
	    fchownat(c->to, e->path, e->st.st_uid, e->st.st_gid, AT_SYMLINK_NOFOLLOW) < 0 ||
	    fchmodat(c->to, e->path, e->st.st_mode & 07777, 0) < 0)
		return -errno;
	return set_times(c->to, e->path, &e->st);
}

static int copy_entry(void *data, const struct walk_entry *e, struct error *err)
{
	struct copying *c = data;
	int r = 0;

	if (S_ISDIR(e->st.st_mode)) {
		if (e->path[0] && mkdirat(c->to, e->path, 0700) < 0)
			r = -errno;
		return r < 0 ? error_sys(err, r, "copy /%s", e->path) : 0;
	}
	r = link_known(c, e);
	if (r == 0 && S_ISREG(e->st.st_mode))
		r = copy_file(c, e);
	else if (r == 0 && S_ISLNK(e->st.st_mode))
		r = copy_symlink(c, e);
	else if (r == 0)
		r = copy_node(c, e);
	return r < 0 ? error_sys(err, r, "copy /%s", e->path) : 0;
}

/* Last, when nothing more is put into it. */
static int finish_dir(void *data, const struct walk_entry *e, struct error *err)
{
	struct copying *c = data;
	const char *path = e->path[0] ? e->path : ".";
	autoclose int from =
		openat(e->dir, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	autoclose int to = openat(c->to, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	int r = from < 0 || to < 0 ? -errno : set_attributes(to, &e->st);

	if (r == 0)
		r = copy_xattrs(from, to);
	if (r == 0)
		r = set_times(c->to, path, &e->st);
	return r < 0 ? error_sys(err, r, "copy directory /%s", e->path) : 0;
}

int copy_tree(int from, int to, struct error *err)
{
	struct copying c = { .to = to };
	int r = walk_tree(from, copy_entry, finish_dir, &c, err);

	for (size_t i = 0; i < c.nlinks; i++)
		free(c.links[i].path);
	free(c.links);
	return r;
}
