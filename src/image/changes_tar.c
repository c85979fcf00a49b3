/* src/image/changes_tar.c - a tree as an archive */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "base/alloc.h"
#include "image/attributes.h"
#include "image/tar_write.h"
#include "image/changes.h"

#define READ_SIZE (256U << 10)
#define WHITEOUT  ".wh."

/* The first name of an inode that has several. */
struct first {
	dev_t dev;
	ino_t ino;
	char *path; /* NULL: an empty place */
};

struct writer {
	struct tar_writer *tar;
	const struct changes_tar *options;
	bool is_new;         /* changes_request's */
	struct first *table; /* open hash table, room is a power of two */
	size_t n, room;
	unsigned char *buffer;
};

/* hard links */

static struct first *place(struct first *table, size_t room, dev_t dev, ino_t ino)
{
	size_t at = (size_t)((ino ^ dev) * 0x9e3779b97f4a7c15ULL >> 8) & (room - 1);

	while (table[at].path && (table[at].ino != ino || table[at].dev != dev))
		at = (at + 1) & (room - 1);
	return &table[at];
}

static void grow(struct writer *w)
{
	size_t room = MAX(w->room * 2, 256U);
	struct first *table = xcalloc(room, sizeof(*table));

	for (size_t i = 0; i < w->room; i++)
		if (w->table[i].path)
			*place(table, room, w->table[i].dev, w->table[i].ino) = w->table[i];
	free(w->table);
	w->table = table;
	w->room = room;
}

/* The name under which the archive has it already, or NULL. */
static const char *first_name(struct writer *w, const struct change *item)
{
	struct first *f;

	if (w->n * 2 >= w->room)
		grow(w);
	f = place(w->table, w->room, item->st.st_dev, item->st.st_ino);
	if (f->path)
		return f->path;
	*f = (struct first) { item->st.st_dev, item->st.st_ino, xstrdup(item->path) };
	w->n++;
	return NULL;
}

/* one item */

static int fail(const struct change *item, int r, struct error *err)
{
	return error_sys(err, r, "read /%.300s", item->path);
}

/* A file that grows or shrinks meanwhile is cut, or filled with zeros: its header has been written.
 */
static int put_data(struct writer *w, const struct change *item, int fd, int64_t size,
		    struct error *err)
{
	int r = 0;

	while (r == 0 && size > 0) {
		size_t want = (size_t)MIN(size, (int64_t)READ_SIZE);
		ssize_t n = TEMP_FAILURE_RETRY(read(fd, w->buffer, want));

		if (n < 0)
			return fail(item, -errno, err);
		if (n == 0) {
			memset(w->buffer, 0, want);
			n = (ssize_t)want;
		}
		r = tar_put_data(w->tar, w->buffer, (size_t)n, err);
		size -= n;
	}
	return r;
}

static bool is_plain_root(const struct change *item, const struct tar_entry *e)
{
	return !*item->path && e->mode == 0755 && e->uid == 0 && e->gid == 0 && e->nxattrs == 0;
}

static int put_dir(struct writer *w, const struct change *item, struct tar_entry *e,
		   struct error *err)
{
	autoclose int fd =
		openat(item->dir, item->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	autofree char *mark = NULL;
	int r = fd < 0 ? -errno : 0;

	if (r == 0 && fgetxattr(fd, "trusted.overlay.redirect", NULL, 0) >= 0)
		return error_set(err, -EOPNOTSUPP,
				 "/%.300s: it was renamed out of a layer below (overlay's "
				 "redirect_dir)",
				 item->path);
	if (r == 0)
		r = attributes_list(fd, &e->xattrs, &e->nxattrs);
	if (r < 0)
		return fail(item, r, err);
	if (!is_plain_root(item, e))
		r = tar_put(w->tar, e, err);
	attributes_free(e->xattrs, e->nxattrs);
	if (r < 0 || !item->opaque)
		return r;
	mark = xasprintf("%s/.wh..wh..opq", item->path);
	return tar_put_file(w->tar, mark, NULL, 0, err);
}

static int put_symlink(struct writer *w, const struct change *item, struct tar_entry *e,
		       struct error *err)
{
	char target[TAR_NAME_MAX + 1];
	ssize_t n = readlinkat(item->dir, item->name, target, sizeof(target) - 1);
	int r;

