/* src/disk/tree_out.h - a file tree as a tar archive, for programs that take one. */
#ifndef DISK_TREE_OUT_H
#define DISK_TREE_OUT_H

#include "base/error.h"

struct filetree;

/* To the file or pipe fd, names as "./etc/passwd", the root as "./".  -EPIPE: nobody reads. Times
 * are whole seconds, holes are zeros.
 */
int filetree_write_tar(struct filetree *t, int fd, struct error *err) must_check;

#endif
