/* src/disk/tree_erofs.c
 *
 * The kernel's fs/erofs/erofs_fs.h, as erofs.c has it.  Of what other programs write, there are
 * inodes of 32 bytes, attributes that several files share, and chunks with a device.
 */
#include "disk/tree_erofs.h"

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "disk/filetree.h"
#include "disk/tree_inodes.h"
#include "image/tar.h"

#define SUPER         1024
#define SUPER_LEN     128
#define MAGIC         0xe0f5e1e2U
#define DIRENT_LEN    12
#define DIR_MAX       (256U << 20)
#define NO_BLOCK      0xffffffffU
#define KNOWN         (0x1U | 0x4U) /* incompatible features: padding, chunks */
#define CHUNK_INDEXED 0x20U
#define XATTR_HEAD    12
#define XATTR_LONG    0x80U /* a prefix of the image's own */

enum layout { PLAIN, COMPRESSED, INLINE, COMPRESSED_COMPACT, CHUNKS };

struct erofs {
	int64_t block; /* bytes */
	int64_t meta, shared;
	struct timespec built;
};

struct inode {
	enum layout layout;
	int64_t tail; /* behind inode and attributes */
	int64_t xattrs_at;
	size_t xattrs_len;
	uint32_t where;
};

/* attributes */

static int take_xattr(const struct inodes *g, struct file *f, int64_t at, size_t *ret_len)
{
	static const char *const prefixes[] = {
		"",   "user.",    "system.posix_acl_access", "system.posix_acl_default", "trusted.",
		NULL, "security."
	};
	unsigned char head[4] = { 0 };
	autofree char *bytes = NULL;
	size_t name_len, len;
	int r = inodes_get(g, at, head, sizeof(head), "attributes");

	if (r < 0)
		return r;
	name_len = head[0];
	len = (size_t)get_le(head + 2, 2);
	*ret_len = (sizeof(head) + name_len + len + 3) / 4 * 4;
	if (head[1] & XATTR_LONG)
		return error_set(g->err, -EOPNOTSUPP,
				 "it is an EROFS whose attributes have prefixes of its own");
	bytes = xmalloc(name_len + len + 1);
	r = inodes_get(g, at + (int64_t)sizeof(head), bytes, name_len + len, "attributes");
	if (r == 0 && head[1] < ARRAY_SIZE(prefixes) && prefixes[head[1]])
		inodes_xattr(f, prefixes[head[1]], bytes, name_len, bytes + name_len, len);
	return r;
}

static int read_xattrs(const struct inodes *g, struct file *f, const struct inode *in)
{
	const struct erofs *e = g->data;
	unsigned char head[XATTR_HEAD] = { 0 }, id[4] = { 0 };
	size_t at = XATTR_HEAD, len = 4;
	int r;

	if (!in->xattrs_len)
		return 0;
	r = inodes_get(g, in->xattrs_at, head, sizeof(head), "attributes");
	for (unsigned i = 0; r == 0 && i < head[4]; i++, at += 4) {
		r = inodes_get(g, in->xattrs_at + (int64_t)at, id, 4, "attributes");
		if (r == 0)
			r = take_xattr(g, f, e->shared + (int64_t)get_le(id, 4) * 4, &len);
	}
	while (r == 0 && at + 4 <= in->xattrs_len) {
		r = take_xattr(g, f, in->xattrs_at + (int64_t)at, &len);
		at += len;
	}
	return r;
}

/* contents */