	if (n < 0)
		return fail(item, -errno, err);
	target[n] = '\0';
	e->link = target;
	r = tar_put(w->tar, e, err);
	e->link = "";
	return r;
}

static int put_whiteout(struct writer *w, const struct change *item, struct error *err)
{
	autofree char *name =
		xasprintf("%.*s.wh.%s", (int)(strlen(item->path) - strlen(item->name)), item->path,
			  item->name);

	return tar_put_file(w->tar, name, NULL, 0, err);
}

static void entry_of(const struct writer *w, const struct change *item, struct tar_entry *e)
{
	const struct stat *st = &item->st;
	int64_t newest = w->options->newest_s;

	*e = (struct tar_entry) {
		.link = "",
		.mode = st->st_mode & 07777,
		.uid = st->st_uid,
		.gid = st->st_gid,
		.size = S_ISREG(st->st_mode) ? st->st_size : 0,
		.mtime.tv_sec = st->st_mtim.tv_sec,
	};
	if (newest >= 0 && e->mtime.tv_sec > newest)
		e->mtime.tv_sec = newest;
	if (S_ISCHR(st->st_mode) || S_ISBLK(st->st_mode)) {
		e->major = major(st->st_rdev);
		e->minor = minor(st->st_rdev);
	}
	e->type = S_ISREG(st->st_mode)   ? TAR_FILE
		  : S_ISDIR(st->st_mode) ? TAR_DIR
		  : S_ISLNK(st->st_mode) ? TAR_SYMLINK
		  : S_ISCHR(st->st_mode) ? TAR_CHAR
		  : S_ISBLK(st->st_mode) ? TAR_BLOCK_DEVICE
					 : TAR_FIFO;
}

/* A container that runs meanwhile may put something else in its place: to open a device is to act
 * on the host, so what is there is looked at before it is opened.
 */
static int open_regular(const struct change *item, struct stat *ret, struct error *err)
{
	autoclose int look = openat(item->dir, item->name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
	char path[64];
	int fd;

	if (look < 0 || fstat(look, ret) < 0)
		return fail(item, -errno, err);
	if (!S_ISREG(ret->st_mode))
		return error_set(err, -ESTALE,
				 "/%.300s: something else took its place while it was read; a "
				 "container that is paused or stopped holds still",
				 item->path);
	(void)snprintf(path, sizeof(path), "/proc/self/fd/%d", look);
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	return fd < 0 ? fail(item, -errno, err) : fd;
}

static int put_file(struct writer *w, const struct change *item, struct tar_entry *e,
		    struct error *err)
{
	struct change now = *item;
	autoclose int fd = open_regular(item, &now.st, err);
	char *name = e->name;
	int r;

	/* Gone while we look: there never was one, unless another name leads to it. */
	if (fd == -ENOENT && item->st.st_nlink == 1) {
		if (err)
			*err = (struct error) { 0 };
		return 0;
	}
	if (fd < 0)
		return fd;
	/* Of what is open, not of what had its name a moment ago. */
	entry_of(w, &now, e);
	e->name = name;
	if (fgetxattr(fd, "trusted.overlay.metacopy", NULL, 0) >= 0)
		return error_set(err, -EOPNOTSUPP,
				 "/%.300s: its data is in another layer (overlay's metacopy)",
				 item->path);
	r = attributes_list(fd, &e->xattrs, &e->nxattrs);
	if (r < 0)
		return fail(item, r, err);
	r = tar_put(w->tar, e, err);
	attributes_free(e->xattrs, e->nxattrs);
	return r < 0 ? r : put_data(w, item, fd, e->size, err);
}

static int put_item(void *data, const struct change *item, struct error *err)
{
	struct writer *w = data;
	const char *first = NULL;
	autofree char *name = NULL;
	struct tar_entry e;

	if (item->kind == CHANGE_DELETED)
		return put_whiteout(w, item, err);
	if (w->is_new && strncmp(item->name, WHITEOUT, strlen(WHITEOUT)) == 0)
		return error_set(err, -EINVAL,
				 "/%.300s: no layer can hold a name that begins with " WHITEOUT
				 ": whoever reads it would remove the file that is named behind it",
				 item->path);
	entry_of(w, item, &e);
	name = e.type == TAR_DIR ? xasprintf("%s/", *item->path ? item->path : ".")
				 : xstrdup(item->path);
	e.name = name;
	if (e.type == TAR_DIR)
		return put_dir(w, item, &e, err);
	if (item->st.st_nlink > 1)
		first = first_name(w, item);
	if (first) {
		e.type = TAR_HARD_LINK;
		e.size = 0;
		e.link = (char *)first;
		return tar_put(w->tar, &e, err);
	}
	if (e.type == TAR_FILE)
		return put_file(w, item, &e, err);
	if (e.type == TAR_SYMLINK)
		return put_symlink(w, item, &e, err);
	return tar_put(w->tar, &e, err);
}

int changes_write(const struct changes_request *req, const struct changes_tar *options,
		  struct tar_writer *tar, struct error *err)
{
	struct writer w = {
		.tar = tar, .options = options, .is_new = req->is_new, .buffer = xmalloc(READ_SIZE)
	};
	struct changes_request walk = *req;
	int r;

	walk.visit = put_item;
	walk.data = &w;
	r = changes_walk(&walk, err);
	for (size_t i = 0; i < w.room; i++)
		free(w.table[i].path);
	free(w.table);
	free(w.buffer);
	return r;
}
