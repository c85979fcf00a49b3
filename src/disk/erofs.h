/* src/disk/erofs.h - a file tree written as an EROFS file system, not compressed.
 *
 * Debian's mkfs.erofs takes a directory alone, which has the owners and attributes that the machine
 * should have only if root made it, and knows no holes; this takes the tree.
 */
#ifndef DISK_EROFS_H
#define DISK_EROFS_H

#include <stdint.h>

#include "base/error.h"

struct filetree;

/* Into the empty file fd, from its start; *ret_size is a multiple of 4096.  Nothing is said. */
int erofs_write(struct filetree *t, int fd, const uint8_t uuid[16], int64_t now_s,
		int64_t *ret_size, struct error *err) must_check;

#endif
