/* src/disk/tree_xfs_dir.c - names in an XFS's directories; what finds them by hash is not looked
 * at.
 */
#include <string.h>

#include "base/alloc.h"
#include "disk/filetree.h"
#include "disk/tree_xfs_inside.h"

#define HEAD   64 /* of a block */
#define UNUSED 0xffffU
#define END    (1LL << 35) /* where a directory's index begins */

static int read_small(struct inodes *g, const struct xfs_inode_in *in, struct file *dir)
{
	const unsigned char *p = in->data.bytes, *end = p + in->data.len;
	size_t n, wide;
	int r = 0;

	if (in->data.len < 10)
		return inodes_damaged(g, "a directory");
	n = p[0];
	wide = p[1] ? 8 : 4;
	/* A name has its length, a place to go on from, its text, a kind, and its inode. */
	for (p += 2 + wide; r == 0 && n > 0; n--) {
		size_t len = p < end ? p[0] : 0;

		if (len == 0 || (size_t)(end - p) < 3 + len + 1 + wide)
			return inodes_damaged(g, "a directory");
		r = inodes_name(g, dir, p + 3, len, get_be(p + 4 + len, wide));
		p += 4 + len + wide;
	}
	return r;
}

/* Up to where a block's names go; a directory of one block has its index at the end of it. */
static size_t end_of(const unsigned char *b, size_t size)
{
	uint64_t n;

	if (memcmp(b, "XDD3", 4) == 0)
		return size;
	if (memcmp(b, "XDB3", 4) != 0)
		return 0;
	n = get_be(b + size - 8, 4);
	return n > (size - HEAD - 8) / 8 ? 0 : size - 8 - 8 * (size_t)n;
}

static int read_block(struct inodes *g, const struct xfs_inode_in *in, struct file *dir,
		      const unsigned char *b, size_t size)
{
	size_t end = end_of(b, size);
	int r = 0;

	if (end == 0 || get_be(b + 40, 8) != in->number)
		return inodes_damaged(g, "a directory");
	for (size_t at = HEAD, step; r == 0 && at < end; at += step) {
		const unsigned char *p = b + at;
		bool used = end - at >= 16 && get_be(p, 2) != UNUSED;

		/* Number, length, text, kind, and where it begins; in steps of 8. */
		step = used ? (8U + 1 + p[8] + 1 + 2 + 7) / 8 * 8 : (size_t)get_be(p + 2, 2);
		if (step < 8 || step % 8 || step > end - at)
			return inodes_damaged(g, "a directory");
		if (used)
			r = inodes_name(g, dir, p + 9, p[8], get_be(p, 8));
	}
	return r;
}

int xfs_in_names(struct inodes *g, const struct xfs_inode_in *in, struct file *dir)
{
	const struct xfs_in *x = g->data;
	cleanup(content_close) struct content_reader rd = CONTENT_READER_INIT;
	autofree unsigned char *b = xmalloc(x->dir_block);
	uint64_t size = get_be(in->bytes + 56, 8);
	struct file data = { .content = { .kind = CONTENT_PIECES, .size = (int64_t)size } };
	int64_t at = 0, start, len;
	int r;

	if (in->data.format == XFS_LOCAL)
		return read_small(g, in, dir);
	if (size > END || size > (uint64_t)g->at.size)
		return inodes_damaged(g, "the size of a directory");
	r = xfs_in_fork(g, in, &in->data, &data);
	if (r == 0)
		r = content_open(&data.content, &rd, g->err);
	/* Where all names of a block went away it is a hole. */
	while (r == 0 && content_next(&rd, at, &start, &len) > 0) {
		start -= start % x->dir_block;
		r = xfs_in_get(g, &data, start, b, x->dir_block, "a directory");
		if (r == 0)
			r = read_block(g, in, dir, b, x->dir_block);
		at = start + x->dir_block;
	}
	content_done(&data.content);
	return r;
}
