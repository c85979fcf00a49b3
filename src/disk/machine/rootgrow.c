/* src/disk/machine/rootgrow.c
 *
 * The second table is written first and the first one's header last: whenever the power goes, one
 * of the two is whole.
 */
#include "disk/machine/rootgrow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "disk/machine/gpt.h"
#include "disk/machine/say.h"

#define TAIL        33   /* sectors of the second table: entries, then its header */
#define ALIGN       2048 /* sectors */
#define EXT4_MAGIC  0xef53
#define BTRFS_MAGIC 0x9123683e
/* linux/fs.h, blkpg.h, btrfs.h, ext4.h: musl has no headers of the kernel's. */
#define BLKPG            0x1269
#define RESIZE_PARTITION 3
#define EXT4_RESIZE      0x40086610
#define BTRFS_RESIZE     0x50009403

struct growing {
	char disk[64]; /* "vda" */
	int number;    /* of the partition */
	uint64_t sectors, first, last;
};

static bool read_number(const char *dir, const char *name, uint64_t *ret)
{
	char path[256], text[32] = "";
	int fd;
	ssize_t n = -1;

	(void)snprintf(path, sizeof(path), "%s/%s", dir, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		n = read(fd, text, sizeof(text) - 1);
		(void)close(fd);
	}
	*ret = strtoull(text, NULL, 10);
	return n > 0;
}

/* "/sys/dev/block/254:2" leads to ".../block/vda/vda2". */
static bool find_disk(dev_t device, struct growing *g)
{
	char path[64], *real, *slash;
	uint64_t number, size;
	bool ok;

	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(device), minor(device));
	real = realpath(path, NULL);
	ok = real && read_number(real, "partition", &number) &&
	     read_number(real, "start", &g->first) && read_number(real, "size", &size);
	slash = ok ? strrchr(real, '/') : NULL;
	if (slash) {
		*slash = '\0';
		g->number = (int)number;
		g->last = g->first + size - 1;
		ok = read_number(real, "size", &g->sectors) &&
		     read_number(real, "queue/logical_block_size", &size) && size == GPT_SECTOR;
		slash = strrchr(real, '/');
		(void)snprintf(g->disk, sizeof(g->disk), "%s", slash ? slash + 1 : "");
	}
	free(real);
	return ok && *g->disk;
}

static void seal(unsigned char *header)
{
	memset(header + 16, 0, 4);
	gpt_put(header + 16, gpt_crc(header, gpt_get(header + 12, 4)), 4);
}

static bool put(const struct gpt *t, const void *bytes, size_t len, uint64_t sector)
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
	(void)put(t, mbr, sizeof(mbr), 0);
}

static bool write_tables(struct gpt *t, uint64_t sectors)
{
	unsigned char second[GPT_SECTOR];
	uint64_t primary = gpt_get(t->header + 72, 8);

	gpt_put(t->header + 32, sectors - 1, 8);
	gpt_put(t->header + 48, sectors - TAIL - 1, 8);
	gpt_put(t->header + 88, gpt_crc(t->entries, sizeof(t->entries)), 4);
	memcpy(second, t->header, sizeof(second));
	gpt_put(second + 24, sectors - 1, 8);
	gpt_put(second + 32, 1, 8);
	gpt_put(second + 72, sectors - TAIL, 8);
	seal(t->header);
	seal(second);
	return put(t, t->entries, sizeof(t->entries), sectors - TAIL) &&
	       put(t, second, sizeof(second), sectors - 1) &&
	       put(t, t->entries, sizeof(t->entries), primary) && put(t, t->header, GPT_SECTOR, 1);
}

/* Only the last partition can grow. */
static bool is_last(const struct gpt *t, const struct growing *g)
{
	for (int i = 0; i < GPT_ENTRIES; i++)
		if (i != g->number - 1 &&
		    gpt_get(t->entries + (size_t)i * GPT_ENTRY + 32, 8) > g->first)
			return false;
	return gpt_get(t->entries + (size_t)(g->number - 1) * GPT_ENTRY + 32, 8) == g->first;
}

static int tell_kernel(int fd, const struct growing *g)
{
	struct {
		long long start, length;
		int number;
		char names[128];
	} partition = { (long long)g->first * GPT_SECTOR,
			(long long)(g->last - g->first + 1) * GPT_SECTOR,
			g->number,
			{ 0 } };
	struct {
		int op, flags, len;
		void *data;
	} arg = { RESIZE_PARTITION, 0, sizeof(partition), &partition };

	return ioctl(fd, BLKPG, &arg);
}

static bool grow_partition(struct growing *g)
{
	uint64_t last = (g->sectors - TAIL - 1) / ALIGN * ALIGN - 1;
	struct gpt *t = malloc(sizeof(*t));
	char path[96];
	bool ok = false;
	int fd;

	(void)snprintf(path, sizeof(path), "/dev/%s", g->disk);
	fd = open(path, O_RDWR | O_CLOEXEC);
	if (t && fd >= 0 && gpt_read(fd, t) && is_last(t, g)) {
		gpt_put(t->entries + (size_t)(g->number - 1) * GPT_ENTRY + 40, last, 8);
		g->last = last;
		widen_protection(t, g->sectors);
		ok = write_tables(t, g->sectors) && tell_kernel(fd, g) == 0;
		say("the root's partition grows to %llu MiB%s%s",
		    (unsigned long long)((last - g->first + 1) / 2048), ok ? "" : ": ",
		    ok ? "" : strerror(errno));
	}
	if (fd >= 0)
		(void)close(fd);
	free(t);
	return ok;
}

/* Without effect on one that is as large already. */
static void grow_files(const char *dir, const struct growing *g)
{
	struct {
		int64_t fd;
		char name[4088];
	} all = { 0, "max" };
	uint64_t blocks = (g->last - g->first + 1) / 8;
	struct statfs st;
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;

	if (fd < 0 || fstatfs(fd, &st) < 0)
		return;
	if (st.f_type == EXT4_MAGIC)
		r = ioctl(fd, EXT4_RESIZE, &blocks);
	else if (st.f_type == BTRFS_MAGIC)
		r = ioctl(fd, (int)BTRFS_RESIZE, &all);
	if (r < 0)
		say("the root does not grow: %s", strerror(errno));
	(void)close(fd);
}

/* btrfs has a device number of its own, which is no device's: what was mounted says which. */
static bool device_of(const char *dir, dev_t *ret)
{
	char line[4096], at[1024], source[1024];
	FILE *f = fopen("/proc/self/mountinfo", "re");
	struct stat st;
	bool found = false;

	while (f && fgets(line, sizeof(line), f)) {
		const char *rest = strstr(line, " - ");

		if (rest && sscanf(line, "%*s %*s %*s %*s %1023s", at) == 1 &&
		    strcmp(at, dir) == 0 && sscanf(rest, " - %*s %1023s", source) == 1)
			found = stat(source, &st) == 0 && S_ISBLK(st.st_mode);
		if (found)
			*ret = st.st_rdev;
	}
	if (f)
		(void)fclose(f);
	if (!found && stat(dir, &st) == 0) {
		*ret = st.st_dev;
		found = true;
	}
	return found;
}

void grow_root(const char *dir)
{
	struct growing g = { .number = 0 };
	dev_t device;

	if (!device_of(dir, &device) || !find_disk(device, &g))
		return;
	if (g.sectors > TAIL + 2 * ALIGN && (g.sectors - TAIL - 1) / ALIGN * ALIGN > g.last + 1 &&
	    !grow_partition(&g))
		return;
	/* Also if it was the last time that the power went between the two. */
	grow_files(dir, &g);
}
