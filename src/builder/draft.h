/* src/builder/draft.h - a layer that is being written, file by file, over the layers below it,
 * without a mount.
 *
 * A path is what a process in the finished root would mean by it: links in the way are followed
 * inside the root, in whichever layer they are, and cannot lead out.  A directory that has to be
 * there is made in the draft with the looks that it has below.  Nothing of the layers below is
 * changed.
 */
#ifndef BUILDER_DRAFT_H
#define BUILDER_DRAFT_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/strv.h"

struct draft {
	int fd; /* its directory, which becomes the layer; -1: only to look at what is below */
	const struct strv *lower; /* directories of layers, the uppermost first */
	/* The directory that was written to last. */
	char *here;
	int here_fd;
	bool here_is_below; /* layers below have it, too */
	struct draft_time *times;
	size_t ntimes, times_room;
	struct draft_link *links; /* files with several names, as they were copied */
	size_t nlinks, links_room;
};

void draft_init(struct draft *d, int fd, const struct strv *lower);
void draft_done(struct draft *d);

/* What a file or directory gets in place of its source's; -1: the source's own. */
struct draft_looks {
	int64_t uid, gid;
	const struct draft_mode *mode; /* NULL: the source's own */
};

/* The path without links, "usr/lib/x", "" for the root.  Missing parts stay as they are.  With
 * last_too a link at the end is followed as well.
 */
int draft_resolve(struct draft *d, const char *path, bool last_too, char **ret,
		  struct error *err) must_check;
/* What is at a path that draft_resolve() gave: -ENOENT. */
int draft_look(struct draft *d, const char *path, struct stat *ret) must_check;

/* A directory at a resolved path, with all above it; one that is there stays as it is.  Missing
 * ones get uid and gid, and 0755.  -ENOTDIR: something else is there.  *ret_new may be NULL.
 */
int draft_make_dir(struct draft *d, const char *path, uid_t uid, gid_t gid, bool *ret_new,
		   struct error *err) must_check;

/* A file's source: name in dir, as st says. */
struct draft_source {
	int dir;
	const char *name;
	struct stat st;
	bool with_xattrs;
};

/* Copies one entry, not what is in it, to a resolved path whose directory draft_make_dir() made.  A
 * directory that is there gets the source's looks.  A socket is passed over.
 */
int draft_copy(struct draft *d, const char *path, const struct draft_source *source,
	       const struct draft_looks *looks, struct error *err) must_check;
/* A new file of these bytes. */
int draft_write(struct draft *d, const char *path, const void *bytes, size_t len,
		const struct draft_looks *looks, struct error *err) must_check;

/* The directory of a resolved path, open, and the last name; whatever of no directory was there in
 * the draft is gone.  For who makes the entry by itself.
 */
int draft_place(struct draft *d, const char *path, int *ret_dir, const char **ret_name,
		struct error *err) must_check;
/* Sets a directory's time when all is written. */
void draft_later(struct draft *d, const char *path, struct timespec mtime);
/* What was put off until the end. */
int draft_finish(struct draft *d, struct error *err) must_check;

#endif
