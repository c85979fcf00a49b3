/* src/disk/machine/world.c */
#include "disk/machine/world.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk/machine/blockdev.h"
#include "disk/machine/grow.h"
#include "disk/machine/orders.h"
#include "disk/machine/say.h"

#define OURS     "/.strake"
#define NEW_ROOT OURS "/root"
#define VOLUMES  OURS "/volumes"
#define TAG_MAX  64

static bool is_mounted(const char *at)
{
	struct stat here, above;
	char parent[64];

	(void)snprintf(parent, sizeof(parent), "%s/..", at);
	return stat(at, &here) == 0 && stat(parent, &above) == 0 && here.st_dev != above.st_dev;
}

void world_make(void)
{
	static const struct {
		const char *type, *at, *data;
		unsigned long flags;
	} mounts[] = {
		{ "proc", "/proc", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV },
		{ "sysfs", "/sys", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV },
		{ "devtmpfs", "/dev", "mode=0755", MS_NOSUID },
		{ "devpts", "/dev/pts", "mode=0620,gid=5,ptmxmode=0666", MS_NOSUID | MS_NOEXEC },
		{ "tmpfs", "/dev/shm", "mode=1777", MS_NOSUID | MS_NODEV },
		{ "tmpfs", "/run", "mode=0755", MS_NOSUID | MS_NODEV },
		{ "cgroup2", "/sys/fs/cgroup", NULL, MS_NOSUID | MS_NOEXEC | MS_NODEV },
	};

	for (size_t i = 0; i < sizeof(mounts) / sizeof(mounts[0]); i++) {
		(void)mkdir(mounts[i].at, 0755);
		if (is_mounted(mounts[i].at))
			continue;
		/* A kernel without one of them is as it is. */
		(void)mount(mounts[i].type, mounts[i].at, mounts[i].type, mounts[i].flags,
			    mounts[i].data);
	}
	(void)mkdir("/tmp", 01777);
	(void)chmod("/tmp", 01777);
	(void)symlink("/proc/self/fd", "/dev/fd");
	(void)symlink("/proc/self/fd/0", "/dev/stdin");
	(void)symlink("/proc/self/fd/1", "/dev/stdout");
	(void)symlink("/proc/self/fd/2", "/dev/stderr");
}

static bool mount_disk(const char *uuid, struct drivers *d, const char *at)
{
	char device[DEVICE_PATH_MAX];

	if (blockdev_find(uuid, d, device) < 0) {
		say("no disk has the file system %s", uuid);
		return false;
	}
	(void)mkdir(at, 0755);
	if (mount(device, at, "ext4", 0, NULL) < 0) {
		say("mount %s: %s", device, strerror(errno));
		return false;
	}
	grow_mounted(at);
	return true;
}

/* What was in memory stays there, and where it was: orders, modules, a few hundred kilobytes. */
bool world_move(const char *uuid, struct drivers *d)
{
	static const char *const moved[] = { "/sys/fs/cgroup", "/dev/shm", "/dev/pts", "/run" };
	static const char *const kept[] = { "/proc", "/sys", "/dev" };

	if (!mount_disk(uuid, d, NEW_ROOT))
		return false;
	for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++)
		(void)umount2(moved[i], MNT_DETACH);
	for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++) {
		char at[64];

		(void)snprintf(at, sizeof(at), NEW_ROOT "%s", kept[i]);
		(void)mkdir(at, 0755);
		(void)mount(kept[i], at, NULL, MS_MOVE, NULL);
	}
	(void)mkdir(NEW_ROOT OURS, 0700);
	(void)mount(OURS, NEW_ROOT OURS, NULL, MS_BIND, NULL);
	if (chdir(NEW_ROOT) < 0 || mount(".", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    chdir("/") < 0) {
		say("change to the disk: %s", strerror(errno));
		return false;
	}
	return true;
}

bool volumes_mount(const char *uuid, struct drivers *d)
{
	(void)mkdir(OURS, 0700);
	return mount_disk(uuid, d, VOLUMES);
}

/* With all directories above it. */
void world_make_path(const char *path)
{
	char text[PATH_LEN_MAX];
	size_t n = strlen(path);

	if (n >= sizeof(text))
		return;
	memcpy(text, path, n + 1);
	for (char *slash = strchr(text + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		(void)mkdir(text, 0755);
		*slash = '/';
	}
	(void)mkdir(text, 0755);
}

void volume_bind(const char *name, const char *at)
{
	char from[64];

	(void)snprintf(from, sizeof(from), VOLUMES "/%.32s", name);
	world_make_path(at);
	if (mount(from, at, NULL, MS_BIND, NULL) < 0)
		say("volume %s: %s", at, strerror(errno));
}

/* Virtio over PCI: vendor 1af4, device 1009 or 1049 is 9p. */
bool shares_are_there(void)
{
	DIR *dir = opendir("/sys/bus/pci/devices");
	const struct dirent *item;
	bool found = false;

	while (dir && !found && (item = readdir(dir))) {
		char path[PATH_LEN_MAX], text[16] = "";
		int fd;

		(void)snprintf(path, sizeof(path), "/sys/bus/pci/devices/%.32s/device",
			       item->d_name);
		fd = open(path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0) {
			(void)!read(fd, text, sizeof(text) - 1);
			(void)close(fd);
		}
		found = strncmp(text, "0x1009", 6) == 0 || strncmp(text, "0x1049", 6) == 0;
	}
	if (dir)
		(void)closedir(dir);
	return found;
}

static void share(const char *device)
{
	char path[PATH_LEN_MAX], tag[TAG_MAX];
	ssize_t n;
	int fd;

	(void)snprintf(path, sizeof(path), "/sys/bus/virtio/drivers/9pnet_virtio/%.32s/mount_tag",
		       device);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, tag, sizeof(tag) - 1);
	if (fd >= 0)
		(void)close(fd);
	if (n <= 0 || tag[0] != '/')
		return;
	tag[n] = '\0';
	tag[strcspn(tag, "\n")] = '\0';
	world_make_path(tag);
	if (mount(tag, tag, "9p", MS_NOSUID | MS_NODEV,
		  "trans=virtio,version=9p2000.L,msize=131072") < 0)
		say("shared folder %s: %s", tag, strerror(errno));
}

void shares_mount(void)
{
	DIR *dir = opendir("/sys/bus/virtio/drivers/9pnet_virtio");
	const struct dirent *item;

	while (dir && (item = readdir(dir)))
		if (strncmp(item->d_name, "virtio", 6) == 0)
			share(item->d_name);
	if (dir)
		(void)closedir(dir);
}

/* Whoever still has a file open is gone by now; a read-only file system needs no repair. */
void world_end(void)
{
	sync();
	(void)mount(NULL, VOLUMES, NULL, MS_REMOUNT | MS_RDONLY, NULL);
	(void)mount(NULL, "/", NULL, MS_REMOUNT | MS_RDONLY, NULL);
}
