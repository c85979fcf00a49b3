/* src/disk/workdir.c */
#include "disk/workdir.h"

#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/strv.h"
#include "base/walk.h"

#define PREFIX "strake-disk-"

static const char *above(void)
{
	const char *dir = getenv("TMPDIR");

	return dir && *dir == '/' ? dir : "/var/tmp";
}

/* What stays, the next sweep finds. */
static void remove_all(int dir, const char *name)
{
	int r = dir_remove_at(dir, name, NULL);

	(void)r;
}

/* Ours, and nobody holds it. */
static void sweep_one(int dir, const char *name)
{
	autoclose int fd = openat(dir, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0 || st.st_uid != geteuid())
		return;
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		remove_all(dir, name);
}

static void sweep(void)
{
	autoclose int dir = open(above(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct strv names = { 0 };

	if (dir >= 0 && walk_names(dir, &names) == 0)
		for (size_t i = 0; i < names.n; i++)
			if (strncmp(names.items[i], PREFIX, strlen(PREFIX)) == 0)
				sweep_one(dir, names.items[i]);
	strv_done(&names);
}

/* Another's sweep may come between making and locking: what it took away is made again. */
int workdir_make(struct workdir *ret, struct error *err)
{
	struct stat st;

	sweep();
	for (int tries = 0; tries < 8; tries++) {
		autofree char *path = xasprintf("%s/" PREFIX "XXXXXX", above());
		autoclose int fd = -1;

		if (!mkdtemp(path))
			return error_sys(err, -errno, "make a directory in %s", above());
		fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
		if (fd < 0 || flock(fd, LOCK_EX) < 0 || fstat(fd, &st) < 0 || st.st_nlink == 0)
			continue;
		ret->fd = steal_fd(&fd);
		ret->path = steal_ptr(&path);
		return 0;
	}
	return error_set(err, -EAGAIN, "a directory in %s does not stay", above());
}

void workdir_remove(struct workdir *w)
{
	if (w->path)
		remove_all(AT_FDCWD, w->path);
	if (w->fd >= 0)
		(void)close(w->fd);
	free(w->path);
	*w = WORKDIR_INIT;
}
