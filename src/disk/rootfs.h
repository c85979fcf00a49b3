/* src/disk/rootfs.h - the file system of a root: which there are, and how one comes to be. */
#ifndef DISK_ROOTFS_H
#define DISK_ROOTFS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct filetree;
struct output;

enum rootfs { ROOTFS_EXT4, ROOTFS_XFS, ROOTFS_BTRFS, ROOTFS_SQUASHFS, ROOTFS_EROFS };

#define ROOTFS_NAMES "ext4, xfs, btrfs, squashfs or erofs"

/* NULL is ext4. */
int rootfs_choose(const char *name, enum rootfs *ret, struct error *err) must_check;
const char *rootfs_name(enum rootfs f);
bool rootfs_is_readonly(enum rootfs f);

struct rootfs_request {
	struct filetree *tree;
	enum rootfs kind;
	const struct output *out; /* beside which it may lie meanwhile */
	uint8_t uuid[16], hash_seed[16];
	int64_t now_s;
	int64_t size;       /* of those that can be written to; 0: as small as it goes */
	int64_t free_bytes; /* and as much more */
};

/* A nameless file (*ret_fd, to be closed) with the file system alone; *ret_size is a multiple of 1
 * MiB. In a script it is "$work/root".
 */
int rootfs_make(const struct rootfs_request *req, int *ret_fd, int64_t *ret_size,
		struct error *err) must_check;

#endif
