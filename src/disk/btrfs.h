/* src/disk/btrfs.h - a btrfs of a tree's files. */
#ifndef DISK_BTRFS_H
#define DISK_BTRFS_H

#include <stdint.h>

#include "base/error.h"

struct filetree;

/* The smallest size with free_bytes left; a multiple of 1 MiB. */
int btrfs_fit(struct filetree *t, int64_t free_bytes, int64_t *ret, struct error *err) must_check;
/* Into the empty file fd, size bytes of it at most.  -ENOSPC: it does not fit. */
int btrfs_write(struct filetree *t, int fd, int64_t size, const uint8_t uuid[16], int64_t now_s,
		struct error *err) must_check;

#endif
