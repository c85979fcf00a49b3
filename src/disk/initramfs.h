/* src/disk/initramfs.h - a file tree as the archive that a kernel unpacks into its first root. */
#ifndef DISK_INITRAMFS_H
#define DISK_INITRAMFS_H

#include "base/error.h"
#include "disk/content.h"

struct filetree;

/* The kernel's Documentation/driver-api/early-userspace/buffer-format.rst, "newc".  Extended
 * attributes have no place there.  The archive is written into the file fd, *ret is its content.
 */
int initramfs_write(struct filetree *t, int fd, struct content *ret, struct error *err) must_check;

#endif
