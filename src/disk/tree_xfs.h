/* src/disk/tree_xfs.h - an XFS into a file tree; it is hostile. */
#ifndef DISK_TREE_XFS_H
#define DISK_TREE_XFS_H

#include "base/error.h"

struct filetree;
struct region;

/* All of it into an empty tree; contents stay where they are.  -EBADMSG: it is damaged; -EBUSY: its
 * log was not written back; -EOPNOTSUPP: it is of version 4, or lies on several devices.
 */
int filetree_add_xfs(struct filetree *t, const struct region *at, struct error *err) must_check;

#endif
