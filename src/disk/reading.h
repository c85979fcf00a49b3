/* src/disk/reading.h - files out of a disk's root, without a mount; the disk is hostile.
 *
 * A packed one (format.h) is unpacked into a nameless file first.
 * The root is the first partition with an ext2, ext3 or ext4, or the whole file if that is one.
 */
#ifndef DISK_READING_H
#define DISK_READING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "disk/format.h"
#include "disk/partition.h"

struct disk {
	int fd;                  /* its plain bytes */
	enum disk_format format; /* of the file */
	int64_t size;
	struct partition parts[PARTITIONS_MAX];
	size_t nparts;
	enum partition_table table;
	int esp, root;                 /* in parts; -1: none */
	struct struct_ext2_filsys *fs; /* of the root; NULL: none */
	char uuid[UUID_TEXT_LEN + 1];  /* of it */
	char label[17];
};

struct disk_entry {
	char name[256];
	uint32_t number; /* of the inode */
	mode_t mode;
	uint32_t uid, gid;
	int64_t size, mtime_s;
	char *target; /* of a symbolic link; owned */
};
void disk_entry_done(struct disk_entry *e);

int disk_open(const char *path, struct disk **ret, struct error *err) must_check;
void disk_close(struct disk *d);
DEFINE_CLEANUP(struct disk *, disk, disk_close);

/* -EOPNOTSUPP: its root is of a kind that is not read; -ENOENT: it has none. */
int disk_need_fs(const struct disk *d, struct error *err) must_check;
/* Links on the way and at the end are followed inside of the disk.  -ENOENT. */
int disk_find(const struct disk *d, const char *path, struct disk_entry *ret,
	      struct error *err) must_check;
/* Each name of a directory but "." and "..", sorted. */
int disk_list(const struct disk *d, uint32_t dir,
	      int (*fn)(void *data, const struct disk_entry *e, struct error *err), void *data,
	      struct error *err) must_check;
/* A regular file's bytes; holes become zeros, or holes if to can seek. */
int disk_copy_out(const struct disk *d, uint32_t number, int to, struct error *err) must_check;

#endif
