/* src/disk/filetree.h - all files of a disk to be, in memory: names and attributes, not contents.
 *
 * A struct file is what an inode is; names in directories point at it, several for hard links. The
 * tree owns every file that was made for it, also those that no name leads to any more; its names
 * may lead to another's. Names are sorted, so that a walk has one order whatever the tree was
 * filled from.
 */
#ifndef DISK_FILETREE_H
#define DISK_FILETREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>
#include <time.h>

#include "base/error.h"
#include "disk/content.h"

struct tar_xattr;
struct file;

struct name {
	char *text; /* any bytes but NUL and '/' */
	struct file *file;
};

struct file {
	mode_t mode; /* type and permissions */
	uint32_t uid, gid;
	uint32_t major, minor; /* of devices */
	struct timespec mtime;
	struct tar_xattr *xattrs; /* owned */
	size_t nxattrs;
	char *target;           /* of a symbolic link */
	struct content content; /* of a regular file */
	struct name *names;     /* of a directory, sorted by bytes but for the last ntail of them */
	size_t nnames, room;
	/* For whoever writes the tree, filled by filetree_number(): */
	uint32_t number; /* 0: no name leads here */
	uint32_t links;  /* names, and for a directory "." and the ".." of those in it */
	uint32_t parent; /* number of a directory's parent */
	uint32_t ntail;  /* names that came last and are sorted among themselves: 0 after
			    dir_settle() */
};

struct filetree {
	struct file *root;
	struct file **files; /* all, in the order in which they were made */
	size_t n, room;
	struct file **order; /* those with a number, ascending; the root first */
	size_t norder;
};

#define FILETREE_FILES_MAX 8000000U /* an inode each, as layers have */
#define FILE_NAME_MAX      255

struct filetree *filetree_new(void); /* with a root of 0755 */
void filetree_free(struct filetree *t);
DEFINE_CLEANUP(struct filetree *, filetree, filetree_free);

/* A file without a name so far; NULL: there are too many. */
struct file *filetree_add(struct filetree *t, mode_t mode);

/* In one directory.  put replaces what has the name; the name is at most FILE_NAME_MAX long. */
struct file *dir_find(const struct file *dir, const char *name);
/* Of what a name leads to, as ext4, XFS, btrfs and EROFS have it beside the name
 * (include/linux/fs_types.h). */
unsigned char dir_entry_type(mode_t mode);
void dir_put(struct file *dir, const char *name, struct file *file);
void dir_drop(struct file *dir, const char *name);
void dir_clear(struct file *dir);
/* Before its names are read in their order; a walk and a numbering do so. */
void dir_settle(struct file *dir);

/* What a mount does: dir becomes what from is, in attributes and names; from is left without names.
 */
void dir_become(struct file *dir, struct file *from);

/* By path, symbolic links followed as inside of the machine; NULL: not there.  ret_path (may be
 * NULL) gets where it really is, "usr/lib/x"; the caller frees.
 */
struct file *filetree_resolve(const struct filetree *t, const char *path, char **ret_path);
/* Where path is, its last word as it stands: "usr/lib/x".  For scripts, which would follow the
 * tree's links out of it; the directories that it is in are there.  The caller frees.
 */
char *filetree_place(const struct filetree *t, const char *path);
/* As filetree_resolve(), where directories that are missing are made, of root and 0755, where a
 * link leads nowhere so that it does; NULL: not possible.
 */
struct file *filetree_make_dir(struct filetree *t, const char *path, struct timespec mtime);
/* A regular file of root's with these bytes, which are taken over (heap). Replaces what is there.
 */
int filetree_put_bytes(struct filetree *t, const char *path, mode_t mode, char *bytes, size_t len,
		       struct timespec mtime, struct error *err) must_check;

/* Calls fn for each name, "usr/lib/x", those of the uppermost directories first, until it does not
 * return 0.
 */
typedef int (*filetree_walk_fn)(void *data, const struct file *f, const char *path);
int filetree_walk(const struct filetree *t, filetree_walk_fn fn, void *data);

/* Numbers every file that a name leads to, directories before what is in them, from first on;
 * the root has root_number.  Fills t->order.
 */
void filetree_number(struct filetree *t, uint32_t root_number, uint32_t first);

#endif
