/* src/disk/tree_xfs.c
 *
 * What xfs_inside.h writes is one case of it: others have larger blocks, sparse inodes, trees of
 * extents, and what a kernel left behind.
 */
#include "disk/tree_xfs.h"

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "disk/filetree.h"
#include "disk/tree_xfs_inside.h"
#include "image/tar.h"

#define SUPER_LEN    512
#define CORE         176 /* of an inode; behind it lie its forks */
#define KINDS        0x1U
#define NEEDS_REPAIR 0x10U
/* Incompatible features: kinds in names, sparse inodes, an identifier for metadata, large times,
 * many extents, exchanged ranges, parents. */
#define KNOWN    (KINDS | 0x2U | 0x4U | 0x8U | 0x20U | 0x40U | 0x80U)
#define REALTIME 1U /* flags of an inode */
#define BIG_TIME 0x8U
#define MANY     0x10U
#define LINK_MAX 1024

/* inodes */

static struct timespec time_of(const unsigned char *i)
{
	uint64_t t = get_be(i + 40, 8);

	if (get_be(i + 120, 8) & BIG_TIME)
		return (struct timespec) { .tv_sec = (int64_t)(t / 1000000000U) - (1LL << 31),
					   .tv_nsec = (long)(t % 1000000000U) };
	return (struct timespec) { .tv_sec = (int32_t)(t >> 32),
				   .tv_nsec = (long)MIN(t & 0xffffffffU, 999999999U) };
}

static int find_forks(const struct inodes *g, struct xfs_inode_in *in)
{
	const struct xfs_in *x = g->data;
	const unsigned char *i = in->bytes;
	size_t room = x->inode - CORE, first = (size_t)i[82] * 8;
	bool many = get_be(i + 120, 8) & MANY;

	if (first > room || i[5] > XFS_BTREE || (first && i[83] > XFS_BTREE))
		return inodes_damaged(g, "an inode");
	in->data = (struct xfs_fork_in) { .format = (enum xfs_format)i[5],
					  .bytes = i + CORE,
					  .len = first ? first : room,
					  .runs = many ? get_be(i + 24, 8) : get_be(i + 76, 4) };
	if (first)
		in->xattrs = (struct xfs_fork_in) { .format = (enum xfs_format)i[83],
						    .bytes = i + CORE + first,
						    .len = room - first,
						    .runs = many ? get_be(i + 76, 4)
								 : get_be(i + 80, 2) };
	return 0;
}

static int look_at(const struct inodes *g, uint64_t number, struct xfs_inode_in *ret)
{
	const struct xfs_in *x = g->data;
	uint64_t in = number & ((1ULL << x->per_block_log) - 1);
	int64_t at = 0;
	int r = xfs_in_place(g, number >> x->per_block_log, 1, &at);

	*ret = (struct xfs_inode_in) { .number = number };
	if (r == 0)
		r = inodes_get(g, at + (int64_t)in * x->inode, ret->bytes, x->inode, "an inode");
	if (r < 0)
		return r;
	if (memcmp(ret->bytes, "IN", 2) != 0 || ret->bytes[4] != 3 ||
	    get_be(ret->bytes + 152, 8) != number)
		return inodes_damaged(g, "a name leads to no file");
	return find_forks(g, ret);
}

static int read_content(const struct inodes *g, const struct xfs_inode_in *in, struct file *f)
{
	uint64_t size = get_be(in->bytes + 56, 8);
	int r;

	if (get_be(in->bytes + 90, 2) & REALTIME)
		return error_set(g->err, -EOPNOTSUPP,
				 "files of it lie on a realtime device: only the kernel reads it");
	if (size > TAR_SIZE_MAX)
		return inodes_damaged(g, "the size of a file");
	f->content = (struct content) { .size = (int64_t)size, .fd = g->at.fd };
	r = xfs_in_fork(g, in, &in->data, f);
	f->content.kind = size ? CONTENT_PIECES : CONTENT_BYTES;
	return r;
}

static int read_link(const struct inodes *g, const struct xfs_inode_in *in, struct file *f)
{
	uint64_t size = get_be(in->bytes + 56, 8);
	struct file blocks = { .content = { .kind = CONTENT_PIECES, .size = XFS_IN_BLOCK_MAX } };
	const struct xfs_value_in value = { &blocks, "XSLM", 0 };
	autofree char *text = xcalloc(1, LINK_MAX + 1);
	int r = 0;

	if (size > LINK_MAX)
		return inodes_damaged(g, "a symbolic link");
	if (in->data.format == XFS_LOCAL) {
		memcpy(text, in->data.bytes, MIN((size_t)size, in->data.len));
	} else {
		r = xfs_in_fork(g, in, &in->data, &blocks);
		if (r == 0)
			r = xfs_in_value(g, in, &value, text, (size_t)size);
		content_done(&blocks.content);
	}
	return r < 0 ? r : inodes_target(g, f, steal_ptr(&text), (size_t)size);
}