static int read_chunks(const struct inodes *g, struct file *f, const struct inode *in)
{
	const struct erofs *e = g->data;
	int64_t chunk = e->block << (in->where & 0x1f), at = in->tail, step = 4;
	int64_t n = (f->content.size + chunk - 1) / chunk;
	unsigned char entry[8] = { 0 };

	if (in->where & CHUNK_INDEXED) {
		at = (at + 7) / 8 * 8;
		step = 8;
	}
	if (chunk > TAR_SIZE_MAX || n > g->at.size / step)
		return inodes_damaged(g, "the chunks of a file");
	for (int64_t i = 0; i < n; i++) {
		uint32_t block;
		int r = inodes_get(g, at + i * step, entry, (size_t)step, "the chunks of a file");

		if (r < 0)
			return r;
		block = (uint32_t)get_le(entry + step - 4, 4);
		r = block == NO_BLOCK
			    ? 0
			    : inodes_piece(g, f, i * chunk, (int64_t)block * e->block, chunk);
		if (r < 0)
			return r;
	}
	return 0;
}

/* As pieces, whatever it is. */
static int read_data(const struct inodes *g, struct file *f, const struct inode *in)
{
	const struct erofs *e = g->data;
	int64_t size = f->content.size, whole = size;
	int r = 0;

	if (in->layout == CHUNKS)
		return read_chunks(g, f, in);
	if (in->layout == COMPRESSED || in->layout == COMPRESSED_COMPACT)
		return error_set(g->err, -EOPNOTSUPP,
				 "it is an EROFS with compressed files: 'fsck.erofs --extract' "
				 "unpacks it");
	if (in->layout == INLINE)
		whole = size / e->block * e->block;
	if (whole)
		r = inodes_piece(g, f, 0, (int64_t)in->where * e->block, whole);
	return r < 0 || whole == size ? r : inodes_piece(g, f, whole, in->tail, size - whole);
}

/* inodes */

static void take_short(const struct erofs *e, const unsigned char *i, struct file *f,
		       struct inode *in)
{
	f->content.size = (int64_t)get_le(i + 8, 4);
	in->where = (uint32_t)get_le(i + 16, 4);
	f->uid = (uint32_t)get_le(i + 24, 2);
	f->gid = (uint32_t)get_le(i + 26, 2);
	f->mtime = e->built;
}

static void take_long(const unsigned char *i, struct file *f, struct inode *in)
{
	f->content.size = (int64_t)get_le(i + 8, 8);
	in->where = (uint32_t)get_le(i + 16, 4);
	f->uid = (uint32_t)get_le(i + 24, 4);
	f->gid = (uint32_t)get_le(i + 28, 4);
	f->mtime.tv_sec = (int64_t)get_le(i + 32, 8);
	f->mtime.tv_nsec = (long)MIN(get_le(i + 40, 4), 999999999U);
}

static int look_at(const struct inodes *g, uint64_t number, struct file *f, struct inode *in)
{
	const struct erofs *e = g->data;
	unsigned char i[64] = { 0 };
	int64_t at = e->meta + (int64_t)(MIN(number, (uint64_t)TAR_SIZE_MAX) * 32);
	size_t len = 32, xattrs;
	int r = inodes_get(g, at, i, len, "an inode");

	if (r == 0 && (i[0] & 1)) {
		len = 64;
		r = inodes_get(g, at, i, len, "an inode");
	}
	if (r < 0)
		return r;
	*in = (struct inode) { .layout = (enum layout)(get_le(i, 2) >> 1 & 7) };
	f->mode = (mode_t)get_le(i + 4, 2);
	if (len == 32)
		take_short(e, i, f, in);
	else
		take_long(i, f, in);
	xattrs = (size_t)get_le(i + 2, 2);
	in->xattrs_at = at + (int64_t)len;
	in->xattrs_len = xattrs ? XATTR_HEAD + 4 * (xattrs - 1) : 0;
	in->tail = in->xattrs_at + (int64_t)in->xattrs_len;
	if (f->content.size < 0 || f->content.size > TAR_SIZE_MAX || in->layout > CHUNKS)
		return inodes_damaged(g, "an inode");
	return 0;
}

static int read_link(const struct inodes *g, struct file *f)
{
	char *text = NULL;
	size_t len = (size_t)f->content.size;
	int r = inodes_bytes(g, f, TAR_NAME_MAX, &text, "a symbolic link");

	content_done(&f->content);
	return r < 0 ? r : inodes_target(g, f, text, len);
}

