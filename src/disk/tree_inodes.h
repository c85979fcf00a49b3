/* src/disk/tree_inodes.h - a file system of inodes into a file tree, whatever its kind; it is
 * hostile.
 *
 * A kind says how an inode and how a directory is read; here each inode becomes one file, however
 * many names it has, and a directory has one name.
 */
#ifndef DISK_TREE_INODES_H
#define DISK_TREE_INODES_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "disk/region.h"

struct file;
struct filetree;
struct inodes;
struct packed;

struct inodes_kind {
	const char *mender; /* the program that mends one */
	/* All but the names of a directory; f is empty. */
	int (*read)(struct inodes *g, uint64_t number, struct file *f);
	/* Calls inodes_name() for each name. */
	int (*list)(struct inodes *g, uint64_t number, struct file *dir);
};

struct inodes {
	const struct inodes_kind *kind;
	const void *data; /* the kind's */
	struct region at;
	struct filetree *tree;
	struct error *err;
	void *seen;
	struct inode_dir {
		uint64_t number;
		struct file *file;
	} * todo;
	size_t n, room;
};

/* Everything below the root; kind, data, at, tree and err are set. Sockets are left out. */
int inodes_read(struct inodes *g, uint64_t root) must_check;

/* "." and ".." are passed over. */
int inodes_name(struct inodes *g, struct file *dir, const void *name, size_t len,
		uint64_t number) must_check;
/* Of an attribute that is not for images nothing is kept. */
void inodes_xattr(struct file *f, const char *prefix, const void *name, size_t name_len,
		  const void *value, size_t len);
/* -EBADMSG */
int inodes_damaged(const struct inodes *g, const char *what) must_check;
/* Bytes of it, or the text for why there are none. */
int inodes_get(const struct inodes *g, int64_t at, void *to, size_t len,
	       const char *what) must_check;
/* A run of a regular file's bytes, cut to its size; they ascend. */
int inodes_piece(const struct inodes *g, struct file *f, int64_t at, int64_t from,
		 int64_t len) must_check;
/* The same of len bytes of what packed becomes, from skip on; packed->from is made the disk's. */
int inodes_packed(const struct inodes *g, struct file *f, int64_t at, int64_t skip, int64_t len,
		  struct packed *packed) must_check;
/* What has been described by pieces, as bytes with a NUL behind; the caller frees. */
int inodes_bytes(const struct inodes *g, const struct file *f, size_t max, char **ret,
		 const char *what) must_check;
/* A symbolic link's; the text is taken over. */
int inodes_target(const struct inodes *g, struct file *f, char *text, size_t len) must_check;

#endif
