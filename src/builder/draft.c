/* src/builder/draft.c
 *
 * In the draft itself a resolved path has no links, and nobody else writes there, so that it can be
 * walked name by name.  What the layers below hold is only looked at, by image/lower.h.
 */
#include "builder/draft.h"

#include <fcntl.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/copy.h"
#include "base/file.h"
#include "builder/mode.h"
#include "image/attributes.h"
#include "image/lower.h"

#define LINKS_MAX 40   /* as the kernel */
#define PATH_MAX_ 4096 /* bytes of a path, and of a link's target */

struct draft_time {
	char *path;
	struct timespec mtime;
};

struct draft_link {
	dev_t dev;
	ino_t ino;
	char *path;
};

void draft_init(struct draft *d, int fd, const struct strv *lower)
{
	*d = (struct draft) { .fd = fd, .lower = lower, .here_fd = -1 };
}

static void leave_here(struct draft *d)
{
	if (d->here_fd >= 0)
		(void)close(d->here_fd);
	free(d->here);
	d->here = NULL;
	d->here_fd = -1;
}

void draft_done(struct draft *d)
{
	leave_here(d);
	for (size_t i = 0; i < d->ntimes; i++)
		free(d->times[i].path);
	for (size_t i = 0; i < d->nlinks; i++)
		free(d->links[i].path);
	free(d->times);
	free(d->links);
	*d = (struct draft) { .fd = -1, .here_fd = -1 };
}

/* looking */

/* A handle of what is at a resolved path, in the draft or below. */
static int look(struct draft *d, const char *path, struct stat *ret, int *ret_fd)
{
	int fd =
		d->fd < 0 ? -1 : openat(d->fd, *path ? path : ".", O_PATH | O_NOFOLLOW | O_CLOEXEC);
	int r = d->fd < 0 ? -ENOENT : fd < 0 ? -errno : 0;

	if (r == -ENOENT || r == -ENOTDIR)
		return *path ? lower_open(d->lower, path, ret_fd, ret) : -ENOENT;
	if (r == 0 && fstat(fd, ret) < 0)
		r = -errno;
	if (r < 0 && fd >= 0)
		(void)close(fd);
	if (r == 0)
		*ret_fd = fd;
	return r;
}

int draft_look(struct draft *d, const char *path, struct stat *ret)
{
	autoclose int fd = -1;

	return look(d, path, ret, &fd);
}

static char *join(const char *dir, const char *name)
{
	return *dir ? xasprintf("%s/%s", dir, name) : xstrdup(name);
}

static void go_up(char *path)
{
	char *slash = strrchr(path, '/');

	*(slash ? slash : path) = '\0';
}

struct resolving {
	struct draft *d;
	char *done; /* resolved so far */
	char *rest; /* still to come */
	unsigned links;
};

/* A link: its target comes before the rest. */
static int follow_link(struct resolving *w, int fd, const char *rest)
{
	char target[PATH_MAX_];
	ssize_t n = readlinkat(fd, "", target, sizeof(target) - 1);
	char *joined;

	if (n < 0)
		return -errno;
	if (++w->links > LINKS_MAX || (size_t)n + strlen(rest) >= PATH_MAX_)
		return -ELOOP;
	target[n] = '\0';
	joined = xasprintf("%s/%s", target, rest);
	free(w->rest);
	w->rest = joined;
	if (target[0] == '/')
		*w->done = '\0';
	return 0;
}

static int resolve_one(struct resolving *w, bool last_too)
{
	size_t skip = strspn(w->rest, "/"), n = strcspn(w->rest + skip, "/");
	autofree char *name = xstrndup(w->rest + skip, n), *next = NULL;
	autofree char *rest = xstrdup(w->rest + skip + n);
	bool last = !rest[strspn(rest, "/")];
	autoclose int fd = -1;
	struct stat st;

	if (!*name || strcmp(name, ".") == 0 || strcmp(name, "..") == 0) {
		if (*name && name[1])
			go_up(w->done);
	} else {
		next = join(w->done, name);
		if (look(w->d, next, &st, &fd) == 0 && S_ISLNK(st.st_mode) && (!last || last_too))
			return follow_link(w, fd, rest);
		free(w->done);
		w->done = steal_ptr(&next);
	}
	free(w->rest);
	w->rest = steal_ptr(&rest);
	return 0;
}

