/* src/disk/tree_dir.h - directories into a file tree: one, or the layers of an image. */
#ifndef DISK_TREE_DIR_H
#define DISK_TREE_DIR_H

#include "base/error.h"

struct filetree;

/* Lays the tree below dir over what is there.  As overlayfs would: whiteouts take away, an opaque
 * directory hides what was in it.  dir stays open as long as the tree is used.  Owners are as the
 * kernel shows them here.  Sockets are left out, as in archives.
 */
int filetree_add_dir(struct filetree *t, int dir, struct error *err) must_check;

#endif
