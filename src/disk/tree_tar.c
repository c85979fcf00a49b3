/* src/disk/tree_tar.c
 *
 * Names are resolved in the tree in memory, where nothing can lead outside: links in the way are
 * followed as tar would follow them inside of the machine's own root.
 */
#include "disk/tree_tar.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "disk/filetree.h"
#include "image/attributes.h"
#include "image/stream.h"
#include "image/tar_read.h"

#define READ_SIZE (256U << 10)

struct unpacking {
	struct filetree *tree;
	int fd, spool;
	int64_t at, spooled;
	unsigned char *buffer; /* of a plain file; else NULL */
	struct stream *stream;
	struct tar_reader *tar;
	struct error *err;
};

static ssize_t feed_plain(void *data, const void **ret, struct error *err)
{
	struct unpacking *u = data;
	ssize_t n = TEMP_FAILURE_RETRY(pread(u->fd, u->buffer, READ_SIZE, u->at));

	if (n < 0)
		return error_sys(err, -errno, "read");
	u->at += n;
	*ret = u->buffer;
	return n;
}

static int skip_plain(void *data, int64_t len, struct error *err)
{
	struct unpacking *u = data;

	return __builtin_add_overflow(u->at, len, &u->at)
		       ? error_set(err, -EBADMSG, "a size is too large")
		       : 0;
}

static ssize_t feed_stream(void *data, const void **ret, struct error *err)
{
	struct unpacking *u = data;

	return stream_next(u->stream, ret, err);
}

/* A plain file is read by its headers; anything else is read through. */
static int open_archive(struct unpacking *u)
{
	const struct stream_request req = { .fd = u->fd,
					    .offset = -1,
					    .size = -1,
					    .keep_fd = -1,
					    .unhashed = true,
					    .threaded = true,
					    .stop_fd = -1 };
	struct stat st;
	char first[4];
	bool plain = fstat(u->fd, &st) == 0 && S_ISREG(st.st_mode) &&
		     pread(u->fd, first, sizeof(first), 0) == sizeof(first) &&
		     packing_detect(first, sizeof(first)) == PACKING_NONE;
	int r = 0;

	if (plain) {
		u->buffer = xmalloc(READ_SIZE);
		u->tar = tar_reader_new(feed_plain, u);
		tar_reader_set_skip(u->tar, skip_plain);
		return 0;
	}
	r = stream_open(&req, &u->stream, u->err);
	if (r == 0)
		u->tar = tar_reader_new(feed_stream, u);
	return r;
}

/* names */

static int bad(const struct unpacking *u, const struct tar_entry *e, const char *why)
{
	return error_set(u->err, -EBADMSG, "%s: %s", e->name, why);
}

/* "./a//b/" to the directory a and the name b; "" for the root itself. */
static int place_name(struct unpacking *u, const struct tar_entry *e, struct file **ret_dir,
		      char ret_name[FILE_NAME_MAX + 1])
{
	autofree char *copy = xstrdup(e->name);
	size_t len = strlen(copy);
	char *slash;
	const char *name;

	while (len > 0 && (copy[len - 1] == '/' ||
			   (copy[len - 1] == '.' && (len == 1 || copy[len - 2] == '/'))))
		copy[--len] = '\0';
	slash = strrchr(copy, '/');
	name = slash ? slash + 1 : copy;
	if (strcmp(name, "..") == 0)
		return bad(u, e, "a name that ends in '..'");
	if (strlen(name) > FILE_NAME_MAX)
		return bad(u, e, "a name longer than 255 bytes");
	memcpy(ret_name, name, strlen(name) + 1);
	*(slash ? slash : copy) = '\0';
	*ret_dir = filetree_make_dir(u->tree, copy, e->mtime);
	return *ret_dir ? 0 : bad(u, e, "its directory is a file, or too deep");
}

/* entries */

static void take_attributes(struct file *f, const struct tar_entry *e)
{
	f->mode = (f->mode & S_IFMT) | (e->mode & 07777);
	f->uid = e->uid;
	f->gid = e->gid;
	f->mtime = e->mtime;
	f->major = e->major;
	f->minor = e->minor;
	attributes_free(f->xattrs, f->nxattrs);
	f->xattrs = e->nxattrs ? xcalloc(e->nxattrs, sizeof(*f->xattrs)) : NULL;
	f->nxattrs = e->nxattrs;
	for (size_t i = 0; i < e->nxattrs; i++) {
		size_t len = e->xattrs[i].len;
		char *value = xmalloc(len + 1);

		memcpy(value, e->xattrs[i].value, len);
		f->xattrs[i] = (struct tar_xattr) { .name = xstrdup(e->xattrs[i].name),
						    .value = value,
						    .len = len };
	}
}