int draft_resolve(struct draft *d, const char *path, bool last_too, char **ret, struct error *err)
{
	struct resolving w = { .d = d, .done = xstrdup(""), .rest = xstrdup(path) };
	int r = strlen(path) >= PATH_MAX_ ? -ENAMETOOLONG : 0;

	while (r == 0 && *w.rest)
		r = resolve_one(&w, last_too);
	if (r == 0 && strlen(w.done) >= PATH_MAX_)
		r = -ENAMETOOLONG;
	free(w.rest);
	if (r == 0) {
		*ret = w.done;
		return 0;
	}
	free(w.done);
	return error_sys(err, r, "%s", path);
}

/* directories */

void draft_later(struct draft *d, const char *path, struct timespec mtime)
{
	VEC_GROW(d->times, d->ntimes, d->times_room);
	d->times[d->ntimes++] = (struct draft_time) { xstrdup(path), mtime };
}

/* A directory of the layers below comes up with the looks that it has there. */
static int inherit(struct draft *d, const char *path, int from, const struct stat *st, int fd)
{
	autoclose int source = openat(from, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (source < 0 || fchown(fd, st->st_uid, st->st_gid) < 0 ||
	    fchmod(fd, st->st_mode & 07777) < 0)
		return -errno;
	draft_later(d, path, st->st_mtim);
	return attributes_copy(source, fd);
}

static int make_one(struct draft *d, int dir, const char *path, const char *name, uid_t uid,
		    gid_t gid, bool *ret_new, int *ret_fd)
{
	autoclose int from = -1, fd = -1;
	struct stat st;
	bool below = lower_open(d->lower, path, &from, &st) == 0;
	int r = 0;

	if (below && !S_ISDIR(st.st_mode))
		return -ENOTDIR;
	if (mkdirat(dir, name, 0755) < 0)
		return -errno;
	fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (below)
		r = inherit(d, path, from, &st, fd);
	else if (fchown(fd, uid, gid) < 0 || fchmod(fd, 0755) < 0)
		r = -errno;
	*ret_new = !below;
	if (r == 0)
		*ret_fd = steal_fd(&fd);
	return r;
}

static int step_into(struct draft *d, int at, const char *path, const char *name, uid_t uid,
		     gid_t gid, bool *ret_new)
{
	int fd = openat(at, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), r;

	*ret_new = false;
	if (fd >= 0)
		return fd;
	if (errno != ENOENT)
		return errno == ELOOP ? -ENOTDIR : -errno;
	r = make_one(d, at, path, name, uid, gid, ret_new, &fd);
	return r < 0 ? r : fd;
}

/* Opens a resolved path in the draft, making what is missing. */
static int open_dir(struct draft *d, const char *path, uid_t uid, gid_t gid, bool *ret_new,
		    int *ret)
{
	autofree char *copy = xstrdup(path);
	autoclose int at = openat(d->fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	char *name = copy;

	*ret_new = false;
	while (at >= 0 && *name) {
		char *end = name + strcspn(name, "/");
		int next;

		*end = '\0';
		next = step_into(d, at, copy, name, uid, gid, ret_new);
		if (next < 0)
			return next;
		(void)close(at);
		at = next;
		if (!path[end - copy])
			break;
		*end = '/';
		name = end + 1;
	}
	*ret = steal_fd(&at);
	return *ret < 0 ? -EIO : 0;
}

/* Makes it the directory that is worked in. */
static int enter(struct draft *d, const char *path, uid_t uid, gid_t gid, bool *ret_new,
		 struct error *err)
{
	struct stat st;
	autoclose int below = -1;
	int fd = -1, r;

	*ret_new = false;
	if (d->here && strcmp(d->here, path) == 0)
		return 0;
	r = open_dir(d, path, uid, gid, ret_new, &fd);
	if (r < 0)
		return error_sys(err, r, "/%s", path);
	leave_here(d);
	d->here = xstrdup(path);
	d->here_fd = fd;
	d->here_is_below = d->lower->n > 0 &&
			   (!*path || (!*ret_new && lower_open(d->lower, path, &below, &st) == 0));
	return 0;
}

int draft_make_dir(struct draft *d, const char *path, uid_t uid, gid_t gid, bool *ret_new,
		   struct error *err)
{
	bool fresh;
	int r = enter(d, path, uid, gid, &fresh, err);

	if (r == 0 && ret_new)
		*ret_new = fresh;
	return r;
}

/* entries */

static bool is_dir_below(const struct draft *d, const char *path)
{
	autoclose int fd = -1;
	struct stat st;

	return d->here_is_below && lower_open(d->lower, path, &fd, &st) == 0 && S_ISDIR(st.st_mode);
}

int draft_place(struct draft *d, const char *path, int *ret_dir, const char **ret_name,
		struct error *err)
{
	const char *slash = strrchr(path, '/');
	autofree char *dir = xstrndup(path, slash ? (size_t)(slash - path) : 0);
	const char *name = slash ? slash + 1 : path;
	bool fresh;
	int r = enter(d, dir, 0, 0, &fresh, err);

	if (r < 0)
		return r;
	if (is_dir_below(d, path))
		return error_set(err, -EISDIR, "/%s is a directory, which no file replaces", path);
	if (unlinkat(d->here_fd, name, 0) < 0 && errno != ENOENT)
		return errno == EISDIR
			       ? error_set(err, -EISDIR,
					   "/%s is a directory, which no file replaces", path)
			       : error_sys(err, -errno, "replace /%s", path);
	*ret_dir = d->here_fd;
	*ret_name = name;
	return 0;
}

static mode_t wanted_mode(const struct stat *st, const struct draft_looks *looks)
{
	return looks->mode ? mode_apply(looks->mode, st->st_mode) : st->st_mode & 07777;
}

static uid_t wanted_uid(const struct stat *st, const struct draft_looks *looks)
{
	return looks->uid < 0 ? st->st_uid : (uid_t)looks->uid;
}

static gid_t wanted_gid(const struct stat *st, const struct draft_looks *looks)
{
	return looks->gid < 0 ? st->st_gid : (gid_t)looks->gid;
}

/* Owner first: it clears set-id bits and capabilities. */
static int set_looks(int fd, const struct draft_source *s, const struct draft_looks *looks,
		     int xattrs_from)
{
	int r = 0;

	if (fchown(fd, wanted_uid(&s->st, looks), wanted_gid(&s->st, looks)) < 0 ||
	    fchmod(fd, wanted_mode(&s->st, looks)) < 0)
		return -errno;
	if (xattrs_from >= 0)
		r = attributes_copy(xattrs_from, fd);
	return r;
}

static int copy_file(int dir, const char *name, const struct draft_source *s,
		     const struct draft_looks *looks)
{
	const struct timespec times[2] = { s->st.st_mtim, s->st.st_mtim };
	autoclose int from =
		openat(s->dir, s->name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	autoclose int to = -1;
	int r;

	if (from < 0)
		return -errno;
	to = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (to < 0)
		return -errno;
	r = s->st.st_size > 0 ? copy_bytes(from, to) : 0;
	if (r == 0)
		r = set_looks(to, s, looks, s->with_xattrs ? from : -1);
	if (r == 0 && futimens(to, times) < 0)
		r = -errno;
	return r;
}

static int copy_other(int dir, const char *name, const struct draft_source *s,
		      const struct draft_looks *looks)
{
	const struct timespec times[2] = { s->st.st_mtim, s->st.st_mtim };
	char target[PATH_MAX_];
	ssize_t n;

	if (S_ISLNK(s->st.st_mode)) {
		n = readlinkat(s->dir, s->name, target, sizeof(target) - 1);
		if (n < 0)
			return -errno;
		target[n] = '\0';
		if (symlinkat(target, dir, name) < 0)
			return -errno;
	} else if (mknodat(dir, name, (s->st.st_mode & S_IFMT) | 0600, s->st.st_rdev) < 0) {
		return -errno;
	}
	if (fchownat(dir, name, wanted_uid(&s->st, looks), wanted_gid(&s->st, looks),
		     AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISLNK(s->st.st_mode) && fchmodat(dir, name, wanted_mode(&s->st, looks), 0) < 0)
		return -errno;
	return utimensat(dir, name, times, AT_SYMLINK_NOFOLLOW) < 0 ? -errno : 0;
}

static int copy_dir(struct draft *d, const char *path, const struct draft_source *s,
		    const struct draft_looks *looks, struct error *err)
{
	autoclose int from =
		s->with_xattrs
			? openat(s->dir, s->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)
			: -1;
	bool fresh;
	int r = enter(d, path, 0, 0, &fresh, err);

	if (r < 0)
		return r;
	r = set_looks(d->here_fd, s, looks, from);
	if (r < 0)
		return error_sys(err, r, "copy to /%s", path);
	draft_later(d, path, s->st.st_mtim);
	return 0;
}

/* Another name of a file that was copied before is one here, too.  1: it was. */
static int copy_link(struct draft *d, int dir, const char *name, const struct draft_source *s,
		     const char *path)
{
	for (size_t i = 0; i < d->nlinks; i++)
		if (d->links[i].ino == s->st.st_ino && d->links[i].dev == s->st.st_dev)
			return linkat(d->fd, d->links[i].path, dir, name, 0) < 0 ? -errno : 1;
	VEC_GROW(d->links, d->nlinks, d->links_room);
	d->links[d->nlinks++] = (struct draft_link) { s->st.st_dev, s->st.st_ino, xstrdup(path) };
	return 0;
}

int draft_copy(struct draft *d, const char *path, const struct draft_source *s,
	       const struct draft_looks *looks, struct error *err)
{
	const char *name = "";
	int dir = -1, r;

	if (S_ISDIR(s->st.st_mode))
		return copy_dir(d, path, s, looks, err);
	if (S_ISSOCK(s->st.st_mode) || is_whiteout(&s->st))
		return 0;
	r = draft_place(d, path, &dir, &name, err);
	if (r < 0)
		return r;
	if (s->st.st_nlink > 1)
		r = copy_link(d, dir, name, s, path);
	if (r == 0)
		r = S_ISREG(s->st.st_mode) ? copy_file(dir, name, s, looks)
					   : copy_other(dir, name, s, looks);
	return r < 0 ? error_sys(err, r, "copy to /%s", path) : 0;
}

int draft_write(struct draft *d, const char *path, const void *bytes, size_t len,
		const struct draft_looks *looks, struct error *err)
{
	const struct draft_source s = { .dir = -1, .st = { .st_mode = S_IFREG | 0644 } };
	autoclose int fd = -1;
	const char *name = "";
	int dir = -1, r = draft_place(d, path, &dir, &name, err);

	if (r < 0)
		return r;
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	r = fd < 0 ? -errno : file_write_all(fd, bytes, len);
	if (r == 0)
		r = set_looks(fd, &s, looks, -1);
	return r < 0 ? error_sys(err, r, "write /%s", path) : 0;
}

/* The innermost come last in the list more often than not, but order does not matter: to set one
 * time changes no other.
 */
int draft_finish(struct draft *d, struct error *err)
{
	leave_here(d);
	for (size_t i = 0; i < d->ntimes; i++) {
		const struct timespec times[2] = { d->times[i].mtime, d->times[i].mtime };
		const char *path = d->times[i].path;

		if (utimensat(d->fd, *path ? path : ".", times, AT_SYMLINK_NOFOLLOW) < 0)
			return error_sys(err, -errno, "set the time of /%s", path);
	}
	return 0;
}
