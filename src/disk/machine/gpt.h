/* src/disk/machine/gpt.h - partitions by their UUIDs, without udev: GPT and MBR tables of disks
 * read here.
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
uint64_t gpt_get(const unsigned char *p, size_t n);
void gpt_put(unsigned char *p, uint64_t v, size_t n);
uint32_t gpt_crc(const void *bytes, size_t len);

/* The partition of this UUID, as text (of an MBR "1a2b3c4d-02"), on any disk that the kernel has.
 */
bool gpt_find(const char *uuid, struct gpt_place *ret);

#endif
