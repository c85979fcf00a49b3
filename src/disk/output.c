/* src/disk/output.c */
#include "disk/output.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/file.h"

#define MODE 0644

static int open_nameless(int dir)
{
	int fd = openat(dir, ".", O_TMPFILE | O_RDWR | O_CLOEXEC, MODE);

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

int output_open(const char *path, struct output *ret, struct error *err)
{
	int r = split(ret, path, err);

	if (r < 0)
		return r;
	if (explain("what is on its way, and gets its name when it is whole",
		    "disk=%s.new; work=$(mktemp -d)", sq(path))) {
		ret->fd = memfd_create("disk", MFD_CLOEXEC); /* there is nothing in it */
		return ret->fd < 0 ? error_sys(err, -errno, "make a temporary file") : 0;
	}
	ret->fd = open_nameless(ret->dir_fd);
	if (ret->fd >= 0)
		return 0;
	ret->tmp_name = xasprintf(".%.200s.strake-%d", ret->name, getpid());
	ret->fd = openat(ret->dir_fd, ret->tmp_name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, MODE);
	if (ret->fd < 0) {
		free(ret->tmp_name);
		ret->tmp_name = NULL;
		return error_sys(err, -errno, "make %s", path);
	}
	return 0;
}

int output_spool(const struct output *out, int *ret_fd, struct error *err)
{
	autofree char *name = xasprintf(".%.200s.spool-%d", out->name, getpid());
	int fd = open_nameless(out->dir_fd);

	if (fd < 0) {
		fd = openat(out->dir_fd, name, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
		if (fd < 0)
			return error_sys(err, -errno, "make a temporary file beside %s", out->path);
		(void)unlinkat(out->dir_fd, name, 0);
	}
	*ret_fd = fd;
	return 0;
}

/* A nameless file can get a name, but not that of another. */
static int give_name(struct output *out)
{
	autofree char *self = xasprintf("/proc/self/fd/%d", out->fd);

	if (out->tmp_name)
		return 0;
	out->tmp_name = xasprintf(".%.200s.strake-%d", out->name, getpid());
	if (linkat(AT_FDCWD, self, out->dir_fd, out->tmp_name, AT_SYMLINK_FOLLOW) == 0)
		return 0;
	free(out->tmp_name);
	out->tmp_name = NULL;
	return -errno;
}

int output_finish(struct output *out, struct error *err)
{
	int r;

	if (explain("the disk is whole", "sync \"$disk\"; mv \"$disk\" %s; rm -rf \"$work\"",
		    sq(out->path)))
		return 0;
	r = fsync(out->fd) < 0 ? -errno : give_name(out);
	if (r == 0 && renameat(out->dir_fd, out->tmp_name, out->dir_fd, out->name) < 0)
		r = -errno;
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
