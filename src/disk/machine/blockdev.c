/* src/disk/machine/blockdev.c */
#include "disk/machine/blockdev.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "disk/machine/clock.h"
#include "disk/machine/drivers.h"

#define PATIENCE_MS    30000 /* of slow controllers, USB disks */
#define EVENT_MAX      8192
#define NETLINK_UEVENT 15
#define SUPERBLOCK_AT  1024
#define MAGIC_AT       (SUPERBLOCK_AT + 0x38)
#define UUID_AT        (SUPERBLOCK_AT + 0x68)

int ext4_uuid(const unsigned char bytes[EXT4_HEAD_LEN], char ret[37])
{
	const unsigned char *u = bytes + UUID_AT;

	if (bytes[MAGIC_AT] != 0x53 || bytes[MAGIC_AT + 1] != 0xef)
		return -1;
	(void)snprintf(ret, 37,
		       "%02x%02x%02x%02x-%02x%02x-%02x%02x-%02x%02x-%02x%02x%02x%02x%02x%02x", u[0],
		       u[1], u[2], u[3], u[4], u[5], u[6], u[7], u[8], u[9], u[10], u[11], u[12],
		       u[13], u[14], u[15]);
	return 0;
}

static int has_uuid(const char *device, const char *uuid)
{
	unsigned char bytes[EXT4_HEAD_LEN];
	char text[37];
	int fd = open(device, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? -1 : pread(fd, bytes, sizeof(bytes), 0);

	if (fd >= 0)
		(void)close(fd);
	return n == (ssize_t)sizeof(bytes) && ext4_uuid(bytes, text) == 0 &&
	       strcmp(text, uuid) == 0;
}

static int look(const char *uuid, char ret[DEVICE_PATH_MAX])
{
	DIR *dir = opendir("/sys/class/block");
	const struct dirent *item;
	int found = -1;

	while (dir && found < 0 && (item = readdir(dir))) {
		if (item->d_name[0] == '.' || strlen(item->d_name) + 6 > DEVICE_PATH_MAX)
			continue;
		(void)snprintf(ret, DEVICE_PATH_MAX, "/dev/%.*s", DEVICE_PATH_MAX - 6,
			       item->d_name);
		found = has_uuid(ret, uuid) ? 0 : -1;
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

/* The kernel says when a device has come; listening begins before the first look. */
int blockdev_find(const char *uuid, struct drivers *d, char ret[DEVICE_PATH_MAX])
{
	const struct {
		sa_family_t family;
		unsigned short pad;
		uint32_t pid, groups;
	} here = { .family = AF_NETLINK, .groups = 1 };
	int events = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_UEVENT);
	struct pollfd fd = { .fd = events, .events = POLLIN };
	int64_t until = now_ms() + PATIENCE_MS, left;
	char bytes[EVENT_MAX];
	int found;

	(void)bind(events, (const struct sockaddr *)&here, sizeof(here));
	while ((found = look(uuid, ret)) < 0 && (left = until - now_ms()) > 0)
		if (!drivers_load_disk(d) && poll(&fd, 1, (int)left) > 0)
			(void)!read(events, bytes, sizeof(bytes));
	(void)close(events);
	return found;
}
