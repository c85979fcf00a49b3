/* src/image/copy_up.c */
#include "image/copy_up.h"

#include <fcntl.h>
#include <linux/openat2.h>
#include <stdint.h>
#include <unistd.h>

#include "base/alloc.h"
#include "image/attributes.h"
#include "image/tar.h"
#include "kernel/rootdir.h"

#define COPIES_MAX 1024 /* 4 MB of paths at most */

/* Holes stay holes. */
static int copy_data(int from, int to, int64_t size)
{
	off_t at = 0;
	ssize_t n = 1;

	while (n > 0 && at < size) {
		off_t data = lseek(from, at, SEEK_DATA), end, out;

		if (data < 0 && errno == ENXIO)
			break;
		end = data < 0 ? -1 : lseek(from, data, SEEK_HOLE);
		if (end < 0)
			return -errno;
		for (at = out = data; n > 0 && at < end;)
			n = copy_file_range(from, &at, to, &out, (size_t)(end - at), 0);
	}
	return n < 0 || ftruncate(to, size) < 0 ? -errno : 0;
}

int copy_up_file(int handle, const struct stat *st, int dir, const char *name)
{
	autofree char *path = xasprintf("/proc/self/fd/%d", handle);
	autoclose int from = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	autoclose int to =
		from < 0 ? -1 : openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
	struct tar_entry e = {
		.uid = st->st_uid,
		.gid = st->st_gid,
		.mode = st->st_mode & 07777,
		.mtime = st->st_mtim,
	};
	int r;

	if (to < 0)
		return -errno;
	r = copy_data(from, to, st->st_size);
	if (r == 0)
		r = attributes_list(from, &e.xattrs, &e.nxattrs);
	if (r == 0)
		r = attributes_set(to, &e, true);
	attributes_free(e.xattrs, e.nxattrs);
	return r;
}

int copy_up_symlink(int handle, const struct stat *st, int dir, const char *name)
{
	char target[TAR_NAME_MAX + 1];
	ssize_t n = readlinkat(handle, "", target, sizeof(target) - 1);
	struct tar_entry e = {
		.type = TAR_SYMLINK, .uid = st->st_uid, .gid = st->st_gid, .mtime = st->st_mtim
	};

	if (n < 0)
		return -errno;
	target[n] = '\0';
	if (symlinkat(target, dir, name) < 0)
		return -errno;
	return attributes_set_at(dir, name, &e);
}

/* what was copied */

struct copies {
	struct copied {
		dev_t dev;
		ino_t ino, here;
		char *path; /* NULL: the slot is free */
	} slots[COPIES_MAX];
};

struct copies *copies_new(void)
{
	return xnew(struct copies);
}

void copies_free(struct copies *copies)
{
	for (size_t i = 0; copies && i < COPIES_MAX; i++)
		free(copies->slots[i].path);
	free(copies);
}

static size_t slot_of(const struct stat *st)
{
	return (uint64_t)st->st_ino * 0x9e3779b97f4a7c15ULL % COPIES_MAX;
}

int copies_link(const struct copies *copies, int root, const struct stat *st, int dir,
		const char *name)
{
	const struct copied *c = &copies->slots[slot_of(st)];
	autofree char *from = NULL;
	autoclose int fd = -1;
	struct stat here;

	if (!c->path || c->ino != st->st_ino || c->dev != st->st_dev)
		return 0;
	fd = rootdir_open_at(root, c->path, O_PATH | O_NOFOLLOW, RESOLVE_IN_ROOT);
	if (fd < 0 || fstat(fd, &here) < 0 || here.st_ino != c->here || !S_ISREG(here.st_mode))
		return 0;
	from = xasprintf("/proc/self/fd/%d", fd);
	if (linkat(AT_FDCWD, from, dir, name, AT_SYMLINK_FOLLOW) < 0)
		return errno == EMLINK ? 0 : -errno;
	return 1;
}

void copies_note(struct copies *copies, const struct stat *st, const char *path, int dir,
		 const char *name)
{
	struct copied *c = &copies->slots[slot_of(st)];
	struct stat here;

	if (fstatat(dir, name, &here, AT_SYMLINK_NOFOLLOW) < 0)
		return;
	free(c->path);
	*c = (struct copied) {
		.dev = st->st_dev, .ino = st->st_ino, .here = here.st_ino, .path = xstrdup(path)
	};
}
