/* src/disk/ext4_inside.h - what the files that write an ext4 share. */
#ifndef DISK_EXT4_INSIDE_H
#define DISK_EXT4_INSIDE_H

#include <ext2fs/ext2fs.h>

#include "base/error.h"

struct file;

struct ext4_writer {
	ext2_filsys fs;
	int fd;         /* where contents go */
	int64_t offset; /* of the file system in it */
	blk64_t goal;   /* where the next blocks are looked for */
	int64_t waits;  /* bytes that nobody has told the kernel to write yet */
	struct error *err;
};

/* An error of the library as ours; what names the thing. */
int ext4_failed(struct error *err, errcode_t code, const char *what);

/* Blocks for [first, first + n) of an inode, in its struct and in the bitmaps. */
int ext4_allocate(struct ext4_writer *w, ext2_ino_t ino, struct ext2_inode_large *inode,
		  blk64_t first, blk64_t n) must_check;
/* Where they are: calls fn for each extent. */
int ext4_each_extent(struct ext4_writer *w, ext2_ino_t ino, struct ext2_inode_large *inode,
		     int (*fn)(void *data, const struct ext2fs_extent *extent),
		     void *data) must_check;

/* The blocks of a directory's names; its extents are in the inode afterwards. */
int ext4_write_names(struct ext4_writer *w, const struct file *dir,
		     struct ext2_inode_large *inode) must_check;
blk64_t ext4_names_blocks(const struct file *dir); /* how many that takes */

/* A regular file's content, or a symbolic link's target that is too long for the inode. */
int ext4_write_content(struct ext4_writer *w, const struct file *f,
		       struct ext2_inode_large *inode) must_check;
/* The blocks of content and attributes, at most. */
int ext4_content_blocks(const struct file *f, blk64_t *ret, struct error *err) must_check;

/* After the inode has been written. */
int ext4_write_xattrs(struct ext4_writer *w, const struct file *f) must_check;

#endif
