/* src/disk/tree_erofs.h - an EROFS into a file tree; it is hostile. */
#ifndef DISK_TREE_EROFS_H
#define DISK_TREE_EROFS_H

#include "base/error.h"

struct filetree;
struct region;

/* All of it into an empty tree; contents stay where they are.  -EBADMSG: it is damaged;
 * -EOPNOTSUPP: it is compressed, or lies on several devices.
 */
int filetree_add_erofs(struct filetree *t, const struct region *at, struct error *err) must_check;

#endif
