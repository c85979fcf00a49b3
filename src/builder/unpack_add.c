/* src/builder/unpack_add.c */
#include "builder/unpack_add.h"

#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "builder/draft.h"
#include "builder/halt.h"
#include "builder/mode.h"
#include "builder/unpack_filter.h"
#include "image/attributes.h"
#include "image/stream.h"
#include "image/tar_read.h"

#define ENTRIES_MAX 4000000

struct unpacking {
	const struct unpack_add *req;
	struct tar_reader *tar;
	struct error *err;
};

static ssize_t feed(void *data, const void **ret, struct error *err)
{
	return stream_next(data, ret, err);
}

static mode_t type_bits(const struct tar_entry *e)
{
	static const mode_t kinds[] = {
		[TAR_FILE] = S_IFREG, [TAR_HARD_LINK] = S_IFREG,    [TAR_SYMLINK] = S_IFLNK,
		[TAR_CHAR] = S_IFCHR, [TAR_BLOCK_DEVICE] = S_IFBLK, [TAR_DIR] = S_IFDIR,
		[TAR_FIFO] = S_IFIFO,
	};

	return kinds[e->type];
}

/* The entry as it is to look here. */
static struct tar_entry dressed(const struct unpacking *u, const struct tar_entry *e)
{
	const struct draft_looks *looks = u->req->looks;
	struct tar_entry copy = *e;

	if (!u->req->takes_owners) {
		copy.uid = (uint32_t)looks->uid;
		copy.gid = (uint32_t)looks->gid;
	}
	if (looks->mode)
		copy.mode = mode_apply(looks->mode, type_bits(e) | e->mode);
	return copy;
}

static int write_data(struct unpacking *u, int fd, int64_t size)
{
	int64_t offset, end = 0;
	const void *bytes;
	ssize_t n;

	while ((n = tar_data(u->tar, &bytes, &offset, u->err)) > 0) {
		int r = halt_check(u->err);

		if (r < 0)
			return r;
		r = file_write_all_at(fd, bytes, (size_t)n, offset);
		if (r < 0)
			return error_sys(u->err, r, "write a file");
		end = offset + n;
	}
	if (n == 0 && end < size && ftruncate(fd, size) < 0)
		return error_sys(u->err, -errno, "write a file");
	return (int)n;
}

