/* src/disk/blockdev.c */
#include "disk/blockdev.h"

#include <blkid/blkid.h>
#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/number.h"
#include "disk/partition.h"

#define ATTRIBUTE_MAX 4096
#define TABLE_MAX     (16U << 20) /* of a host with very many mounts */

struct looking {
	const struct blockdev_view *view;
	struct blockdev *dev;
	char *mounts, *swaps; /* as the kernel has them */
};

/* A line of sysfs without its end; "" if there is none. */
static char *attribute(int dir, const char *name)
{
	char *text = NULL;
	size_t len;

	if (file_read_at(dir, name, ATTRIBUTE_MAX, &text, NULL, NULL) < 0)
		return xstrdup("");
	len = strlen(text);
	while (len && (text[len - 1] == '\n' || text[len - 1] == ' '))
		text[--len] = '\0';
	return text;
}

static uint64_t number_at(int dir, const char *name)
{
	autofree char *text = attribute(dir, name);
	uint64_t value = 0;

	return number_parse(text, INT64_MAX / SECTOR, &value) < 0 ? 0 : value;
}

static dev_t device_at(int dir)
{
	autofree char *text = attribute(dir, "dev");
	char *colon = strchr(text, ':');
	uint64_t major = 0, minor = 0;

	if (!colon)
		return 0;
	*colon = '\0';
	if (number_parse(text, UINT32_MAX, &major) < 0 ||
	    number_parse(colon + 1, UINT32_MAX, &minor) < 0)
		return 0;
	return makedev((unsigned)major, (unsigned)minor);
}

/* users */

static void used(struct looking *l, char *text)
{
	if (l->dev->use)
		free(text);
	else
		l->dev->use = text;
}

/* Both tables write blanks as "\040"; a name is only compared or shown. */
static bool is_device(const char *path, dev_t number)
{
	struct stat st;

	return *path == '/' && stat(path, &st) == 0 && S_ISBLK(st.st_mode) && st.st_rdev == number;
}

/* proc(5): "36 35 98:0 /root /mount options tags - type source more". A file system of several
 * devices has a number of its own there, and one of them as its source.
 */
static bool line_is_of(char *line, dev_t number, char **ret_where)
{
	char *fields[5] = { NULL }, *rest = strstr(line, " - "), *source;
	unsigned major, minor;

	rest = rest ? rest + 3 : NULL;
	(void)strsep(&rest, " ");
	source = strsep(&rest, " ");
	rest = line;
	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		fields[i] = strsep(&rest, " ");
		if (!fields[i])
			return false;
	}
	*ret_where = fields[4];
	/* NOLINTNEXTLINE(cert-err34-c) what is no number is no device */
	return (sscanf(fields[2], "%u:%u", &major, &minor) == 2 &&
		makedev(major, minor) == number) ||
	       (source && is_device(source, number));
}

static void look_for_mounts(struct looking *l, const char *name, dev_t number)
{
	autofree char *text = xstrdup(l->mounts);
	char *rest = text, *line, *where;

	while (!l->dev->use && (line = strsep(&rest, "\n")))
		if (line_is_of(line, number, &where))
			used(l, xasprintf("%s is mounted on %s", name, where));
}

static void look_for_swap(struct looking *l, const char *name, dev_t number)
{
	autofree char *text = xstrdup(l->swaps);
	char *rest = text, *line;

	while (!l->dev->use && (line = strsep(&rest, "\n"))) {
		line[strcspn(line, " \t")] = '\0';
		if (is_device(line, number))
			used(l, xasprintf("%s is swapped to", name));
	}
}

