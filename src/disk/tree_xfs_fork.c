/* src/disk/tree_xfs_fork.c - where the blocks of an XFS's inode lie. */
#include <string.h>

#include "base/alloc.h"
#include "disk/filetree.h"
#include "disk/tree_xfs_inside.h"
#include "image/tar.h"

#define EXTENT     16
#define TREE_HEAD  72
#define ROOT_HEAD  4
#define LEVELS_MAX 12 /* the kernel has at most 9 for 2^48 extents */
#define VALUE_HEAD 56

struct walk {
	const struct inodes *g;
	const struct xfs_inode_in *in;
	struct file *file;
	uint64_t next; /* the first block of the file that may come */
};

int xfs_in_place(const struct inodes *g, uint64_t block, uint64_t n, int64_t *ret)
{
	const struct xfs_in *x = g->data;
	uint64_t group = block >> x->group_log, in = block & ((1ULL << x->group_log) - 1);

	if (group >= x->groups || in >= x->group_blocks || n > x->group_blocks - in)
		return inodes_damaged(g, "blocks outside of it");
	*ret = (int64_t)((group * x->group_blocks + in) * x->block);
	return 0;
}

static int take_extents(struct walk *w, const unsigned char *p, size_t n)
{
	const struct xfs_in *x = w->g->data;
	int r = 0;

	for (; r == 0 && n > 0; n--, p += EXTENT) {
		uint64_t high = get_be(p, 8), low = get_be(p + 8, 8);
		uint64_t at = (high & ~(1ULL << 63)) >> 9, len = low & ((1U << 21) - 1);
		int64_t from = 0;

		if (len == 0 || at < w->next || at > (uint64_t)TAR_SIZE_MAX / x->block)
			return inodes_damaged(w->g, "the extents of a file");
		r = xfs_in_place(w->g, (high & 0x1ff) << 43 | low >> 21, len, &from);
		if (r == 0 && !(high >> 63))
			r = inodes_piece(w->g, w->file, (int64_t)(at * x->block), from,
					 (int64_t)(len * x->block));
		w->next = at + len;
	}
	return r;
}

/* Each leaf has an extent that is behind all before it, so none is visited twice. */
static int take_tree(struct walk *w, uint64_t block, unsigned level)
{
	const struct xfs_in *x = w->g->data;
	autofree unsigned char *b = xmalloc(x->block);
	size_t n, most = (x->block - TREE_HEAD) / EXTENT;
	int64_t at = 0;
	int r = xfs_in_place(w->g, block, 1, &at);

	if (r == 0)
		r = inodes_get(w->g, at, b, x->block, "the extents of a file");
	if (r < 0)
		return r;
	n = (size_t)get_be(b + 6, 2);
	if (memcmp(b, "BMA3", 4) != 0 || get_be(b + 4, 2) != level || n == 0 || n > most ||
	    get_be(b + 56, 8) != w->in->number)
		return inodes_damaged(w->g, "the extents of a file");
	if (level == 0)
		return take_extents(w, b + TREE_HEAD, n);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = take_tree(w, get_be(b + TREE_HEAD + 8 * (most + i), 8), level - 1);
	return r;
}

static int take_root(struct walk *w, const struct xfs_fork_in *fork)
{
	size_t most = fork->len < ROOT_HEAD ? 0 : (fork->len - ROOT_HEAD) / EXTENT;
	size_t n = most ? (size_t)get_be(fork->bytes + 2, 2) : 0;
	unsigned level = most ? (unsigned)get_be(fork->bytes, 2) : 0;
	int r = 0;

	if (n == 0 || n > most || level == 0 || level > LEVELS_MAX)
		return inodes_damaged(w->g, "the extents of a file");
	for (size_t i = 0; r == 0 && i < n; i++)
		r = take_tree(w, get_be(fork->bytes + ROOT_HEAD + 8 * (most + i), 8), level - 1);
	return r;
}

int xfs_in_fork(const struct inodes *g, const struct xfs_inode_in *in,
		const struct xfs_fork_in *fork, struct file *f)
{
	struct walk w = { .g = g, .in = in, .file = f };

	if (fork->format == XFS_BTREE)
		return take_root(&w, fork);
	if (fork->format != XFS_EXTENTS || fork->runs > fork->len / EXTENT)
		return inodes_damaged(g, "the extents of a file");
	return take_extents(&w, fork->bytes, (size_t)fork->runs);
}

int xfs_in_get(const struct inodes *g, const struct file *fork, int64_t at, void *to, size_t len,
	       const char *what)
{
	cleanup(content_close) struct content_reader rd = CONTENT_READER_INIT;
	int64_t start, n;
	char *p = to;
	int r = content_open(&fork->content, &rd, g->err);

	while (r == 0 && len > 0) {
		if (content_next(&rd, at, &start, &n) <= 0 || start != at)
			return inodes_damaged(g, what);
		n = MIN(n, (int64_t)len);
		r = content_get(&rd, at, n, p);
		if (r < 0)
			return error_sys(g->err, r, "read the disk");
		p += n;
		at += n;
		len -= (size_t)n;
	}
	return r;
}

int xfs_in_value(const struct inodes *g, const struct xfs_inode_in *in,
		 const struct xfs_value_in *value, char *to, size_t len)
{
	static const char what[] = "a value in its own blocks";
	const struct xfs_in *x = g->data;
	unsigned char head[VALUE_HEAD];
	int64_t at = value->at;
	size_t n;

	for (size_t done = 0; done < len; done += n) {
		int r = xfs_in_get(g, value->fork, at, head, sizeof(head), what);

		if (r < 0)
			return r;
		n = (size_t)get_be(head + 8, 4);
		if (memcmp(head, value->magic, 4) != 0 || get_be(head + 4, 4) != done || n == 0 ||
		    n > len - done || get_be(head + 32, 8) != in->number)
			return inodes_damaged(g, what);
		r = xfs_in_get(g, value->fork, at + VALUE_HEAD, to + done, n, what);
		if (r < 0)
			return r;
		at += (int64_t)((VALUE_HEAD + n + x->block - 1) / x->block * x->block);
	}
	return 0;
}
