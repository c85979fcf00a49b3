/* src/disk/machine/mbr.c */
#include "disk/machine/mbr.h"

#include <errno.h>
#include <unistd.h>

#include "disk/machine/gpt.h"

#define DISK_AT    440
#define TABLE_AT   446
#define ENTRY_LEN  16
#define PROTECTIVE 0xee /* the disk has a GPT */

static unsigned char *entry_of(unsigned char mbr[GPT_SECTOR], int number)
{
	return mbr + TABLE_AT + (size_t)(number - 1) * ENTRY_LEN;
}

static uint64_t first_of(const unsigned char *entry)
{
	return gpt_get(entry + 8, 4);
}

static uint64_t length_of(const unsigned char *entry)
{
	return gpt_get(entry + 12, 4);
}

static bool read_table(int fd, int number, unsigned char ret[GPT_SECTOR])
{
	return number >= 1 && number <= MBR_PARTITIONS &&
	       pread(fd, ret, GPT_SECTOR, 0) == GPT_SECTOR && ret[510] == 0x55 &&
	       ret[511] == 0xaa && length_of(entry_of(ret, number)) > 0;
}

bool mbr_find(int fd, uint32_t disk, int number, uint64_t *ret_first, uint64_t *ret_last)
{
	unsigned char mbr[GPT_SECTOR];
	const unsigned char *e;

	if (!read_table(fd, number, mbr) || gpt_get(mbr + DISK_AT, 4) != disk)
		return false;
	e = entry_of(mbr, number);
	*ret_first = first_of(e);
	*ret_last = *ret_first + length_of(e) - 1;
	return true;
}

int mbr_grow(int fd, int number, uint64_t sectors, uint64_t *ret_last)
{
	unsigned char mbr[GPT_SECTOR], *e;
	uint64_t first, last = gpt_end(sectors) < UINT32_MAX ? gpt_end(sectors) : UINT32_MAX;

	if (!read_table(fd, number, mbr))
		return 0;
	e = entry_of(mbr, number);
	first = first_of(e);
	for (int i = 1; i <= MBR_PARTITIONS; i++)
		if (entry_of(mbr, i)[4] == PROTECTIVE || first_of(entry_of(mbr, i)) > first)
			return 0;
	if (last < first + length_of(e))
		return 0;
	gpt_put(e + 12, last - first + 1, 4);
	*ret_last = last;
	return pwrite(fd, mbr, sizeof(mbr), 0) == (ssize_t)sizeof(mbr) && fdatasync(fd) == 0 ? 1
											     : -EIO;
}