static int read_inode(struct inodes *g, uint64_t number, struct file *f)
{
	struct inode in;
	int r = look_at(g, number, f, &in);

	if (r == 0 && (S_ISCHR(f->mode) || S_ISBLK(f->mode))) {
		f->major = in.where >> 8 & 0xfff;
		f->minor = (in.where & 0xff) | (in.where >> 12 & 0xfff00);
	}
	if (r == 0 && (S_ISREG(f->mode) || S_ISLNK(f->mode)))
		r = read_data(g, f, &in);
	else
		f->content.size = 0;
	if (r == 0 && S_ISREG(f->mode))
		f->content.kind = f->content.n || f->content.size ? CONTENT_PIECES : CONTENT_BYTES;
	if (r == 0 && S_ISLNK(f->mode))
		r = read_link(g, f);
	return r < 0 || S_ISLNK(f->mode) ? r : read_xattrs(g, f, &in);
}

/* directories */

static int read_names(struct inodes *g, struct file *dir, const unsigned char *block, size_t len)
{
	size_t n = len >= DIRENT_LEN ? (size_t)get_le(block + 8, 2) / DIRENT_LEN : 0;
	int r = 0;

	if (n == 0 || n * DIRENT_LEN > len)
		return inodes_damaged(g, "a directory");
	for (size_t i = 0; r == 0 && i < n; i++) {
		const unsigned char *e = block + i * DIRENT_LEN;
		size_t from = (size_t)get_le(e + 8, 2);
		size_t to = i + 1 < n ? (size_t)get_le(e + DIRENT_LEN + 8, 2) : len;

		if (from < n * DIRENT_LEN || to <= from || to > len)
			return inodes_damaged(g, "a directory");
		r = inodes_name(g, dir, block + from,
				strnlen((const char *)block + from, to - from), get_le(e, 8));
	}
	return r;
}

static int list(struct inodes *g, uint64_t number, struct file *dir)
{
	const struct erofs *e = g->data;
	struct file data = { .mode = 0 };
	autofree char *bytes = NULL;
	struct inode in;
	size_t size;
	int r = look_at(g, number, &data, &in);

	size = (size_t)data.content.size;
	if (r == 0)
		r = read_data(g, &data, &in);
	if (r == 0)
		r = inodes_bytes(g, &data, DIR_MAX, &bytes, "a directory");
	content_done(&data.content);
	for (size_t at = 0; r == 0 && at < size; at += (size_t)e->block)
		r = read_names(g, dir, (unsigned char *)bytes + at,
			       MIN((size_t)e->block, size - at));
	return r;
}

int filetree_add_erofs(struct filetree *t, const struct region *at, struct error *err)
{
	static const struct inodes_kind kind = { "fsck.erofs", read_inode, list };
	unsigned char super[SUPER_LEN] = { 0 };
	struct erofs e = { .block = 0 };
	struct inodes g = { .kind = &kind, .data = &e, .at = *at, .tree = t, .err = err };
	int r = inodes_get(&g, SUPER, super, sizeof(super), "the superblock");

	if (r < 0)
		return r;
	if (get_le(super, 4) != MAGIC || super[12] < 9 || super[12] > 16)
		return inodes_damaged(&g, "the superblock");
	if (get_le(super + 80, 4) & ~KNOWN)
		return error_set(
			err, -EOPNOTSUPP,
			"it is an EROFS that is compressed, or has other features that are "
			"not read: 'fsck.erofs --extract' unpacks it");
	e.block = (int64_t)1 << super[12];
	e.meta = (int64_t)get_le(super + 40, 4) * e.block;
	e.shared = (int64_t)get_le(super + 44, 4) * e.block;
	e.built = (struct timespec) { .tv_sec = (int64_t)get_le(super + 24, 8) };
	return inodes_read(&g, get_le(super + 14, 2));
}
