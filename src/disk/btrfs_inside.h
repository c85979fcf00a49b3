/* src/disk/btrfs_inside.h - between the files that write a btrfs.
 *
 * Spaces (chunks, block groups) are taken from the disk as they are needed, one behind the other; a
 * logical number is the place of the first copy.  What a space holds begins at its start without
 * gaps, so that its books are a list, and what is free is one run at its end.
 */
#ifndef DISK_BTRFS_INSIDE_H
#define DISK_BTRFS_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "disk/btrfs_format.h"

struct file;
struct filetree;

#define BTRFS_BLOCK    4096
#define BTRFS_NODE     16384
#define BTRFS_ITEM_MAX (BTRFS_NODE - BTRFS_HEAD - BTRFS_ITEM)
#define BTRFS_TIME     1ULL /* the first and only transaction */
#define BTRFS_ALIGN    65536
#define BTRFS_SUM      4
#define BTRFS_SUPER_2  (64ULL << 20) /* copies of the superblock */
#define BTRFS_SUPER_3  (256ULL << 30)

#define BTRFS_INLINE_MAX 2048 /* of a file beside its inode, as the kernel has it */

struct btrfs_node {
	uint64_t tree;
	unsigned level;
};

struct btrfs_nodes {
	struct btrfs_node *items; /* owned */
	size_t n, room;
};

/* An extent of a file. */
struct btrfs_data {
	uint64_t len, at; /* in the file */
	uint64_t inode;
};

struct btrfs_space {
	uint64_t at, len, used;
	unsigned kind;
	struct btrfs_nodes nodes;
	struct btrfs_data *data; /* owned */
	size_t ndata, room;
};

struct btrfs_key {
	uint64_t object;
	unsigned kind;
	uint64_t offset;
};

struct btrfs_level {
	unsigned char *bytes; /* owned */
	unsigned n;
	size_t end; /* where the data of a leaf's items begin */
	struct btrfs_key first;
};

/* A tree that is filled in the order of its keys; each node is written when the next begins. */
struct btrfs_filling {
	struct btrfs_out *b;
	uint64_t tree;
	struct btrfs_level levels[BTRFS_LEVELS];
	unsigned height;
	uint64_t nodes;    /* that were written */
	uint64_t root;     /* when it is finished */
	unsigned at_level; /* of the root */
};

/* A file's extents, until its items are written. */
struct btrfs_run {
	uint64_t at, place, len;
};

struct btrfs_out {
	int fd;
	int64_t now_s;
	uint64_t size;
	uint8_t uuid[16], chunk_uuid[16], device_uuid[16], files_uuid[16];
	uint64_t end; /* of what was given out */
	uint64_t want_nodes, want_data;
	struct btrfs_space *spaces; /* owned, ascending */
	size_t n, room;
	size_t chunk_space, node_space, data_space; /* those that are filled */
	struct btrfs_nodes *counted; /* if set, nodes are counted here and not written */
	struct btrfs_filling sums;
	unsigned char *wait; /* owned: sums of data that lie together */
	size_t nwait;
	uint64_t wait_at;
	unsigned char *buffer; /* owned */
	struct btrfs_run *runs;
	size_t nruns, runs_room;
	int r; /* the first failure; nothing is written behind it */
	struct error *err;
};

/* btrfs_space.c */
void btrfs_write_at(struct btrfs_out *b, const void *bytes, size_t len, uint64_t at);
/* A new space of one kind, of as much as wanted or what there is; -ENOSPC becomes the failure. */
size_t btrfs_space_new(struct btrfs_out *b, unsigned kind, uint64_t want);
/* One of a tree, 0: none is left. */
uint64_t btrfs_node_new(struct btrfs_out *b, uint64_t tree, unsigned level);
/* At most len bytes of a file's; *ret_len is how many. */
uint64_t btrfs_data_new(struct btrfs_out *b, const struct btrfs_data *d, uint64_t *ret_len);
void btrfs_out_done(struct btrfs_out *b);

/* btrfs_node.c */
void btrfs_fill(struct btrfs_filling *f, struct btrfs_out *b, uint64_t tree);
void btrfs_add(struct btrfs_filling *f, struct btrfs_key key, const void *bytes, size_t len);
void btrfs_finish(struct btrfs_filling *f);
void btrfs_put_key(unsigned char *to, struct btrfs_key key);
/* Checksum of the first len bytes at p, into its first ones. */
void btrfs_seal(unsigned char *p, size_t len);

/* btrfs_data.c: a file's bytes to their place, with their sums; b->runs are its extents. */
void btrfs_copy(struct btrfs_out *b, const struct file *f);
void btrfs_copy_end(struct btrfs_out *b);

/* btrfs_files.c */
void btrfs_put_inode(unsigned char *to, const struct file *f, uint64_t size, uint64_t taken,
		     int64_t now_s);
void btrfs_files(struct btrfs_out *b, const struct filetree *t, struct btrfs_filling *ret);
/* "..": a directory that is its own parent, in an otherwise empty tree. */
void btrfs_put_root_dir(struct btrfs_filling *f, uint64_t object, const unsigned char *inode);

/* btrfs_books.c: trees of what is whose, finished; the node behind them is that of all trees. */
struct btrfs_books {
	struct btrfs_filling chunks, devices, free, extents;
};
void btrfs_books(struct btrfs_out *b, struct btrfs_books *ret);
#define BTRFS_DEVICE_LEN 98
void btrfs_put_device(const struct btrfs_out *b, unsigned char *to);
/* Returns how long it is. */
size_t btrfs_put_chunk(const struct btrfs_out *b, const struct btrfs_space *s, unsigned char *to);
#define BTRFS_CHUNK_MAX (BTRFS_CHUNK_HEAD + 2 * BTRFS_STRIPE)

#endif
