/* src/disk/machine/grow.h - the last partition, and its ext4, get what a larger disk has behind it.
 */
#ifndef DISK_MACHINE_GROW_H
#define DISK_MACHINE_GROW_H

#include <stddef.h>
#include <stdint.h>

#define GPT_SECTOR    512
#define GPT_ENTRIES   128
#define GPT_ENTRY_LEN 128
#define GPT_TABLE_LEN ((size_t)GPT_ENTRIES * GPT_ENTRY_LEN)

struct gpt {
	unsigned char head[GPT_SECTOR];     /* of sector 1 */
	unsigned char table[GPT_TABLE_LEN]; /* from sector 2 on */
};

struct gpt_growth {
	unsigned char
		backup[GPT_SECTOR]; /* the header for the last sector; the table lies before it */
	uint64_t backup_at;         /* sectors */
	unsigned partition;         /* from 1 on */
	uint64_t first, last;       /* sectors of it, both included */
};

/* Changes *g for a disk of so many sectors.  1: there was room for growth, 0: nothing to do, -1: no
 * GPT of 128 entries, or a damaged one.  Less than a megabyte is no room.
 */
int gpt_grow(struct gpt *g, uint64_t sectors, struct gpt_growth *ret);

/* Both, for the disk on which a partition lies ("/dev/vda2"); before and after it is mounted. */
void grow_partition(const char *device);
void grow_mounted(const char *device, const char *at);

#endif