static void look_for_holders(struct looking *l, const char *name, int dir)
{
	int fd = openat(dir, "holders", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (list && !l->dev->use && (e = readdir(list)))
		if (e->d_name[0] != '.')
			used(l, xasprintf("%s is a part of %s (RAID, LVM or encryption)", name,
					  e->d_name));
	if (list)
		(void)closedir(list);
	else if (fd >= 0)
		(void)close(fd);
}

/* Nobody holds what a loop device shows: its own file says whose it is. */
static void look_for_loops(struct looking *l, const char *name)
{
	autofree char *path = xasprintf("%s/block", l->view->sys ? l->view->sys : "/sys");
	autofree char *device = xasprintf("/dev/%s", name);
	DIR *list = opendir(path);
	struct dirent *e;

	while (list && !l->dev->use && (e = readdir(list))) {
		autofree char *file = xasprintf("%s/loop/backing_file", e->d_name);
		autofree char *shown = attribute(dirfd(list), file);

		if (strcmp(shown, device) == 0)
			used(l, xasprintf("%s is shown by %s (losetup -d)", name, e->d_name));
	}
	if (list)
		(void)closedir(list);
}

static void look_for_users(struct looking *l, const char *name, int dir, dev_t number)
{
	look_for_mounts(l, name, number);
	look_for_swap(l, name, number);
	look_for_holders(l, name, dir);
	look_for_loops(l, name);
}

/* the device and what is on it */

static void append(char text[BLOCKDEV_TEXT_MAX], const char *value)
{
	size_t len = strlen(text);

	(void)snprintf(text + len, BLOCKDEV_TEXT_MAX - len, "%s%s", len ? " " : "", value);
	for (; text[len]; len++)
		if ((unsigned char)text[len] < ' ' || text[len] == 0x7f)
			text[len] = '?';
}

/* "ext4 root", for whoever is asked whether it may go; "" if it says nothing or may not be read. */
static void name_contents(const char *name, char ret[BLOCKDEV_TEXT_MAX])
{
	static const char *const values[] = { "TYPE", "LABEL" };
	autofree char *path = xasprintf("/dev/%s", name);
	blkid_probe probe = blkid_new_probe_from_filename(path);
	const char *value;

	*ret = '\0';
	if (probe && blkid_do_safeprobe(probe) == 0)
		for (size_t i = 0; i < ARRAY_SIZE(values); i++)
			if (blkid_probe_lookup_value(probe, values[i], &value, NULL) == 0)
				append(ret, value);
	blkid_free_probe(probe);
}

static void look_at_part(struct looking *l, int dir, const char *name)
{
	autoclose int part = openat(dir, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct blockdev *b = l->dev;

	if (part < 0 || faccessat(part, "partition", F_OK, 0) < 0)
		return;
	if (b->nparts < BLOCKDEV_PARTS_MAX) {
		struct blockdev_part *p = &b->parts[b->nparts++];

		(void)snprintf(p->name, sizeof(p->name), "%.63s", name);
		p->size = (int64_t)number_at(part, "size") * SECTOR;
		name_contents(name, p->contents);
	}
	look_for_users(l, name, part, device_at(part));
}

static int by_name(const void *a, const void *b)
{
	const struct blockdev_part *x = a, *y = b;
	size_t n = strlen(x->name), k = strlen(y->name);

	return n != k ? (n < k ? -1 : 1) : strcmp(x->name, y->name);
}

static void look_at_parts(struct looking *l, int dir)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *list = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *e;

	while (list && (e = readdir(list)))
		if (e->d_name[0] != '.')
			look_at_part(l, dir, e->d_name);
	if (list)
		(void)closedir(list);
	else if (fd >= 0)
		(void)close(fd);
	qsort(l->dev->parts, l->dev->nparts, sizeof(l->dev->parts[0]), by_name);
}

/* A card reader that is built in says that it is removable; a disk in a USB case does not. */
static void name_it(struct blockdev *b, const char *path, const char *link, int dir)
{
	autofree char *model = attribute(dir, "device/model");
	char target[PATH_MAX] = "";
	const char *last;
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	target[MAX(n, 0)] = '\0';
	last = strrchr(target, '/');
	(void)snprintf(b->name, sizeof(b->name), "%.63s", last ? last + 1 : link);
	(void)snprintf(b->model, sizeof(b->model), "%.63s", model);
	b->removable = number_at(dir, "removable") || strstr(target, "/usb") ||
		       strstr(target, "/mmc_host/");
}

int blockdev_look(dev_t number, const struct blockdev_view *view, struct blockdev *ret,
		  struct error *err)
{
	const char *sys = view->sys ? view->sys : "/sys";
	autofree char *link = xasprintf("%u:%u", major(number), minor(number));
	autofree char *path = xasprintf("%s/dev/block/%s", sys, link);
	autofree char *mounts = xasprintf("%s/self/mountinfo", view->proc ? view->proc : "/proc");
	autofree char *swaps = xasprintf("%s/swaps", view->proc ? view->proc : "/proc");
	autoclose int dir = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct looking l = { .view = view, .dev = ret };
	int r;

	if (dir < 0)
		return error_sys(err, -errno, "look for the device in %s", path);
	*ret = (struct blockdev) { .number = number };
	r = file_read_at(AT_FDCWD, mounts, TABLE_MAX, &l.mounts, NULL, err);
	if (r == 0 && file_read_at(AT_FDCWD, swaps, TABLE_MAX, &l.swaps, NULL, NULL) < 0)
		l.swaps = xstrdup(""); /* a kernel without swap */
	if (r == 0) {
		name_it(ret, path, link, dir);
		ret->is_partition = faccessat(dir, "partition", F_OK, 0) == 0;
		ret->readonly = number_at(dir, "ro");
		ret->size = (int64_t)number_at(dir, "size") * SECTOR;
		ret->sector = (int)number_at(dir, ret->is_partition ? "../queue/logical_block_size"
								    : "queue/logical_block_size");
		look_for_users(&l, ret->name, dir, number);
		look_at_parts(&l, dir);
	}
	free(l.mounts);
	free(l.swaps);
	return r;
}

void blockdev_done(struct blockdev *b)
{
	free(b->use);
	b->use = NULL;
}