static int spool_piece(struct unpacking *u, struct content *c, const void *bytes, size_t len,
		       int64_t at)
{
	const char *from = bytes;

	content_add_piece(c, at, u->spooled, (int64_t)len);
	while (len > 0) {
		ssize_t n = TEMP_FAILURE_RETRY(pwrite(u->spool, from, len, u->spooled));

		if (n <= 0)
			return error_sys(u->err, n < 0 ? -errno : -EIO, "write a temporary file");
		from += n;
		len -= (size_t)n;
		u->spooled += n;
	}
	return 0;
}

static int take_content(struct unpacking *u, const struct tar_entry *e, struct content *c)
{
	const void *bytes;
	int64_t at;
	ssize_t n;
	int r = 0;

	*c = (struct content) { .kind = CONTENT_PIECES, .size = e->size, .fd = u->spool };
	if (u->buffer && !tar_is_sparse(u->tar)) {
		c->fd = u->fd;
		if (e->size > 0)
			content_add_piece(c, 0, tar_position(u->tar), e->size);
		return 0;
	}
	while (r == 0 && (n = tar_data(u->tar, &bytes, &at, u->err)) != 0)
		r = n < 0 ? (int)n : spool_piece(u, c, bytes, (size_t)n, at);
	return r;
}

static int add_hard_link(struct unpacking *u, const struct tar_entry *e, struct file *dir,
			 const char *name)
{
	autofree char *copy = xstrdup(e->link);
	char *slash = strrchr(copy, '/');
	const char *last = slash ? slash + 1 : copy;
	struct file *to_dir, *to;

	if (slash)
		*slash = '\0';
	to_dir = slash ? filetree_resolve(u->tree, copy, NULL) : u->tree->root;
	to = to_dir && S_ISDIR(to_dir->mode) ? dir_find(to_dir, last) : NULL;
	if (!to || S_ISDIR(to->mode))
		return bad(u, e, "a hard link to what is not there");
	dir_put(dir, name, to);
	return 0;
}

static mode_t type_of(enum tar_type type)
{
	switch (type) {
	case TAR_SYMLINK:
		return S_IFLNK;
	case TAR_CHAR:
		return S_IFCHR;
	case TAR_BLOCK_DEVICE:
		return S_IFBLK;
	case TAR_DIR:
		return S_IFDIR;
	case TAR_FIFO:
		return S_IFIFO;
	case TAR_FILE:
	case TAR_HARD_LINK:
		break;
	}
	return S_IFREG;
}

static int add_entry(struct unpacking *u, const struct tar_entry *e)
{
	char name[FILE_NAME_MAX + 1] = "";
	struct file *dir = NULL, *f;
	int r = place_name(u, e, &dir, name);

	if (r < 0)
		return r;
	f = *name ? dir_find(dir, name) : u->tree->root;
	if (!*name && e->type != TAR_DIR)
		return bad(u, e, "the root is no directory");
	if (e->type == TAR_HARD_LINK)
		return add_hard_link(u, e, dir, name);
	if (e->type == TAR_SYMLINK && (!*e->link || strlen(e->link) >= TAR_NAME_MAX))
		return bad(u, e, "no file system holds its target");
	if (!f || !S_ISDIR(f->mode) || e->type != TAR_DIR) {
		f = filetree_add(u->tree, type_of(e->type));
		if (!f)
			return bad(u, e, "too many files");
		dir_put(dir, name, f);
	}
	take_attributes(f, e);
	if (e->type == TAR_SYMLINK)
		f->target = xstrdup(e->link);
	return e->type == TAR_FILE ? take_content(u, e, &f->content) : 0;
}

int filetree_add_tar(struct filetree *t, int fd, int spool, const char *what, struct error *err)
{
	struct unpacking u = { .tree = t, .fd = fd, .spool = spool, .err = err };
	const struct tar_entry *e;
	int r = open_archive(&u);

	while (r == 0 && (r = tar_next(u.tar, &e, err)) > 0)
		r = add_entry(&u, e);
	tar_reader_free(u.tar);
	stream_close(u.stream);
	free(u.buffer);
	return r < 0 ? error_wrap(err, r, "%s", what) : 0;
}
