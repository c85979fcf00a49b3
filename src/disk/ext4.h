/* src/disk/ext4.h - a file tree written as an ext4 file system, into a file, by libext2fs.
 *
 * The library lays out the file system and keeps its books; contents are copied straight to the
 * blocks that it gave out.  The file must be all zeros where the file system goes (a new sparse
 * file is), so that nothing has to be written where nothing is.
 */
#ifndef DISK_EXT4_H
#define DISK_EXT4_H

#include <stdint.h>

#include "base/error.h"

struct filetree;

struct ext4_request {
	int fd;         /* of the file, to read and write */
	int64_t offset; /* in it, a multiple of 4096 */
	int64_t size;   /* a multiple of 4096 */
	uint8_t uuid[16];
	uint8_t hash_seed[16];
	const char *label;     /* at most 16 bytes; also of a script's file */
	const char *tree;      /* a shell's word for the tree; NULL: "$tree" */
	int64_t now_s;         /* of what the file system notes itself; >= 1 */
	uint32_t spare_inodes; /* for files that the machine will make */
};

#define EXT4_BLOCK 4096

/* The smallest size, of req->size >= 0 bytes, in which the tree fits with free_bytes left.  Nothing
 * is written.  Gives the tree a lost+found if it has none.
 */
int ext4_fit(struct filetree *t, const struct ext4_request *req, int64_t free_bytes, int64_t *ret,
	     struct error *err) must_check;
/* -ENOSPC says what would be needed. */
int ext4_write(struct filetree *t, const struct ext4_request *req, struct error *err) must_check;

#endif
