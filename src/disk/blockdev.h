/* src/disk/blockdev.h - what a block device is, and whether somebody uses it, as sysfs and the
 * tables of mounts and swap areas say.
 */
#ifndef DISK_BLOCKDEV_H
#define DISK_BLOCKDEV_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

/* Where the kernel tells of them. */
struct blockdev_view {
	const char *sys;  /* NULL: "/sys" */
	const char *proc; /* NULL: "/proc" */
};

#define BLOCKDEV_TEXT_MAX 128

struct blockdev_part {
	char name[64];
	int64_t size;
	char contents[BLOCKDEV_TEXT_MAX]; /* kind and label of its file system, "" */
};

#define BLOCKDEV_PARTS_MAX 128

struct blockdev {
	dev_t number;
	char name[64]; /* the kernel's, "sdb" */
	char model[64];
	int64_t size;
	int sector;        /* bytes of a logical one */
	bool is_partition; /* of another */
	bool removable;    /* a stick or a card, or something that hangs on USB */
	bool readonly;
	char *use; /* by whom it is used, "sdb1 is mounted on /mnt"; NULL: by nobody; owned */
	struct blockdev_part parts[BLOCKDEV_PARTS_MAX];
	size_t nparts;
};

/* number is st_rdev. */
int blockdev_look(dev_t number, const struct blockdev_view *view, struct blockdev *ret,
		  struct error *err) must_check;
void blockdev_done(struct blockdev *b);

#endif
