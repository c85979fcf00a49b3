/* src/kernel/rootdir.h - paths inside a container's root, by handle.
 *
 * The container, or the image it came from, may change its tree at any moment and put symbolic
 * links anywhere.  So a path is resolved once, by openat2(2) with RESOLVE_IN_ROOT, to an O_PATH
 * handle that everything after it works on; what is missing is made component by component on
 * handles.
 *
 * In a dry run nothing is resolved or made; the functions narrate with the root's path in front.
 */
#ifndef KERNEL_ROOTDIR_H
#define KERNEL_ROOTDIR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct rootdir {
	int fd;           /* O_PATH handle of the root; -1 in a dry run */
	const char *path; /* of the root on the host, for narration; borrowed */
};

enum rootdir_flags {
	ROOTDIR_PLAIN = 0,
	ROOTDIR_NO_SYMLINKS = 1, /* none anywhere on the way: for /proc, /sys and /dev */
	ROOTDIR_NO_XDEV = 2,
};

/* openat2(2), tried again when a rename anywhere in the system made the kernel give up on a "..".
 * "" is the directory itself; resolve is RESOLVE_IN_ROOT or RESOLVE_BENEATH, and more.  A
 * descriptor, or a negative errno.
 */
int rootdir_open_at(int root, const char *path, int flags, uint64_t resolve);

/* An O_PATH handle; -ENOENT.  Never follows the way out of the root. */
int rootdir_open(const struct rootdir *root, const char *path, enum rootdir_flags flags,
		 int *ret) must_check;
/* The same, but a missing directory (or, with file set, an empty file in its directory) is made,
 * and it must be of that kind.
 */
int rootdir_make(const struct rootdir *root, const char *path, bool file, enum rootdir_flags flags,
		 int *ret, struct error *err) must_check;

#endif
