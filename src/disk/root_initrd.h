/* src/disk/root_initrd.h - an initrd of ours for a root that the distribution's own cannot mount,
 * or where there is none: a small program (machine/root.c) with the drivers that it needs, taken
 * from the source's own kernel modules.
 */
#ifndef DISK_ROOT_INITRD_H
#define DISK_ROOT_INITRD_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "disk/rootfs.h"

struct content;
struct filetree;

struct root_initrd_request {
	const struct filetree *tree; /* the root's, whose modules and programs are taken */
	const char *version;         /* of the kernel */
	enum rootfs kind;
	bool overlay, verity, encrypted;
	int64_t now_s;
};

/* Into the empty file fd, *ret is its content.  A tree without modules is fine: its kernel has them
 * built in.  -ENOENT: encrypted, and the tree has no cryptsetup.
 */
int root_initrd_write(const struct root_initrd_request *req, int fd, struct content *ret,
		      struct error *err) must_check;

#endif
