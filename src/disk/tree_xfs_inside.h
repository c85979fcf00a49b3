/* src/disk/tree_xfs_inside.h - between the files that read an XFS.
 *
 * The kernel's fs/xfs/libxfs/xfs_format.h and xfs_da_format.h, version 5 alone.  Each block but
 * those of files says which inode it belongs to, and none is taken for another's: so what is read
 * is never more than there is, however inodes point at each other's blocks.
 */
#ifndef DISK_TREE_XFS_INSIDE_H
#define DISK_TREE_XFS_INSIDE_H

#include <stdint.h>

#include "base/error.h"
#include "disk/tree_inodes.h"

struct file;

#define XFS_IN_BLOCK_MAX 65536
#define XFS_INODE_MAX    2048

/* What g->data points at. */
struct xfs_in {
	uint32_t block, dir_block, inode; /* bytes */
	unsigned group_log, per_block_log;
	uint64_t group_blocks, groups;
};

enum xfs_format { XFS_DEVICE, XFS_LOCAL, XFS_EXTENTS, XFS_BTREE };

struct xfs_fork_in {
	enum xfs_format format;
	const unsigned char *bytes; /* of the inode below */
	size_t len;                 /* 0: there is none */
	uint64_t runs;              /* that it says it has */
};

struct xfs_inode_in {
	uint64_t number;
	unsigned char bytes[XFS_INODE_MAX];
	struct xfs_fork_in data, xattrs;
};

/* Where n blocks, numbered as extents do, lie. */
int xfs_in_place(const struct inodes *g, uint64_t block, uint64_t n, int64_t *ret) must_check;

/* What a fork's blocks hold, into a file whose size is set; what was never written are holes. */
int xfs_in_fork(const struct inodes *g, const struct xfs_inode_in *in,
		const struct xfs_fork_in *fork, struct file *f) must_check;
/* Bytes of that, without holes. */
int xfs_in_get(const struct inodes *g, const struct file *fork, int64_t at, void *to, size_t len,
	       const char *what) must_check;
/* A value in blocks of its own from at on: of a link, with a head for each run of them, or of an
 * attribute, with one for each.
 */
struct xfs_value_in {
	const struct file *fork;
	const char *magic;
	int64_t at;
};
int xfs_in_value(const struct inodes *g, const struct xfs_inode_in *in,
		 const struct xfs_value_in *value, char *to, size_t len) must_check;

int xfs_in_names(struct inodes *g, const struct xfs_inode_in *in, struct file *dir) must_check;
int xfs_in_xattrs(const struct inodes *g, const struct xfs_inode_in *in, struct file *f) must_check;

/* Whether all was written back that its log tells: 1, 0. */
int xfs_in_log_is_clean(const struct inodes *g, int64_t at, uint64_t blocks) must_check;

#endif
