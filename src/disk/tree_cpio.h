/* src/disk/tree_cpio.h - an initramfs into a file tree; it is hostile. */
#ifndef DISK_TREE_CPIO_H
#define DISK_TREE_CPIO_H

#include "base/error.h"

struct filetree;
struct region;

/* Its first archive, of the form "newc", laid over what is there; contents stay where they are.
 * -EBADMSG: it is none, or damaged.
 */
int filetree_add_cpio(struct filetree *t, const struct region *at, struct error *err) must_check;

#endif
