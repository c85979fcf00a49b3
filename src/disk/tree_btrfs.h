/* src/disk/tree_btrfs.h - a btrfs into a file tree; it is hostile. */
#ifndef DISK_TREE_BTRFS_H
#define DISK_TREE_BTRFS_H

#include "base/error.h"

struct filetree;
struct region;

/* A subvolume (by its path from the top, "a/b"; NULL: the default one) and those in it, into an
 * empty tree; contents stay where they are, compressed or not.  -EBADMSG: it is damaged; -EBUSY:
 * its log was not replayed; -ENOENT: it has no such subvolume; -EOPNOTSUPP: files of it are
 * compressed by lzo, or it lies on several devices.
 */
int filetree_add_btrfs(struct filetree *t, const struct region *at, const char *subvol,
		       struct error *err) must_check;

#endif
