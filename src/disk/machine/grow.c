/* src/disk/machine/grow.c
 *
 * The backup table is written first, then the table, then its header: a power cut in between leaves
 * an old header with its own checksum, or a header whose table is not what it says and a backup
 * that every partitioner finds.
 */
#include "disk/machine/grow.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "disk/machine/say.h"

/* UEFI 2.10, 5.3.2: where the header has what. */
enum head_at {
	HEAD_SIGNATURE = 0,
	HEAD_LEN = 12,
	HEAD_CRC = 16,
	HEAD_THIS = 24,
	HEAD_OTHER = 32,
	HEAD_LAST_USABLE = 48,
	HEAD_TABLE = 72,
	HEAD_ENTRIES = 80,
	HEAD_ENTRY_LEN = 84,
	HEAD_TABLE_CRC = 88,
	HEAD_MIN = 92,
};
#define ENTRY_FIRST    32
#define ENTRY_LAST     40
#define ALIGN_SECTORS  2048
#define BEHIND_SECTORS 33 /* the backup: table and header */

/* linux/blkpg.h, linux/fs.h, fs/ext4: musl's headers have none of it. */
#define BLKPG_IOCTL        0x1269
#define BLKPG_RESIZE       3
#define BLKGETSIZE64_IOCTL 0x80081272
#define EXT4_IOC_RESIZE_FS 0x40086610
#define EXT4_BLOCK         4096
struct blkpg_partition {
	long long start, length;
	int number;
	char name[64], volume[64];
};
struct blkpg_argument {
	int op, flags, len;
	void *data;
};

static uint32_t get32(const unsigned char *at)
{
	uint32_t value = 0;

	for (int i = 3; i >= 0; i--)
		value = value << 8 | at[i];
	return value;
}

static uint64_t get64(const unsigned char *at)
{
	return (uint64_t)get32(at + 4) << 32 | get32(at);
}

static void put32(unsigned char *at, uint32_t value)
{
	for (int i = 0; i < 4; i++, value >>= 8)
		at[i] = (unsigned char)value;
}

static void put64(unsigned char *at, uint64_t value)
{
	put32(at, (uint32_t)value);
	put32(at + 4, (uint32_t)(value >> 32));
}

static uint32_t crc32_of(const unsigned char *bytes, size_t len)
{
	uint32_t crc = UINT32_MAX;

	for (size_t i = 0; i < len; i++) {
		crc ^= bytes[i];
		for (int k = 0; k < 8; k++)
			crc = crc >> 1 ^ (crc & 1 ? 0xedb88320U : 0);
	}
	return ~crc;
}

static void sign(unsigned char *head)
{
	put32(head + HEAD_CRC, 0);
	put32(head + HEAD_CRC, crc32_of(head, get32(head + HEAD_LEN)));
}

static int is_whole(const struct gpt *g)
{
	unsigned char head[GPT_SECTOR];
	uint32_t len = get32(g->head + HEAD_LEN);

	if (memcmp(g->head + HEAD_SIGNATURE, "EFI PART", 8) != 0 || len < HEAD_MIN ||
	    len > GPT_SECTOR || get32(g->head + HEAD_ENTRIES) != GPT_ENTRIES ||
	    get32(g->head + HEAD_ENTRY_LEN) != GPT_ENTRY_LEN || get64(g->head + HEAD_THIS) != 1 ||
	    get64(g->head + HEAD_TABLE) != 2)
		return 0;
	memcpy(head, g->head, sizeof(head));
	sign(head);
	return get32(head + HEAD_CRC) == get32(g->head + HEAD_CRC) &&
	       crc32_of(g->table, GPT_TABLE_LEN) == get32(g->head + HEAD_TABLE_CRC);
}

/* The partition that lies behind all others. */
static unsigned char *last_entry(struct gpt *g, unsigned *ret_number)
{
	unsigned char *last = NULL;

	for (unsigned i = 0; i < GPT_ENTRIES; i++) {
		unsigned char *entry = g->table + (size_t)i * GPT_ENTRY_LEN;

		if (get64(entry + ENTRY_FIRST) == 0 ||
		    (last && get64(entry + ENTRY_FIRST) < get64(last + ENTRY_FIRST)))
			continue;
		last = entry;
		*ret_number = i + 1;
	}
	return last;
}

