/* src/disk/tree_xfs_xattr.c - attributes of an XFS's inodes: within, in blocks, in a tree of those,
 * values in blocks of their own.
 */
#include <string.h>

#include "base/alloc.h"
#include "disk/filetree.h"
#include "disk/tree_xfs_inside.h"
#include "image/tar.h"

#define NODE        0x3ebeU
#define LEAF        0x3beeU
#define NODE_HEAD   64
#define LEAF_HEAD   80
#define LOCAL       0x1U
#define TRUSTED     0x2U
#define SECURITY    0x4U
#define NOT_OURS    (0x8U | 0x80U) /* who a file's parents are; half written */
#define LEVELS_MAX  5
#define FORK_MAX    ((int64_t)1 << 48) /* 2^32 blocks of 64 KB */
#define ACL_ENTRIES 5461               /* what the kernel's 64 KB hold */

/* An ACL has its count, and 12 bytes for each entry; the kernel shows a version, and 8. */
static void take_acl(struct file *f, const char *name, const unsigned char *p, size_t len)
{
	enum { NAMED = 2 | 8 };
	size_t n = len < 4 ? 0 : MIN((len - 4) / 12, (size_t)ACL_ENTRIES);
	autofree unsigned char *to = xcalloc(1, 4 + 8 * n);

	n = len < 4 ? 0 : MIN((size_t)get_be(p, 4), n);
	to[0] = 2;
	for (size_t i = 0; i < n; i++) {
		const unsigned char *from = p + 4 + 12 * i;
		unsigned char *e = to + 4 + 8 * i;
		bool named = from[3] & NAMED;

		e[0] = from[3];
		e[2] = from[9];
		for (size_t k = 0; k < 4; k++)
			e[4 + k] = named ? from[7 - k] : 0xff;
	}
	inodes_xattr(f, name, "", 0, to, 4 + 8 * n);
}

static void take(struct file *f, unsigned flags, const char *name, size_t name_len,
		 const unsigned char *value, size_t len)
{
	static const char file[] = "SGI_ACL_FILE", preset[] = "SGI_ACL_DEFAULT";

	if (!(flags & TRUSTED))
		inodes_xattr(f, flags & SECURITY ? "security." : "user.", name, name_len, value,
			     len);
	else if (name_len == sizeof(file) - 1 && memcmp(name, file, name_len) == 0)
		take_acl(f, "system.posix_acl_access", value, len);
	else if (name_len == sizeof(preset) - 1 && memcmp(name, preset, name_len) == 0)
		take_acl(f, "system.posix_acl_default", value, len);
	else
		inodes_xattr(f, "trusted.", name, name_len, value, len);
}

static int read_small(const struct inodes *g, const struct xfs_inode_in *in, struct file *f)
{
	const unsigned char *p = in->xattrs.bytes, *end = p + in->xattrs.len;
	size_t n;

	if (in->xattrs.len < 4)
		return inodes_damaged(g, "attributes");
	n = p[2];
	for (p += 4; n > 0; n--) {
		size_t name_len, len;

		if (end - p < 3)
			return inodes_damaged(g, "attributes");
		name_len = p[0];
		len = p[1];
		if (name_len == 0 || (size_t)(end - p) < 3 + name_len + len)
			return inodes_damaged(g, "attributes");
		if (!(p[2] & NOT_OURS))
			take(f, p[2], (const char *)p + 3, name_len, p + 3 + name_len, len);
		p += 3 + name_len + len;
	}
	return 0;
}

/* blocks */

struct leaf {
	const struct inodes *g;
	const struct xfs_inode_in *in;
	const struct file *fork;
	struct file *to;
	unsigned char *b; /* its bytes */
};

