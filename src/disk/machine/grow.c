/* src/disk/machine/grow.c */
#include "disk/machine/grow.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
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
#include "disk/machine/mbr.h"
#include "disk/machine/say.h"

#define EXT4_MAGIC   0xef53
#define EXT4_SECTORS 8 /* in a block of 4096 */
#define BTRFS_MAGIC  0x9123683e
#define XFS_MAGIC    0x58465342
/* linux/fs.h, blkpg.h, btrfs.h, ext4.h: musl has no headers of the kernel's. */
#define BLKPG            0x1269
#define RESIZE_PARTITION 3
#define EXT4_RESIZE      0x40086610
#define BTRFS_RESIZE     0x50009403
#define XFS_GROW         0x4010586e

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

void grow_partition(dev_t device)
{
	struct growing g = { .number = 0 };
	struct gpt *t = malloc(sizeof(*t));
	char path[96];
	int fd = -1, r = 0;

	if (t && find_disk(device, &g) && gpt_end(g.sectors) > g.last) {
		(void)snprintf(path, sizeof(path), "/dev/%s", g.disk);
		fd = open(path, O_RDWR | O_CLOEXEC);
	}
	if (fd >= 0)
		r = gpt_read(fd, t) ? gpt_grow(t, g.number, g.sectors, &g.last)
				    : mbr_grow(fd, g.number, g.sectors, &g.last);
	if (r > 0 && tell_kernel(fd, &g) < 0)
		r = -errno;
	if (r != 0)
		say("partition %d of %s grows to %llu MiB%s%s", g.number, g.disk,
		    (unsigned long long)((g.last - g.first + 1) / 2048), r > 0 ? "" : ": ",
		    r > 0 ? "" : strerror(-r));
	if (fd >= 0)
		(void)close(fd);
	free(t);
}

/* Without effect on one that is as large already. */
static void grow_files(const char *dir, dev_t device)
{
	struct {
		int64_t fd;
		char name[4088];
	} all = { 0, "max" };
	struct {
		uint64_t blocks;
		uint32_t inode_percent, unused;
	} xfs = { .inode_percent = 25 };
	char path[64];
	uint64_t sectors, blocks;
	struct statfs st;
	int fd, r = 0;

	(void)snprintf(path, sizeof(path), "/sys/dev/block/%u:%u", major(device), minor(device));
	if (!read_number(path, "size", &sectors))
		return;
	xfs.blocks = blocks = sectors / EXT4_SECTORS;
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && fstatfs(fd, &st) == 0 && st.f_type == EXT4_MAGIC)
		r = ioctl(fd, EXT4_RESIZE, &blocks);
	else if (fd >= 0 && st.f_type == BTRFS_MAGIC)
		r = ioctl(fd, (int)BTRFS_RESIZE, &all);
	else if (fd >= 0 && st.f_type == XFS_MAGIC)
		r = ioctl(fd, XFS_GROW, &xfs);
	if (r < 0)
		say("the file system on %s does not grow: %s", dir, strerror(errno));
	if (fd >= 0)
		(void)close(fd);
}

/* "ID PARENT MAJOR:MINOR ROOT AT ... - TYPE SOURCE ...": whether it is mounted at dir, and from
 * what. */
static bool source_of(char *line, const char *dir, dev_t *ret)
{
	char *rest = strstr(line, " - "), *word = NULL;
	struct stat st;

	for (int i = 0; i < 5 && line; i++)
		word = strsep(&line, " ");
	if (!rest || !word || strcmp(word, dir) != 0)
		return false;
	rest += 3;
	(void)strsep(&rest, " ");
	word = strsep(&rest, " ");
	if (!word || stat(word, &st) < 0 || !S_ISBLK(st.st_mode))
		return false;
	*ret = st.st_rdev;
	return true;
}

/* btrfs has a device number of its own, which is no device's: what was mounted says which. */
static bool device_of(const char *dir, dev_t *ret)
{
	FILE *f = fopen("/proc/self/mountinfo", "re");
	char line[4096];
	struct stat st;
	bool found = false;

	while (f && fgets(line, sizeof(line), f))
		found = source_of(line, dir, ret) || found;
	if (f)
		(void)fclose(f);
	if (!found && stat(dir, &st) == 0) {
		*ret = st.st_dev;
		found = true;
	}
	return found;
}

void grow_mounted(const char *dir)
{
	dev_t device;

	if (!device_of(dir, &device))
		return;
	grow_partition(device);
	/* Also if it was the last time that the power went between the two. */
	grow_files(dir, device);
}
