/* src/disk/machine/gpt.h - GPT tables of disks: partitions found by their UUIDs, without udev, and
 * the last one made larger.
 */
#ifndef DISK_MACHINE_GPT_H
#define DISK_MACHINE_GPT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GPT_SECTOR  512
#define GPT_ENTRY   128
#define GPT_ENTRIES 128

struct gpt {
	int fd; /* of the disk */
	unsigned char header[GPT_SECTOR];
	unsigned char entries[GPT_ENTRIES * GPT_ENTRY];
};

struct gpt_place {
	char disk[64];        /* "vda" */
	int number;           /* from 1 */
	uint64_t first, last; /* sectors */
};

/* The first table of an open disk; false: none, or damaged, or of another size than usual. */
bool gpt_read(int fd, struct gpt *ret);
/* Little-endian numbers. */
uint64_t gpt_get(const unsigned char *p, size_t n);
void gpt_put(unsigned char *p, uint64_t v, size_t n);

/* The last sector that a partition may have on a disk of so many; 0: the disk is too small. */
uint64_t gpt_end(uint64_t sectors);

/* That partition (from 1 on), which gpt_read() has read the table of, ends there, and both tables
 * are written.  1 and where it ends; 0: it is not the last one, or as large already; a negative
 * errno.
 */
int gpt_grow(struct gpt *t, int number, uint64_t sectors, uint64_t *ret_last);

/* The partition of this UUID, as text (of an MBR "1a2b3c4d-02"), on any disk that the kernel has.
 */
bool gpt_find(const char *uuid, struct gpt_place *ret);

#endif
