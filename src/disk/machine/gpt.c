/* src/disk/machine/gpt.c - UEFI specification, chapter 5.3.
 *
 * The second table is written first and the first one's header last: whenever the power goes, one
 * of the two is whole.
 */
#include "disk/machine/gpt.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "disk/machine/mbr.h"

#define TAIL  33   /* sectors of the second table: entries, then its header */
#define ALIGN 2048 /* sectors */

uint64_t gpt_get(const unsigned char *p, size_t n)
{
	uint64_t v = 0;

	for (size_t i = n; i > 0; i--)
		v = v << 8 | p[i - 1];
	return v;
}

void gpt_put(unsigned char *p, uint64_t v, size_t n)
{
	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)(v >> (8 * i));
}

static uint32_t crc32_of(const void *bytes, size_t len)
{
	const unsigned char *p = bytes;
	uint32_t crc = ~0U;

	for (size_t i = 0; i < len; i++) {
		crc ^= p[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
	}
	return ~crc;
}

bool gpt_read(int fd, struct gpt *ret)
{
	unsigned char copy[GPT_SECTOR];
	size_t len;

	ret->fd = fd;
	if (pread(fd, ret->header, GPT_SECTOR, GPT_SECTOR) != GPT_SECTOR ||
	    memcmp(ret->header, "EFI PART", 8) != 0)
		return false;
	len = gpt_get(ret->header + 12, 4);
	if (len < 92 || len > GPT_SECTOR || gpt_get(ret->header + 80, 4) != GPT_ENTRIES ||
	    gpt_get(ret->header + 84, 4) != GPT_ENTRY)
		return false;
	memcpy(copy, ret->header, sizeof(copy));
	memset(copy + 16, 0, 4);
	if (crc32_of(copy, len) != gpt_get(ret->header + 16, 4))
		return false;
	if (pread(fd, ret->entries, sizeof(ret->entries),
		  (off_t)gpt_get(ret->header + 72, 8) * GPT_SECTOR) !=
	    (ssize_t)sizeof(ret->entries))
		return false;
	return crc32_of(ret->entries, sizeof(ret->entries)) == gpt_get(ret->header + 88, 4);
}

/* growth */

static void seal(unsigned char *header)
{
	gpt_put(header + 16, 0, 4);
	gpt_put(header + 16, crc32_of(header, gpt_get(header + 12, 4)), 4);
}

static bool write_at(const struct gpt *t, const void *bytes, size_t len, uint64_t sector)
{
	return pwrite(t->fd, bytes, len, (off_t)sector * GPT_SECTOR) == (ssize_t)len &&
	       fdatasync(t->fd) == 0;
}

/* The table of old, which says that all of the disk is in use by this one: UEFI 5.2.3. */
static void widen_protection(const struct gpt *t, uint64_t sectors)
{
	unsigned char mbr[GPT_SECTOR];
	uint64_t size = sectors - 1 < UINT32_MAX ? sectors - 1 : UINT32_MAX;

	if (pread(t->fd, mbr, sizeof(mbr), 0) != (ssize_t)sizeof(mbr) || mbr[450] != 0xee)
		return;
	gpt_put(mbr + 458, size, 4);
	(void)write_at(t, mbr, sizeof(mbr), 0);
}

static bool write_tables(struct gpt *t, uint64_t sectors)
{
	unsigned char second[GPT_SECTOR];
	uint64_t primary = gpt_get(t->header + 72, 8);

	gpt_put(t->header + 32, sectors - 1, 8);
	gpt_put(t->header + 48, sectors - TAIL - 1, 8);
	gpt_put(t->header + 88, crc32_of(t->entries, sizeof(t->entries)), 4);
	memcpy(second, t->header, sizeof(second));
	gpt_put(second + 24, sectors - 1, 8);
	gpt_put(second + 32, 1, 8);
	gpt_put(second + 72, sectors - TAIL, 8);
	seal(t->header);
	seal(second);
	return write_at(t, t->entries, sizeof(t->entries), sectors - TAIL) &&
	       write_at(t, second, sizeof(second), sectors - 1) &&
	       write_at(t, t->entries, sizeof(t->entries), primary) &&
	       write_at(t, t->header, GPT_SECTOR, 1);
}

/* Only the last partition can grow. */
static bool is_last(const struct gpt *t, int number)
{
	uint64_t first;

	if (number < 1 || number > GPT_ENTRIES)
		return false;
	first = gpt_get(t->entries + (size_t)(number - 1) * GPT_ENTRY + 32, 8);
	for (size_t i = 0; i < GPT_ENTRIES; i++)
		if (gpt_get(t->entries + i * GPT_ENTRY + 32, 8) > first)
			return false;
	return first > 0;
}

uint64_t gpt_end(uint64_t sectors)
{
	return sectors < TAIL + 2 * ALIGN ? 0 : (sectors - TAIL - 1) / ALIGN * ALIGN - 1;
}

int gpt_grow(struct gpt *t, int number, uint64_t sectors, uint64_t *ret_last)
{
	uint64_t last = gpt_end(sectors);
	unsigned char *entry;

	if (!is_last(t, number))
		return 0;
	entry = t->entries + (size_t)(number - 1) * GPT_ENTRY;
	if (last <= gpt_get(entry + 40, 8))
		return 0;
	gpt_put(entry + 40, last, 8);
	widen_protection(t, sectors);
	*ret_last = last;
	return write_tables(t, sectors) ? 1 : -EIO;
}

/* by UUID */

/* The first three groups are little-endian. */
static bool parse_uuid(const char *text, unsigned char ret[16])
{
	static const unsigned char order[16] = { 3, 2, 1,  0,  5,  4,  7,  6,
						 8, 9, 10, 11, 12, 13, 14, 15 };
	size_t n = 0;

	for (; *text && n < 16; text++) {
		unsigned byte;

		if (*text == '-')
			continue;
		if (sscanf(text, "%2x", &byte) != 1) /* NOLINT(cert-err34-c): two digits */
			return false;
		ret[order[n++]] = (unsigned char)byte;
		text += text[1] != '\0';
	}
	return n == 16 && !*text;
}

struct wanted {
	bool mbr;
	unsigned char uuid[16];
	uint32_t disk; /* of an MBR */
	int part;
};

static bool parse(const char *text, struct wanted *ret)
{
	char *end = NULL;

	if (parse_uuid(text, ret->uuid))
		return true;
	ret->mbr = true;
	ret->disk = (uint32_t)strtoul(text, &end, 16);
	if (end != text + 8 || *end != '-')
		return false;
	ret->part = (int)strtoul(end + 1, &end, 16);
	return !*end && ret->part >= 1 && ret->part <= MBR_PARTITIONS;
}

static bool look_in_gpt(int fd, const struct wanted *w, struct gpt_place *ret)
{
	struct gpt *gpt = malloc(sizeof(*gpt));
	bool found = false;

	for (int i = 0; gpt && i < GPT_ENTRIES && !found; i++) {
		const unsigned char *e;

		if (i == 0 && !gpt_read(fd, gpt))
			break;
		e = gpt->entries + (size_t)i * GPT_ENTRY;
		found = memcmp(e + 16, w->uuid, 16) == 0 && gpt_get(e + 32, 8) > 0;
		if (!found)
			continue;
		ret->number = i + 1;
		ret->first = gpt_get(e + 32, 8);
		ret->last = gpt_get(e + 40, 8);
	}
	free(gpt);
	return found;
}

static bool look_on(const char *disk, const struct wanted *w, struct gpt_place *ret)
{
	char path[96];
	bool found;
	int fd;

	(void)snprintf(path, sizeof(path), "/dev/%.63s", disk);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	ret->number = w->part;
	found = w->mbr ? mbr_find(fd, w->disk, w->part, &ret->first, &ret->last)
		       : look_in_gpt(fd, w, ret);
	(void)close(fd);
	if (found)
		(void)snprintf(ret->disk, sizeof(ret->disk), "%.63s", disk);
	return found;
}

bool gpt_find(const char *uuid, struct gpt_place *ret)
{
	struct wanted wanted = { .mbr = false };
	const struct dirent *e;
	bool found = false;
	DIR *dir;

	if (!parse(uuid, &wanted))
		return false;
	dir = opendir("/sys/block");
	while (dir && !found && (e = readdir(dir)))
		found = e->d_name[0] != '.' && strncmp(e->d_name, "loop", 4) != 0 &&
			strlen(e->d_name) < sizeof(ret->disk) && look_on(e->d_name, &wanted, ret);
	if (dir)
		(void)closedir(dir);
	return found;
}
