/* src/disk/machine/blockdev.h - partitions, found by what is on them. */
#ifndef DISK_MACHINE_BLOCKDEV_H
#define DISK_MACHINE_BLOCKDEV_H

#include <stddef.h>

#define DEVICE_PATH_MAX 48

struct drivers;

/* Loads drivers for disks and waits until a partition with this ext4 shows up: "/dev/vda2".  -1:
 * none does for too long. */
int blockdev_find(const char *uuid, struct drivers *d, char ret[DEVICE_PATH_MAX]);

/* "xxxxxxxx-xxxx-..." of an ext4's first bytes; -1: it is none.  The superblock is at 1024. */
#define EXT4_HEAD_LEN 2048
int ext4_uuid(const unsigned char bytes[EXT4_HEAD_LEN], char ret[37]);

#endif
