/* src/disk/tree_ext4.h - an ext2, ext3 or ext4 file system into a file tree; it is hostile. */
#ifndef DISK_TREE_EXT4_H
#define DISK_TREE_EXT4_H

#include <stdint.h>

#include "base/error.h"

struct content;
struct filetree;
struct struct_ext2_filsys;

/* All of it into an empty tree.  Contents stay where they are: fd, in which the file system begins
 * at offset, is open as long as the tree is used.  Sockets are left out, as in archives.  -EBADMSG:
 * it is damaged; -EBUSY: it was not left cleanly; -EOPNOTSUPP: files in it are encrypted.
 */
int filetree_add_ext4(struct filetree *t, struct struct_ext2_filsys *fs, int fd, int64_t offset,
		      struct error *err) must_check;

/* The contents of one regular file; the caller frees.  -EBADMSG. */
int ext4_read_content(struct struct_ext2_filsys *fs, int fd, int64_t offset, uint32_t ino,
		      struct content *ret, struct error *err) must_check;

#endif