static int take_remote(const struct leaf *l, unsigned flags, const unsigned char *p)
{
	const struct xfs_in *x = l->g->data;
	const struct xfs_value_in value = { l->fork, "XARM", (int64_t)get_be(p, 4) * x->block };
	size_t len = (size_t)get_be(p + 4, 4);
	autofree char *bytes = NULL;
	int r;

	if (len > XFS_IN_BLOCK_MAX)
		return inodes_damaged(l->g, "attributes");
	bytes = xmalloc(len + 1);
	r = xfs_in_value(l->g, l->in, &value, bytes, len);
	if (r == 0)
		take(l->to, flags, (const char *)p + 9, p[8], (unsigned char *)bytes, len);
	return r;
}

static int take_item(const struct leaf *l, const unsigned char *item)
{
	const struct xfs_in *x = l->g->data;
	size_t at = (size_t)get_be(item + 4, 2), len;
	const unsigned char *p = l->b + at;
	unsigned flags = item[6];

	if (at < LEAF_HEAD || at + 9 > x->block)
		return inodes_damaged(l->g, "attributes");
	len = flags & LOCAL ? 3U + p[2] + get_be(p, 2) : 9U + p[8];
	if (len > x->block - at)
		return inodes_damaged(l->g, "attributes");
	if (flags & NOT_OURS)
		return 0;
	if (!(flags & LOCAL))
		return take_remote(l, flags, p);
	take(l->to, flags, (const char *)p + 3, p[2], p + 3 + p[2], (size_t)get_be(p, 2));
	return 0;
}

/* A block of the fork, of one of both kinds; *ret_n is how much is in it. */
static int get_block(const struct leaf *l, uint64_t block, size_t *ret_n)
{
	const struct xfs_in *x = l->g->data;
	int r = xfs_in_get(l->g, l->fork, (int64_t)(block * x->block), l->b, x->block,
			   "attributes");
	uint64_t kind;

	if (r < 0)
		return r;
	kind = get_be(l->b + 8, 2);
	*ret_n = (size_t)get_be(l->b + 56, 2);
	if ((kind != LEAF && kind != NODE) || get_be(l->b + 48, 8) != l->in->number ||
	    *ret_n > (x->block - (kind == LEAF ? LEAF_HEAD : NODE_HEAD)) / 8)
		return inodes_damaged(l->g, "attributes");
	return kind == LEAF;
}

/* Down to the first leaf, and from each on to the next; what is more than there can be turns round
 * in a circle.
 */
static int read_leaves(const struct leaf *l)
{
	const struct xfs_in *x = l->g->data;
	uint64_t block = 0;
	size_t n = 0;
	int r = get_block(l, 0, &n);

	for (unsigned level = 0; r == 0; level++) {
		if (level == LEVELS_MAX || n == 0)
			return inodes_damaged(l->g, "attributes");
		r = get_block(l, get_be(l->b + NODE_HEAD + 4, 4), &n);
	}
	for (uint64_t seen = 0; r > 0; seen++) {
		for (size_t i = 0; i < n; i++) {
			r = take_item(l, l->b + LEAF_HEAD + 8 * i);
			if (r < 0)
				return r;
		}
		block = get_be(l->b, 4);
		if (block == 0 || l->to->nxattrs >= TAR_XATTRS_MAX)
			return 0;
		if (seen > (uint64_t)l->g->at.size / x->block)
			return inodes_damaged(l->g, "attributes");
		r = get_block(l, block, &n);
		if (r == 0)
			r = inodes_damaged(l->g, "attributes");
	}
	return r;
}

int xfs_in_xattrs(const struct inodes *g, const struct xfs_inode_in *in, struct file *f)
{
	const struct xfs_in *x = g->data;
	struct file fork = { .content = { .kind = CONTENT_PIECES, .size = FORK_MAX } };
	struct leaf l = { .g = g, .in = in, .fork = &fork, .to = f };
	int r;

	if (in->xattrs.len == 0 || (in->xattrs.format == XFS_EXTENTS && in->xattrs.runs == 0))
		return 0;
	if (in->xattrs.format == XFS_LOCAL)
		return read_small(g, in, f);
	r = xfs_in_fork(g, in, &in->xattrs, &fork);
	if (r == 0) {
		l.b = xmalloc(x->block);
		r = read_leaves(&l);
		free(l.b);
	}
	content_done(&fork.content);
	return r;
}
