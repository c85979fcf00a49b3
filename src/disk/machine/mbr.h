/* src/disk/machine/mbr.h - the table of partitions in a disk's first sector. */
#ifndef DISK_MACHINE_MBR_H
#define DISK_MACHINE_MBR_H

#include <stdbool.h>
#include <stdint.h>

#define MBR_PARTITIONS 4

/* Partition number (from 1 on) of an open disk, if that has this identifier. */
bool mbr_find(int fd, uint32_t disk, int number, uint64_t *ret_first, uint64_t *ret_last);

/* That partition ends where gpt_end() of a disk of so many sectors says, or as far as the table
 * reaches.  1 and where it ends; 0: it is not the last one, or as large already, or there is no
 * such table; a negative errno.
 */
int mbr_grow(int fd, int number, uint64_t sectors, uint64_t *ret_last);

#endif
