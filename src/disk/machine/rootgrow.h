/* src/disk/machine/rootgrow.h - a root made as large as its disk, when that has grown. */
#ifndef DISK_MACHINE_ROOTGROW_H
#define DISK_MACHINE_ROOTGROW_H

/* What is mounted at dir, from the last partition of a disk: table, partition and file system, as
 * far as there is anything to do.  It is mounted read-write, /proc and /sys are there.
 */
void grow_root(const char *dir);

#endif