static int put_file(struct unpacking *u, const struct tar_entry *e, const char *path)
{
	autoclose int fd = -1;
	const char *name = "";
	int dir = -1, r = draft_place(u->req->draft, path, &dir, &name, u->err);

	if (r < 0)
		return r;
	fd = openat(dir, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
	if (fd < 0)
		return error_sys(u->err, -errno, "write /%s", path);
	r = write_data(u, fd, e->size);
	if (r < 0)
		return r;
	r = attributes_set(fd, e, true);
	return r < 0 ? error_sys(u->err, r, "write /%s", path) : 0;
}

static int put_dir(struct unpacking *u, const struct tar_entry *e, const char *path)
{
	struct draft *d = u->req->draft;
	int r = draft_make_dir(d, path, e->uid, e->gid, NULL, u->err);

	if (r == 0)
		r = attributes_set(d->here_fd, e, false);
	else
		return r;
	if (r < 0)
		return error_sys(u->err, r, "make /%s", path);
	draft_later(d, path, e->mtime);
	return 0;
}

/* Its target is an entry of this archive, or of an earlier source. */
static int put_hard_link(struct unpacking *u, const struct tar_entry *e, const char *path)
{
	struct draft *d = u->req->draft;
	autofree char *whole = xasprintf("%s/%s", u->req->dest, e->link), *target = NULL;
	const char *name = "";
	int dir = -1, r = draft_resolve(d, whole, false, &target, u->err);

	if (r == 0 && strcmp(target, path) == 0)
		return error_set(u->err, -EBADMSG, "/%s is a link to itself", path);
	if (r == 0)
		r = draft_place(d, path, &dir, &name, u->err);
	if (r == 0 && linkat(d->fd, target, dir, name, 0) < 0)
		r = error_sys(u->err, -errno, "link /%s to %s", path, e->link);
	return r;
}

static int put_other(struct unpacking *u, const struct tar_entry *e, const char *path)
{
	const char *name = "";
	int dir = -1, r = draft_place(u->req->draft, path, &dir, &name, u->err);

	if (r < 0)
		return r;
	if (e->type == TAR_CHAR && e->major == 0 && e->minor == 0)
		return error_set(u->err, -EBADMSG, "/%s: a device 0:0 would hide files", path);
	if (e->type == TAR_SYMLINK)
		r = symlinkat(e->link, dir, name) < 0 ? -errno : 0;
	else
		r = mknodat(dir, name, type_bits(e) | 0600, makedev(e->major, e->minor)) < 0
			    ? -errno
			    : 0;
	if (r == 0)
		r = attributes_set_at(dir, name, e);
	return r < 0 ? error_sys(u->err, r, "make /%s", path) : 0;
}

static int put_entry(struct unpacking *u, const struct tar_entry *e)
{
	const struct tar_entry here = dressed(u, e);
	autofree char *whole = xasprintf("%s/%s", u->req->dest, e->name), *path = NULL;
	const char *slash;
	int r = draft_resolve(u->req->draft, whole, e->type == TAR_DIR, &path, u->err);

	if (r < 0)
		return r;
	if (e->type == TAR_DIR)
		return put_dir(u, &here, path);
	slash = strrchr(path, '/');
	if (slash) {
		autofree char *parent = xstrndup(path, (size_t)(slash - path));

		r = draft_make_dir(u->req->draft, parent, 0, 0, NULL, u->err);
	}
	if (r < 0)
		return r;
	if (e->type == TAR_FILE)
		return put_file(u, &here, path);
	return e->type == TAR_HARD_LINK ? put_hard_link(u, &here, path) : put_other(u, &here, path);
}

static int unpack_all(struct unpacking *u, const struct tar_entry *e)
{
	autofree char *dest = NULL;
	int n = 0;
	int r = draft_resolve(u->req->draft, u->req->dest, true, &dest, u->err);

	if (r == 0)
		r = draft_make_dir(u->req->draft, dest, 0, 0, NULL, u->err);
	if (r == 0)
		r = 1;
	while (r > 0) {
		if (++n > ENTRIES_MAX)
			return error_set(u->err, -E2BIG, "more than %d entries", ENTRIES_MAX);
		r = put_entry(u, e);
		if (r == 0)
			r = tar_next(u->tar, &e, u->err);
	}
	return r;
}

/* What cannot be read as an archive up to its first entry is a file like any other. */
static int unpack_from(const struct unpack_add *req, struct tar_reader *reader, struct error *err)
{
	cleanup(tar_reader_cleanup) struct tar_reader *tar = reader;
	struct unpacking u = { .req = req, .tar = tar, .err = err };
	const struct tar_entry *e;
	int r;

	if (tar_next(tar, &e, NULL) <= 0)
		return 1;
	r = unpack_all(&u, e);
	return r < 0 ? error_wrap(err, r, "unpack %s", req->name) : 0;
}

static ssize_t feed_filtered(void *data, const void **ret, struct error *err)
{
	return filter_next(data, ret, err);
}

int unpack_add(const struct unpack_add *req, struct error *err)
{
	const struct stream_request sr = { .fd = req->fd,
					   .offset = 0,
					   .size = -1,
					   .keep_fd = -1,
					   .threaded = true,
					   .stop_fd = -1 };
	cleanup(stream_cleanup) struct stream *stream = NULL;
	cleanup(filter_cleanup) struct filter *filter = NULL;

	if (filter_open(req->fd, &filter) == 0)
		return unpack_from(req, tar_reader_new(feed_filtered, filter), err);
	if (stream_open(&sr, &stream, NULL) < 0)
		return 1;
	return unpack_from(req, tar_reader_new(feed, stream), err);
}
