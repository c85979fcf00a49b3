/* src/disk/machine/root.c - process 1 of a small initrd: loads drivers, waits for the root, mounts
 * it and goes over to it.
 *
 * It heeds the words of the kernel's command line that others heed, too: root=PARTUUID=,
 * rootfstype=, ro, rw, init=; of systemd's: systemd.volatile=overlay (what is written stays in
 * memory), roothash=, systemd.verity_root_data=, systemd.verity_root_hash=; and
 * strake.crypt=PARTUUID=, of a partition that cryptsetup opens.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "disk/machine/gpt.h"
#include "disk/machine/grow.h"
#include "disk/machine/module.h"
#include "disk/machine/orders.h"
#include "disk/machine/say.h"
#include "disk/machine/verity.h"

#define WAIT_S    60
#define GROUP_ALL 1 /* of NETLINK_KOBJECT_UEVENT, which is 15: what the kernel itself says */
#define UEVENTS   15
/* linux/loop.h: musl has no headers of the kernel's. */
#define LOOP_SET_FD       0x4c00
#define LOOP_SET_STATUS64 0x4c04
#define LOOP_GET_FREE     0x4c82

struct words {
	char *line;
	const char *root, *type, *init, *hash, *data, *hashes, *crypt;
	bool writes, overlay;
};

static char *read_file(const char *path, size_t *ret_len)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	char *bytes = calloc(1, ORDERS_MAX + 1);
	size_t len = 0;
	ssize_t n = 1;

	while (fd >= 0 && bytes && len < ORDERS_MAX && n > 0) {
		n = read(fd, bytes + len, ORDERS_MAX - len);
		len += n > 0 ? (size_t)n : 0;
	}
	if (fd >= 0)
		(void)close(fd);
	*ret_len = len;
	return bytes;
}

/* The part behind "KEY=" of a word of the command line. */
static bool take(const char *word, const char *key, const char **ret)
{
	size_t n = strlen(key);

	if (strncmp(word, key, n) != 0)
		return false;
	*ret = word + n;
	return true;
}

static void read_words(struct words *w)
{
	const char *mode = "";
	size_t len;
	char *at, *word;

	*w = (struct words) { .line = read_file("/proc/cmdline", &len), .init = "/sbin/init" };
	at = w->line;
	while (at && (word = strsep(&at, " \n"))) {
		if (strcmp(word, "rw") == 0 || strcmp(word, "ro") == 0)
			w->writes = word[1] == 'w';
		(void)(take(word, "root=PARTUUID=", &w->root) ||
		       take(word, "rootfstype=", &w->type) || take(word, "init=", &w->init) ||
		       take(word, "roothash=", &w->hash) ||
		       take(word, "systemd.verity_root_data=PARTUUID=", &w->data) ||
		       take(word, "systemd.verity_root_hash=PARTUUID=", &w->hashes) ||
		       take(word, "strake.crypt=PARTUUID=", &w->crypt) ||
		       take(word, "systemd.volatile=", &mode));
	}
	w->overlay = strcmp(mode, "overlay") == 0;
}

/* devices */

/* "/dev/vda2"; of a disk that the kernel sees no partitions on (an optical drive) a loop device. */
static bool open_part(const struct gpt_place *p, char ret[96])
{
	uint64_t status[29] = { 0, 0, 0, p->first * GPT_SECTOR,
				(p->last - p->first + 1) * GPT_SECTOR };
	char path[320], number[16];
	struct dirent *e;
	DIR *dir;
	int control, disk, loop, n;

	(void)snprintf(path, sizeof(path), "/sys/block/%s", p->disk);
	dir = opendir(path);
	*ret = '\0';
	while (dir && !*ret && (e = readdir(dir))) {
		size_t len = 0;
		char *text;

		(void)snprintf(path, sizeof(path), "/sys/block/%s/%.200s/partition", p->disk,
			       e->d_name);
		if (access(path, R_OK) < 0)
			continue;
		text = read_file(path, &len);
		(void)snprintf(number, sizeof(number), "%d\n", p->number);
		if (text && strcmp(text, number) == 0)
			(void)snprintf(ret, 96, "/dev/%.80s", e->d_name);
		free(text);
	}
	if (dir)
		(void)closedir(dir);
	if (*ret)
		return access(ret, R_OK) == 0;
	if (strncmp(p->disk, "sr", 2) != 0)
		return false;
	(void)snprintf(path, sizeof(path), "/dev/%s", p->disk);
	control = open("/dev/loop-control", O_RDWR | O_CLOEXEC);
	disk = open(path, O_RDONLY | O_CLOEXEC);
	n = control < 0 ? -1 : ioctl(control, LOOP_GET_FREE);
	(void)snprintf(ret, 96, "/dev/loop%d", n);
	loop = n < 0 ? -1 : open(ret, O_RDONLY | O_CLOEXEC);
	/* It stays open, as the loop device goes with its last user. */
	return loop >= 0 && disk >= 0 && ioctl(loop, LOOP_SET_FD, disk) == 0 &&
	       ioctl(loop, LOOP_SET_STATUS64, status) == 0;
}

/* Each time that the kernel tells of something new the disks are looked through again. */
static bool wait_for(const char *uuid, int events, char ret[96])
{
	const time_t end = time(NULL) + WAIT_S;
	struct gpt_place place;
	char text[8192];

	do {
		struct pollfd p = { .fd = events, .events = POLLIN };

		if (uuid && gpt_find(uuid, &place) && open_part(&place, ret))
			return true;
		if (poll(&p, 1, 1000) > 0)
			(void)recv(events, text, sizeof(text), 0);
	} while (time(NULL) < end);
	say("no disk has a partition %s", uuid ? uuid : "(none is told by root=PARTUUID=)");
	return false;
}

