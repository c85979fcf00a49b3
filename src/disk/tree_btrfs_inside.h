/* src/disk/tree_btrfs_inside.h - between the files that read a btrfs.
 *
 * Numbers and kinds are those of btrfs_format.h.
 */
#ifndef DISK_TREE_BTRFS_INSIDE_H
#define DISK_TREE_BTRFS_INSIDE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "disk/btrfs_format.h"
#include "disk/tree_inodes.h"

struct btrfs_chunk {
	uint64_t logical, len;
	int64_t place;
};

/* The last node that was read of each level: neighbours are asked for in order. */
struct btrfs_slot {
	uint64_t logical; /* 0: none */
	int64_t place;
	unsigned char *bytes; /* owned */
};

struct btrfs_in {
	uint32_t node; /* bytes */
	struct btrfs_chunk *chunks;
	size_t n, room;
	struct btrfs_slot slots[BTRFS_LEVELS];
};

struct btrfs_tree {
	uint64_t logical;
	unsigned level;
};

struct btrfs_item {
	uint64_t object, offset;
	unsigned kind;
	const unsigned char *bytes; /* until the next walk */
	size_t len;
	int64_t place;
};

/* Each item of one object, in order; fn must not walk itself. */
typedef int (*btrfs_item_fn)(const struct inodes *g, const struct btrfs_item *item, void *data);
int btrfs_walk(const struct inodes *g, struct btrfs_in *b, struct btrfs_tree tree, uint64_t object,
	       btrfs_item_fn fn, void *data) must_check;

/* Where len bytes lie. */
int btrfs_place(const struct inodes *g, const struct btrfs_in *b, uint64_t logical, uint64_t len,
		int64_t *ret) must_check;
/* Of an item of the tree of chunks, or of those that the superblock has; what follows is the next
 * one's.
 */
int btrfs_take_chunk(const struct inodes *g, struct btrfs_in *b, uint64_t logical,
		     const unsigned char *p, size_t len, size_t *ret_used) must_check;
void btrfs_in_done(struct btrfs_in *b);

#endif
