/* src/disk/output.c */
#include "disk/output.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/strv.h"
#include "base/walk.h"

#define NAME_FMT  ".%.200s.strake-"
#define SPOOL_FMT ".%.200s.spool-"
#define TRIES     8

static int open_nameless(int dir, mode_t mode)
{
	int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, mode);

	return fd < 0 ? -errno : fd;
}

static int split(struct output *out, const char *path, struct error *err)
{
	autofree char *dir = xstrdup(path);
	char *slash = strrchr(dir, '/');
	struct stat st;

	out->path = xstrdup(path);
	out->name = xstrdup(slash ? slash + 1 : path);
	if (slash)
		slash[slash == dir] = '\0';
	if (!*out->name)
		return error_set(err, -EISDIR, "%s: name a file", path);
	if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
		return error_set(err, -EEXIST, "%s is there and is no regular file", path);
	return dir_open_at(AT_FDCWD, slash ? dir : ".", &out->dir_fd, err);
}

/* Where no nameless files are made, and in the moment before a name is that of the target, a kill
 * leaves something.  Whoever is at work on one holds its lock.
 */
static void sweep_one(const struct output *out, const char *name)
{
	autoclose int fd =
		openat(out->dir_fd, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	struct stat st;

	if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && st.st_uid == geteuid() &&
	    flock(fd, LOCK_EX | LOCK_NB) == 0)
		(void)unlinkat(out->dir_fd, name, 0);
}

static void sweep(const struct output *out)
{
	autofree char *named = xasprintf(NAME_FMT, out->name),
		      *spool = xasprintf(SPOOL_FMT, out->name);
	struct strv names = { 0 };

	if (walk_names(out->dir_fd, &names) == 0)
		for (size_t i = 0; i < names.n; i++)
			if (strncmp(names.items[i], named, strlen(named)) == 0 ||
			    strncmp(names.items[i], spool, strlen(spool)) == 0)
				sweep_one(out, names.items[i]);
	strv_done(&names);
}

/* Another's sweep may come between making and locking: what it took away is made again. */
static int open_named(struct output *out)
{
	autofree char *name = xasprintf(NAME_FMT "%d", out->name, getpid());
	struct stat st;

	for (int i = 0; i < TRIES; i++) {
		autoclose int fd =
			openat(out->dir_fd, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, out->mode);

		if (fd < 0)
			return -errno;
		if (flock(fd, LOCK_EX) < 0 || fstat(fd, &st) < 0)
			return -errno;
		if (st.st_nlink == 0)
			continue;
		out->tmp_name = steal_ptr(&name);
		out->fd = steal_fd(&fd);
		return 0;
	}
	return -EBUSY;
}

static bool is_secret(const struct output *out)
{
	return !(out->mode & 077);
}

int output_open(const char *path, mode_t mode, struct output *ret, struct error *err)
{
	int r = split(ret, path, err);

	if (r < 0)
		return r;
	ret->mode = mode;
	if (explain("what is on its way, and gets its name when it is whole",
		    "disk=%s.new; work=$(mktemp -d); trap 'rm -rf \"$work\" \"$disk\"' EXIT",
		    sq(path))) {
		if (is_secret(ret))
			(void)explain("for nobody else's eyes",
				      "rm -f \"$disk\"; install -m 600 /dev/null \"$disk\"");
		ret->fd = memfd_create("disk", MFD_CLOEXEC); /* there is nothing in it */
		return ret->fd < 0 ? error_sys(err, -errno, "make a temporary file") : 0;
	}
	sweep(ret);
	ret->fd = open_nameless(ret->dir_fd, mode);
	if (ret->fd >= 0)
		return flock(ret->fd, LOCK_EX) < 0 ? error_sys(err, -errno, "lock %s", path) : 0;
	r = open_named(ret);
	return r < 0 ? error_sys(err, r, "make %s", path) : 0;
}

int output_spool(const struct output *out, int *ret_fd, struct error *err)
{
	autofree char *name = xasprintf(SPOOL_FMT "%d", out->name, getpid());
	int fd = open_nameless(out->dir_fd, 0600);

	if (fd < 0) {
		fd = openat(out->dir_fd, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
		if (fd < 0)
			return error_sys(err, -errno, "make a temporary file beside %s", out->path);
		(void)unlinkat(out->dir_fd, name, 0);
	}
	*ret_fd = fd;
	return 0;
}

static int give(const struct output *out, const char *name)
{
	autofree char *self = xasprintf("/proc/self/fd/%d", out->fd);

	return linkat(AT_FDCWD, self, out->dir_fd, name, AT_SYMLINK_FOLLOW) < 0 ? -errno : 0;
}

/* A nameless file can get a name, but not that of another: then it takes that one's place. */
static int appear(struct output *out)
{
	autofree char *name = xasprintf(NAME_FMT "%d", out->name, getpid());
	int r = 0;

	if (!out->tmp_name) {
		r = give(out, out->name);
		if (r != -EEXIST)
			return r;
		r = give(out, name);
		if (r == 0)
			out->tmp_name = steal_ptr(&name);
	}
	if (r == 0 && renameat(out->dir_fd, out->tmp_name, out->dir_fd, out->name) < 0)
		r = -errno;
	return r;
}

int output_finish(struct output *out, struct error *err)
{
	int r;

	if (is_secret(out))
		(void)explain("which stays so", "chmod go= \"$disk\"");
	if (explain("the disk is whole", "sync \"$disk\"; mv \"$disk\" %s", sq(out->path)))
		return 0;
	r = fsync(out->fd) < 0 ? -errno : appear(out);
	if (r < 0)
		return error_sys(err, r, "write %s", out->path);
	free(out->tmp_name);
	out->tmp_name = NULL;
	return fsync(out->dir_fd) < 0 ? error_sys(err, -errno, "write %s", out->path) : 0;
}

void output_done(struct output *out)
{
	if (out->tmp_name)
		(void)unlinkat(out->dir_fd, out->tmp_name, 0);
	if (out->fd >= 0)
		(void)close(out->fd);
	if (out->dir_fd >= 0)
		(void)close(out->dir_fd);
	free(out->tmp_name);
	free(out->name);
	free(out->path);
	*out = OUTPUT_INIT;
}
