/* src/disk/tree_out.h - a file tree as a tar archive, for programs that take one. */
#ifndef DISK_TREE_OUT_H
#define DISK_TREE_OUT_H

#include "base/error.h"

struct filetree;

enum tree_out {
	TREE_OUT_PLAIN, /* times are whole seconds, holes are zeros: for any program */
	TREE_OUT_EXACT, /* fractions of seconds, and holes as GNU tar has them */
};

/* To the file or pipe fd, names as "./etc/passwd", the root as "./".  -EPIPE: nobody reads. */
int filetree_write_tar(struct filetree *t, int fd, enum tree_out how, struct error *err) must_check;

#endif
