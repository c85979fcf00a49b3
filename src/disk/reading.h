/* src/disk/reading.h - files out of a disk, without a mount; the disk is hostile.
 *
 * A packed one (format.h) is unpacked into a nameless file first.  What is read is the root: the
 * partition whose type says that it is one, else the largest with files, or the whole file if that
 * has no table, and what its fstab mounts of this disk (whole.h); or the partition that was asked
 * for, alone.
 */
#ifndef DISK_READING_H
#define DISK_READING_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "base/strv.h"
#include "disk/format.h"
#include "disk/partition.h"
#include "disk/region.h"
#include "disk/volume.h"

struct filetree;

#define DISK_MORE_MAX 32 /* mounts */

struct disk {
	int fd;                  /* its plain bytes */
	enum disk_format format; /* of the file */
	int64_t size;
	enum partition_table table;
	struct partition parts[PARTITIONS_MAX];
	struct volume
		volumes[PARTITIONS_MAX]; /* what is in each; of a disk without table the first */
	size_t nparts;
	int esp, root;                 /* in parts; -1: none */
	struct region at;              /* where the root is; size 0: there is none */
	struct volume volume;          /* what it holds */
	struct struct_ext2_filsys *fs; /* of an ext2, ext3 or ext4, which is read where it is */
	struct volume_tree tree;       /* of another one, or of a root with mounts */
	bool alone;                    /* a partition was asked for: nothing is mounted there */
	struct volume_tree more[DISK_MORE_MAX]; /* what is mounted in it */
	size_t nmore;
	struct strv left_out; /* mounts that are not on this disk, "/home (UUID=x)" */
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

/* partition counts as "inspect" shows them, from 1 on; 0: the root. */
int disk_open(const char *path, int partition, struct disk **ret, struct error *err) must_check;
void disk_close(struct disk *d);
DEFINE_CLEANUP(struct disk *, disk, disk_close);

/* Where one of its volumes lies: partition i, or all of it if it has no table. */
struct region disk_region(const struct disk *d, size_t i);
/* The files of its root, all of them if it is none that is read where it is.  -EOPNOTSUPP: its root
 * is of a kind that is not read; -ENOENT: it has none.
 */
int disk_read(struct disk *d, struct error *err) must_check;
/* The same of another partition, which is its root from now on, without mounts. */
int disk_turn_to(struct disk *d, int root, struct error *err) must_check;
/* The same, always as a tree, which is the disk's. */
int disk_read_tree(struct disk *d, struct filetree **ret, struct error *err) must_check;
/* These three after disk_read().
 *
 * Links on the way and at the end are followed inside of the disk.  Its name is the path's last
 * word, "" of the root; "." and ".." stay what they are.  -ENOENT. */
int disk_find(const struct disk *d, const char *path, struct disk_entry *ret,
	      struct error *err) must_check;
/* Each name of a directory but "." and "..", sorted. */
typedef int (*disk_entry_fn)(void *data, const struct disk_entry *e, struct error *err);
int disk_list(const struct disk *d, uint32_t dir, disk_entry_fn fn, void *data,
	      struct error *err) must_check;
/* A regular file's bytes; holes become zeros, or holes if to can seek. */
int disk_copy_out(const struct disk *d, uint32_t number, int to, struct error *err) must_check;

#endif
