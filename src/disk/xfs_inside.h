/* src/disk/xfs_inside.h - between the files that write an XFS.
 *
 * Of the kernel's fs/xfs/libxfs/xfs_format.h, xfs_da_format.h: version 5, blocks of 4096, sectors
 * and inodes of 512.  All numbers but checksums are big-endian.
 */
#ifndef DISK_XFS_INSIDE_H
#define DISK_XFS_INSIDE_H

#include <stdint.h>
#include <string.h>

#include "base/error.h"

struct file;
struct filetree;

#define XFS_BLOCK     4096
#define XFS_SECTOR    512
#define XFS_INODE     512
#define XFS_CORE      176 /* of an inode; behind it lie its forks */
#define XFS_FORKS     (XFS_INODE - XFS_CORE)
#define XFS_GROUPS    4
#define XFS_ROOT      64 /* inode; the next two are those of a realtime part that is not there */
#define XFS_EXTENT    16
#define XFS_RUN_MAX   ((1U << 21) - 1) /* blocks of one extent */
#define XFS_RUNS_MAX  (XFS_FORKS / XFS_EXTENT)
#define XFS_XATTR_MAX 3000 /* bytes of a file's attributes, which lie in one block */

struct xfs_run {
	uint64_t at, block; /* in the file; in the file system, as extents number it */
	uint32_t n;
};

struct xfs_fork {
	struct xfs_run runs[XFS_RUNS_MAX];
	size_t n;
};

struct xfs {
	struct filetree *tree;
	int fd;
	uint8_t uuid[16];
	uint32_t group_blocks; /* of each group */
	unsigned group_log;
	uint32_t next[XFS_GROUPS]; /* the first free block of each */
	unsigned group;            /* that is filled */
	struct error *err;
};

static inline void put_be(void *to, uint64_t v, size_t n)
{
	unsigned char *p = to;

	while (n > 0) {
		p[--n] = (unsigned char)v;
		v >>= 8;
	}
}

/* In sectors from the start. */
uint64_t xfs_sector(const struct xfs *x, uint64_t block);
/* Of what begins at p, with the checksum's place zero. */
void xfs_sum(void *p, size_t len, size_t sum_at);
int xfs_put(const struct xfs *x, uint64_t sector, const void *bytes, size_t len) must_check;
/* Adds n blocks to a fork, the first being that one of the file. */
int xfs_alloc(struct xfs *x, struct xfs_fork *f, uint64_t at, uint64_t n) must_check;
/* Where a block of the file lies. */
uint64_t xfs_find(const struct xfs_fork *f, uint64_t at);

uint32_t xfs_hash(const char *name, size_t len);

/* Short form into at most room bytes, returns how many; 0: it needs blocks. */
size_t xfs_dir_small(const struct file *dir, unsigned char *to, size_t room);
/* Blocks of a directory; *ret_size is what its inode says. */
int xfs_dir_write(struct xfs *x, const struct file *dir, struct xfs_fork *f,
		  int64_t *ret_size) must_check;

/* The same two for attributes. */
size_t xfs_xattrs_small(const struct file *f, unsigned char *to, size_t room);
int xfs_xattrs_write(struct xfs *x, const struct file *file, struct xfs_fork *f) must_check;

#endif
