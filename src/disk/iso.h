/* src/disk/iso.h - a disk that optical drives start, too.
 *
 * The bytes of a disk stay what they are, table and partitions.  An ISO 9660 file system of a few
 * files lies before its first partition, where a disk has nothing, and a second copy of kernel and
 * initrd behind its last one: BIOS starts them by isolinux from there, UEFI finds the boot
 * partition itself by the El Torito catalog.  Written to a stick it is that disk.
 */
#ifndef DISK_ISO_H
#define DISK_ISO_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct partition;

/* A script that makes one that boots the same of "$disk", by xorriso, which copies the partitions.
 * Returns as explain().
 */
bool iso_explain(const struct partition *parts, size_t n, bool bios, bool initrd);

/* fd: a whole disk of ours, to read and write.  It grows. */
int iso_make(int fd, struct error *err) must_check;

#endif
