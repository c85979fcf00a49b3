/* src/disk/tree_tar.h - a tar archive into a file tree: plain, gzip or zstd. */
#ifndef DISK_TREE_TAR_H
#define DISK_TREE_TAR_H

#include "base/error.h"

struct filetree;

/* fd stays open as long as the tree is used: contents of a plain archive stay where they are.  Of a
 * packed one, or one that comes through a pipe, they go to the end of the file spool.  what names
 * it in errors.  Symbolic links in names are followed inside of the tree; a name that leads over a
 * file, or ends in '..', is -EBADMSG.
 */
int filetree_add_tar(struct filetree *t, int fd, int spool, const char *what,
		     struct error *err) must_check;

#endif