/* It asks for the passphrase itself. */
static bool decrypt(const char *device)
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		(void)setenv("PATH", "/sbin:/usr/sbin:/bin:/usr/bin", 1);
		(void)setenv("DM_DISABLE_UDEV", "1", 1);
		(void)setenv("TERM", "linux", 1);
		(void)mkdir("/run", 0755);
		(void)mkdir("/run/cryptsetup", 0700);
		(void)execl("/sbin/cryptsetup", "cryptsetup", "open", "--type", "luks2", "--tries",
			    "5", device, "root", (char *)NULL);
		say("cryptsetup: %s", strerror(errno));
		_exit(127);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) &&
	       WEXITSTATUS(status) == 0;
}

static bool find_root(const struct words *w, int events, char ret[96])
{
	char hashes[96];
	struct stat st;

	if (w->crypt) {
		if (!wait_for(w->crypt, events, ret))
			return false;
		/* What is opened is as large as the partition was then. */
		if (stat(ret, &st) == 0)
			grow_partition(st.st_rdev);
		if (!decrypt(ret))
			return false;
		(void)snprintf(ret, 96, "/dev/mapper/root");
		return true;
	}
	if (w->hash)
		return wait_for(w->data, events, ret) && wait_for(w->hashes, events, hashes) &&
		       verity_open(ret, hashes, w->hash, ret) == 0;
	return wait_for(w->root, events, ret);
}

/* the root */

static bool mount_at(const char *what, const char *at, const char *type, unsigned long flags,
		     const char *data)
{
	(void)mkdir(at, 0755);
	if (mount(what, at, type, flags, data) == 0)
		return true;
	say("mount %s as %s: %s", what, type, strerror(errno));
	return false;
}

static bool mount_root(const struct words *w, const char *device)
{
	const char *type = w->type ? w->type : "ext4";
	bool writes = w->writes && !w->overlay;

	if (!w->overlay)
		return mount_at(device, "/root", type, writes ? 0 : MS_RDONLY, NULL);
	if (!mount_at(device, "/lower", type, MS_RDONLY,
		      strcmp(type, "ext4") == 0 ? "noload" : NULL) ||
	    !mount_at("tmpfs", "/upper", "tmpfs", 0, "mode=0755"))
		return false;
	(void)mkdir("/upper/files", 0755);
	(void)mkdir("/upper/work", 0755);
	return mount_at("overlay", "/root", "overlay", 0,
			"lowerdir=/lower,upperdir=/upper/files,workdir=/upper/work");
}

static void go_over(const struct words *w, char **argv)
{
	static const char *const moved[] = { "/dev", "/proc", "/sys" };
	char to[32];

	for (size_t i = 0; i < sizeof(moved) / sizeof(moved[0]); i++) {
		(void)snprintf(to, sizeof(to), "/root%s", moved[i]);
		if (mount(moved[i], to, NULL, MS_MOVE, NULL) < 0)
			(void)umount2(moved[i], MNT_DETACH);
	}
	/* The memory of what is left here. */
	(void)unlink("/sbin/cryptsetup");
	(void)unlink("/init");
	if (chdir("/root") < 0 || mount("/root", "/", NULL, MS_MOVE, NULL) < 0 || chroot(".") < 0 ||
	    chdir("/") < 0) {
		say("go over to the root: %s", strerror(errno));
		return;
	}
	argv[0] = (char *)w->init;
	(void)execv(w->init, argv);
	say("%s: %s", w->init, strerror(errno));
}

static void load_all(void)
{
	size_t len = 0;
	char *orders = read_file(ORDERS_PATH, &len);

	if (!orders)
		return;
	for (size_t at = 0; at < len; at += strlen(orders + at) + 1)
		if (orders[at] == ORDER_MODULE) {
			module_load(orders + at + 1);
			(void)unlink(orders + at + 1);
		}
	free(orders);
}

int main(int argc, char **argv)
{
	struct {
		unsigned short family, pad;
		unsigned pid, groups;
	} all = { AF_NETLINK, 0, 0, GROUP_ALL };
	int events = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC, UEVENTS), console;
	char device[96] = "";
	struct words words;

	(void)argc;
	if (getpid() != 1) {
		(void)dprintf(STDERR_FILENO, "this is the first process of a machine\n");
		return 2;
	}
	(void)bind(events, (struct sockaddr *)&all, sizeof(all));
	if (!mount_at("proc", "/proc", "proc", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL) ||
	    !mount_at("sysfs", "/sys", "sysfs", MS_NOSUID | MS_NOEXEC | MS_NODEV, NULL) ||
	    !mount_at("devtmpfs", "/dev", "devtmpfs", MS_NOSUID, "mode=0755"))
		return 1;
	console = open("/dev/console", O_RDWR | O_NOCTTY);
	for (int fd = STDIN_FILENO; console >= 0 && fd <= STDERR_FILENO; fd++)
		(void)dup2(console, fd);
	read_words(&words);
	load_all();
	if (!find_root(&words, events, device) || !mount_root(&words, device))
		return 1;
	if (words.writes && !words.overlay)
		grow_mounted("/root");
	(void)close(events);
	go_over(&words, argv);
	return 1;
}
