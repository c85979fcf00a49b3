/* src/disk/machine/verity.c
 *
 * The kernel's Documentation/admin-guide/device-mapper/verity.rst and dm-ioctl.h; cryptsetup's
 * wiki "DMVerity" for what the hashes begin with.
 */
#include "disk/machine/verity.h"

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "disk/machine/gpt.h"
#include "disk/machine/say.h"

struct dm {
	uint32_t version[3], data_size, data_start, target_count;
	int32_t open_count;
	uint32_t flags, event_nr, padding;
	uint64_t dev;
	char name[128], uuid[129], data[7];
	struct {
		uint64_t start, length;
		int32_t status;
		uint32_t next;
		char type[16];
	} target;
	char table[1024];
};
#define DM_HEAD_LEN    312
#define DM_CREATE      3
#define DM_RESUME      6
#define DM_LOAD        9
#define DM_READONLY    1U
#define SALT_MAX       256
#define SUPERBLOCK_LEN 512

static int ask(int fd, struct dm *dm, unsigned number)
{
	dm->version[0] = 4;
	dm->data_size = sizeof(*dm);
	dm->data_start = DM_HEAD_LEN;
	(void)snprintf(dm->name, sizeof(dm->name), "root");
	/* _IOWR(0xfd, number, struct dm_ioctl) */
	return ioctl(fd, (int)(3U << 30 | DM_HEAD_LEN << 16 | 0xfdU << 8 | number), dm);
}

static int device_number(const char *path, char ret[32])
{
	struct stat st;

	if (stat(path, &st) < 0)
		return -1;
	(void)snprintf(ret, 32, "%u:%u", major(st.st_rdev), minor(st.st_rdev));
	return 0;
}

static int fill_table(struct dm *dm, const char *data, const char *hashes, const char *root_hash)
{
	unsigned char sb[SUPERBLOCK_LEN];
	char salt[2 * SALT_MAX + 1] = "-", data_number[32], hash_number[32], algorithm[33] = "";
	int fd = open(hashes, O_RDONLY | O_CLOEXEC), n;
	ssize_t got = fd < 0 ? -1 : pread(fd, sb, sizeof(sb), 0);
	size_t salt_len;

	if (fd >= 0)
		(void)close(fd);
	if (got != (ssize_t)sizeof(sb) || memcmp(sb, "verity\0\0", 8) != 0) {
		errno = EBADMSG;
		return -1;
	}
	salt_len = gpt_get(sb + 80, 2);
	if (salt_len > SALT_MAX || device_number(data, data_number) < 0 ||
	    device_number(hashes, hash_number) < 0)
		return -1;
	for (size_t i = 0; i < salt_len; i++)
		(void)snprintf(salt + 2 * i, 3, "%02x", sb[88 + i]);
	memcpy(algorithm, sb + 32, 32);
	dm->target.length = gpt_get(sb + 72, 8) * (gpt_get(sb + 64, 4) / 512);
	(void)snprintf(dm->target.type, sizeof(dm->target.type), "verity");
	n = snprintf(dm->table, sizeof(dm->table), "%u %s %s %u %u %llu 1 %s %s %s",
		     (unsigned)gpt_get(sb + 12, 4), data_number, hash_number,
		     (unsigned)gpt_get(sb + 64, 4), (unsigned)gpt_get(sb + 68, 4),
		     (unsigned long long)gpt_get(sb + 72, 8), algorithm, root_hash, salt);
	return n > 0 && n < (int)sizeof(dm->table) ? 0 : -1;
}

static int make(int fd, const char *data, const char *hashes, const char *root_hash, char ret[64])
{
	struct dm dm = { .flags = 0 };

	if (ask(fd, &dm, DM_CREATE) < 0)
		return -1;
	dm = (struct dm) { .flags = DM_READONLY, .target_count = 1 };
	if (fill_table(&dm, data, hashes, root_hash) < 0 || ask(fd, &dm, DM_LOAD) < 0)
		return -1;
	dm = (struct dm) { .flags = 0 };
	if (ask(fd, &dm, DM_RESUME) < 0)
		return -1;
	(void)snprintf(ret, 64, "/dev/dm-%u",
		       (unsigned)((dm.dev & 0xff) | (dm.dev >> 12 & 0xfff00)));
	return 0;
}

int verity_open(const char *data, const char *hashes, const char *root_hash, char ret[64])
{
	int fd = open("/dev/mapper/control", O_RDWR | O_CLOEXEC), r = -1;

	if (fd >= 0)
		r = make(fd, data, hashes, root_hash, ret);
	if (r < 0)
		say("the root's hashes cannot be used: %s", strerror(errno));
	if (fd >= 0)
		(void)close(fd);
	return r;
}
