/* src/disk/xfs.h - an XFS of a tree's files. */
#ifndef DISK_XFS_H
#define DISK_XFS_H

#include <stdint.h>

#include "base/error.h"

struct filetree;

#define XFS_LEAST (128LL << 20) /* its log, and four groups that mkfs.xfs would make, too */

/* Into the empty file fd, size bytes of it at most.  -ENOSPC: it does not fit. */
int xfs_write(struct filetree *t, int fd, int64_t size, const uint8_t uuid[16], int64_t now_s,
	      struct error *err) must_check;

#endif
