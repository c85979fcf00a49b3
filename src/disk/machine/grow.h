/* src/disk/machine/grow.h - a file system made as large as its disk, when that has grown. */
#ifndef DISK_MACHINE_GROW_H
#define DISK_MACHINE_GROW_H

#include <sys/types.h>

/* A partition that lies behind all others gets what its disk has behind it, if that is a megabyte
 * or more: table and kernel. /sys and /dev are there.
 */
void grow_partition(dev_t device);

/* What is mounted read-write at dir, ext4, xfs or btrfs: its partition, and then itself. /proc,
 * too. */
void grow_mounted(const char *dir);

#endif
