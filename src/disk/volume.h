/* src/disk/volume.h - what a partition holds: the kind of its file system, and all its files. */
#ifndef DISK_VOLUME_H
#define DISK_VOLUME_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "disk/region.h"
#include "disk/workdir.h"

struct filetree;

struct volume {
	char type[16]; /* as mount(8) has it, "ext4", "vfat", "crypto_LUKS"; "": it is not known */
	char uuid[40], label[72];
	const char *subvol; /* of a btrfs, "a/b" from its top on; borrowed; NULL: the default one */
};

/* At what begins there; hostile. */
void volume_look(const struct region *at, struct volume *ret);
/* Whether its files can be read. */
bool volume_is_read(const struct volume *v);
bool volume_is_ext(const struct volume *v);

/* All files of one, and what they lie in meanwhile. */
struct volume_tree {
	struct filetree *tree; /* NULL: not read yet; numbered from 1, the root, on */
	int fd, spool;         /* owned */
	struct workdir work;
};
#define VOLUME_TREE_INIT ((struct volume_tree) { .fd = -1, .spool = -1, .work = WORKDIR_INIT })

/* -EOPNOTSUPP: of a kind that is not read; -ENOENT: it has no such subvolume. */
int volume_read(const struct volume *v, const struct region *at, struct volume_tree *ret,
		struct error *err) must_check;
void volume_tree_done(struct volume_tree *t);

#endif