int gpt_grow(struct gpt *g, uint64_t sectors, struct gpt_growth *ret)
{
	struct gpt_growth growth = { .backup_at = sectors - 1 };
	unsigned char *entry;
	uint64_t old, last;

	if (!is_whole(g) || sectors < (uint64_t)4 * ALIGN_SECTORS)
		return -1;
	entry = last_entry(g, &growth.partition);
	if (!entry)
		return -1;
	old = get64(entry + ENTRY_LAST);
	last = (sectors - BEHIND_SECTORS) / ALIGN_SECTORS * ALIGN_SECTORS - 1;
	if (last < old + ALIGN_SECTORS)
		return 0;
	put64(entry + ENTRY_LAST, last);
	growth.first = get64(entry + ENTRY_FIRST);
	growth.last = last;
	put64(g->head + HEAD_OTHER, growth.backup_at);
	put64(g->head + HEAD_LAST_USABLE, sectors - BEHIND_SECTORS - 1);
	put32(g->head + HEAD_TABLE_CRC, crc32_of(g->table, GPT_TABLE_LEN));
	sign(g->head);
	memcpy(growth.backup, g->head, sizeof(growth.backup));
	put64(growth.backup + HEAD_THIS, growth.backup_at);
	put64(growth.backup + HEAD_OTHER, 1);
	put64(growth.backup + HEAD_TABLE, growth.backup_at - (BEHIND_SECTORS - 1));
	sign(growth.backup);
	*ret = growth;
	return 1;
}

/* "/dev/vda2" is of "vda": the directory above it in /sys. */
static int open_disk(const char *device)
{
	char link[96], target[512], *slash;
	ssize_t n;

	(void)snprintf(link, sizeof(link), "/sys/class/block/%s", strrchr(device, '/') + 1);
	n = readlink(link, target, sizeof(target) - 1);
	if (n <= 0)
		return -1;
	target[n] = '\0';
	slash = strrchr(target, '/');
	*slash = '\0';
	slash = strrchr(target, '/');
	(void)snprintf(link, sizeof(link), "/dev/%.60s", slash ? slash + 1 : "");
	return open(link, O_RDWR | O_CLOEXEC);
}

static int write_at(int fd, const void *bytes, size_t len, uint64_t sector)
{
	return pwrite(fd, bytes, len, (off_t)(sector * GPT_SECTOR)) == (ssize_t)len ? 0 : -1;
}

static int store(int fd, const struct gpt *g, const struct gpt_growth *growth)
{
	struct blkpg_partition part = { .start = (long long)growth->first * GPT_SECTOR,
					.length = (long long)(growth->last - growth->first + 1) *
						  GPT_SECTOR,
					.number = (int)growth->partition };
	struct blkpg_argument argument = { .op = BLKPG_RESIZE, .len = sizeof(part), .data = &part };

	if (write_at(fd, g->table, GPT_TABLE_LEN, growth->backup_at - (BEHIND_SECTORS - 1)) < 0 ||
	    write_at(fd, growth->backup, GPT_SECTOR, growth->backup_at) < 0 || fsync(fd) < 0 ||
	    write_at(fd, g->table, GPT_TABLE_LEN, 2) < 0 ||
	    write_at(fd, g->head, GPT_SECTOR, 1) < 0 || fsync(fd) < 0)
		return -1;
	return ioctl(fd, BLKPG_IOCTL, &argument);
}

void grow_partition(const char *device)
{
	struct gpt *g = malloc(sizeof(*g));
	struct gpt_growth growth;
	uint64_t size = 0;
	int fd = open_disk(device);

	if (g && fd >= 0 && ioctl(fd, (int)BLKGETSIZE64_IOCTL, &size) == 0 &&
	    pread(fd, g->head, GPT_SECTOR, GPT_SECTOR) == GPT_SECTOR &&
	    pread(fd, g->table, GPT_TABLE_LEN, (off_t)2 * GPT_SECTOR) == (ssize_t)GPT_TABLE_LEN &&
	    gpt_grow(g, size / GPT_SECTOR, &growth) > 0 && store(fd, g, &growth) < 0)
		say("the partition behind %s could not be made larger", device);
	if (fd >= 0)
		(void)close(fd);
	free(g);
}

void grow_mounted(const char *device, const char *at)
{
	int disk = open(device, O_RDONLY | O_CLOEXEC), fd = open(at, O_RDONLY | O_CLOEXEC);
	uint64_t size = 0, blocks;

	if (disk >= 0 && fd >= 0 && ioctl(disk, (int)BLKGETSIZE64_IOCTL, &size) == 0) {
		blocks = size / EXT4_BLOCK;
		/* As large as it is already is no failure: the kernel finds nothing to do. */
		if (ioctl(fd, EXT4_IOC_RESIZE_FS, &blocks) < 0)
			say("the file system on %s could not be made larger", device);
	}
	if (disk >= 0)
		(void)close(disk);
	if (fd >= 0)
		(void)close(fd);
}