static int read_inode(struct inodes *g, uint64_t number, struct file *f)
{
	struct xfs_inode_in in;
	int r = look_at(g, number, &in);
	uint32_t device;

	if (r < 0)
		return r;
	f->mode = (mode_t)get_be(in.bytes + 2, 2);
	f->uid = (uint32_t)get_be(in.bytes + 8, 4);
	f->gid = (uint32_t)get_be(in.bytes + 12, 4);
	f->mtime = time_of(in.bytes);
	if (S_ISREG(f->mode)) {
		r = read_content(g, &in, f);
	} else if (S_ISLNK(f->mode)) {
		r = read_link(g, &in, f);
	} else if ((S_ISCHR(f->mode) || S_ISBLK(f->mode)) && in.data.len >= 4) {
		device = (uint32_t)get_be(in.data.bytes, 4);
		f->major = device >> 18;
		f->minor = device & 0x3ffff;
	}
	return r < 0 || S_ISLNK(f->mode) ? r : xfs_in_xattrs(g, &in, f);
}

static int list(struct inodes *g, uint64_t number, struct file *dir)
{
	struct xfs_inode_in in;
	int r = look_at(g, number, &in);

	return r < 0 ? r : xfs_in_names(g, &in, dir);
}

/* the superblock */

static int take_super(const struct inodes *g, const unsigned char *s, struct xfs_in *x)
{
	unsigned block_log = s[120], inode_log = s[122], dir_log = s[192];

	if (block_log < 10 || block_log > 16 || inode_log < 9 || inode_log > 11 ||
	    s[123] != block_log - inode_log || block_log + dir_log > 16)
		return inodes_damaged(g, "the superblock");
	x->block = 1U << block_log;
	x->inode = 1U << inode_log;
	x->dir_block = x->block << dir_log;
	x->per_block_log = s[123];
	x->group_blocks = get_be(s + 84, 4);
	x->group_log = s[124];
	x->groups = get_be(s + 88, 4);
	if (x->group_log > 31 || x->group_blocks > 1ULL << x->group_log ||
	    x->groups * x->group_blocks > (uint64_t)TAR_SIZE_MAX / x->block)
		return inodes_damaged(g, "the superblock");
	return 0;
}

static int check_super(const struct inodes *g, const unsigned char *s)
{
	uint64_t features = get_be(s + 216, 4);

	if (memcmp(s, "XFSB", 4) != 0)
		return inodes_damaged(g, "the superblock");
	if ((s[101] & 0xf) != 5)
		return error_set(
			g->err, -EOPNOTSUPP,
			"it is an XFS of version %d, without checksums, which is not read: "
			"mount it, and take the directory",
			s[101] & 0xf);
	if (features & NEEDS_REPAIR)
		return inodes_damaged(g, "it says so");
	if ((features & ~KNOWN) || !(features & KINDS))
		return error_set(g->err, -EOPNOTSUPP,
				 "it is an XFS with features that are not read (0x%llx): mount it, "
				 "and take the directory",
				 (unsigned long long)features);
	return 0;
}

static int check_log(const struct inodes *g, const unsigned char *s)
{
	uint64_t blocks = get_be(s + 96, 4);
	int64_t at = 0;
	int r;

	if (get_be(s + 48, 8) == 0)
		return error_set(g->err, -EOPNOTSUPP,
				 "its log lies on another device: only the kernel reads it");
	r = xfs_in_place(g, get_be(s + 48, 8), blocks, &at);
	if (r == 0)
		r = xfs_in_log_is_clean(g, at, blocks);
	if (r == 0)
		return error_set(g->err, -EBUSY,
				 "its file system was not left cleanly: start the machine and "
				 "switch it off, or mount it once, which replays its log");
	return r < 0 ? r : 0;
}

int filetree_add_xfs(struct filetree *t, const struct region *at, struct error *err)
{
	static const struct inodes_kind kind = { "xfs_repair", read_inode, list };
	unsigned char super[SUPER_LEN] = { 0 };
	struct xfs_in x = { .block = 0 };
	struct inodes g = { .kind = &kind, .data = &x, .at = *at, .tree = t, .err = err };
	int r = inodes_get(&g, 0, super, sizeof(super), "the superblock");

	if (r == 0)
		r = check_super(&g, super);
	if (r == 0)
		r = take_super(&g, super, &x);
	if (r == 0)
		r = check_log(&g, super);
	return r < 0 ? r : inodes_read(&g, get_be(super + 56, 8));
}
