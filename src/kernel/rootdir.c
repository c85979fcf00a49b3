/* src/kernel/rootdir.c */
#include "kernel/rootdir.h"

#include <fcntl.h>
#include <limits.h>
#include <linux/openat2.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"

#define DEPTH_MAX 256 /* components that are made for one path */
#define LINKS_MAX 40  /* as the kernel */

int rootdir_open_at(int root, const char *path, int flags, uint64_t resolve)
{
	struct open_how how = { .flags = (uint64_t)(flags | O_CLOEXEC),
				.resolve = resolve | RESOLVE_NO_MAGICLINKS };
	int fd = -1;

	/* EAGAIN: something was renamed meanwhile; the kernel asks to try again. */
	for (unsigned tries = 0; tries < 64; tries++) {
		fd = (int)syscall(SYS_openat2, root, *path ? path : ".", &how, sizeof(how));
		if (fd >= 0 || errno != EAGAIN)
			break;
	}
	return fd < 0 ? -errno : fd;
}

static int open_in(int root, const char *path, int flags, uint64_t more)
{
	return rootdir_open_at(root, path, flags, RESOLVE_IN_ROOT | more);
}

static uint64_t resolve_flags(enum rootdir_flags flags)
{
	return (flags & ROOTDIR_NO_SYMLINKS ? (uint64_t)RESOLVE_NO_SYMLINKS : 0) |
	       (flags & ROOTDIR_NO_XDEV ? (uint64_t)RESOLVE_NO_XDEV : 0);
}

int rootdir_open(const struct rootdir *root, const char *path, enum rootdir_flags flags, int *ret)
{
	int fd = open_in(root->fd, path, O_PATH, resolve_flags(flags));

	if (fd < 0)
		return fd;
	*ret = fd;
	return 0;
}

static int make_one(int dir, const char *name, bool file)
{
	autoclose int fd = -1;

	if (!file)
		return mkdirat(dir, name, 0755) < 0 && errno != EEXIST ? -errno : 0;
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	return fd < 0 && errno != EEXIST ? -errno : 0;
}

/* Opens the longest part of path that is there; *ret_rest is what is missing behind it. */
static int open_existing(const struct rootdir *root, char *path, uint64_t resolve, char **ret_rest)
{
	char *cut = path + strlen(path);
	int fd;

	for (;;) {
		char saved = *cut;

		*cut = '\0';
		fd = open_in(root->fd, path, O_PATH, resolve);
		*cut = saved;
		if (fd != -ENOENT || cut == path)
			break;
		while (cut > path && cut[-1] == '/')
			cut--;
		while (cut > path && cut[-1] != '/')
			cut--;
	}
	*ret_rest = cut;
	return fd;
}

/* Images have links to what is only made at run time (/etc/resolv.conf to ../run/...).  What is
 * missing may be such a link's target: *path becomes the path with that link replaced.  Returns 1
 * then, 0 if there is no link.
 */
static int expand_dangling(int dir, char **path, const char *rest)
{
	const char *name = rest + strspn(rest, "/"), *behind = name + strcspn(name, "/");
	autofree char *link = xstrndup(name, (size_t)(behind - name));
	char target[PATH_MAX];
	ssize_t n = readlinkat(dir, link, target, sizeof(target) - 1);
	char *joined;

	if (n < 0)
		return 0;
	target[n] = '\0';
	if (target[0] == '/')
		joined = xasprintf("%s%s", target, behind);
	else
		joined = xasprintf("%.*s/%s%s", (int)(rest - *path), *path, target, behind);
	free(*path);
	*path = joined;
	return 1;
}

/* A component that another process puts there meanwhile is taken if it is of the right kind and no
 * link: O_NOFOLLOW below.
 */
static int make_rest(int dir, char *rest, bool file, int *ret)
{
	autoclose int at = dir;
	char *name;
	int r;

	for (unsigned depth = 0; (name = strsep(&rest, "/"));) {
		bool last = !rest || !rest[strspn(rest, "/")];
		int next;

		if (!*name || strcmp(name, ".") == 0)
			continue;
		if (strcmp(name, "..") == 0)
			return -EINVAL;
		if (++depth > DEPTH_MAX)
			return -ENAMETOOLONG;
		r = make_one(at, name, file && last);
		if (r < 0)
			return r;
		next = openat(at, name,
			      O_PATH | O_NOFOLLOW | O_CLOEXEC | (file && last ? 0 : O_DIRECTORY));
		if (next < 0)
			return -errno;
		(void)close(at);
		at = next;
	}
	*ret = steal_fd(&at);
	return 0;
}

static void narrate(const struct rootdir *root, const char *path, bool file)
{
	autofree char *whole = xasprintf("%s/%s", root->path, path + strspn(path, "/"));

	if (file)
		(void)explain("a file for the next to lie on",
			      "[ -e %s ] || install -D -m 644 /dev/null %s", sq(whole), sq(whole));
	else
		(void)explain("a directory for the next to lie on", "mkdir -p %s", sq(whole));
}

int rootdir_make(const struct rootdir *root, const char *path, bool file, enum rootdir_flags flags,
		 int *ret, struct error *err)
{
	autofree char *copy = xstrdup(path);
	unsigned links = 0;
	struct stat st;
	char *rest;
	int fd, r;

	if (explain_dry()) {
		narrate(root, path, file);
		*ret = -1;
		return 0;
	}
	do {
		fd = open_existing(root, copy, resolve_flags(flags), &rest);
		r = fd >= 0 && rest[strspn(rest, "/")] && !(flags & ROOTDIR_NO_SYMLINKS)
			    ? expand_dangling(fd, &copy, rest)
			    : 0;
		if (r > 0)
			(void)close(fd);
	} while (r > 0 && ++links < LINKS_MAX);
	if (r > 0)
		return error_sys(err, -ELOOP, "open %s in the container", path);
	if (fd >= 0 && rest[strspn(rest, "/")]) {
		narrate(root, path, file);
		r = make_rest(fd, rest, file, &fd);
		if (r < 0)
			return error_sys(err, r, "make %s in the container", path);
	}
	if (fd < 0)
		return error_sys(err, fd, "open %s in the container", path);
	if (fstat(fd, &st) < 0 || S_ISDIR(st.st_mode) == file) {
		(void)close(fd);
		return error_set(err, file ? -EISDIR : -ENOTDIR,
				 "%s in the container is %s directory", path, file ? "a" : "not a");
	}
	*ret = fd;
	return 0;
}
