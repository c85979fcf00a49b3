/* src/image/tree.h - what a directory says, as a layer over the layers below it, in one fixed
 * order.
 *
 * A directory comes before what is in it; in it come first what it removes, then the names, sorted
 * by bytes.  The directory is an overlay's upper one, an unpacked layer, or, with nothing below,
 * any tree.
 */
#ifndef IMAGE_TREE_H
#define IMAGE_TREE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/strv.h"

enum tree_change {
	TREE_ADDED,
	TREE_CHANGED, /* something of that name is below */
	TREE_DELETED,
};

struct tree_item {
	const char *path; /* "etc/passwd"; "" is the root */
	int dir;          /* open directory that has it */
	const char *name; /* in dir; "." for the root */
	struct stat st;   /* of the whiteout itself if it is deleted */
	enum tree_change change;
	bool opaque; /* a directory that hides one below */
};

struct tree_request {
	int fd;                   /* the directory */
	const struct strv *lower; /* those below, the uppermost first; NULL: none */
	/* Paths that a container's mounts need and that mean nothing where they are empty and were
	 * not below: "proc", "etc/hosts".  NULL: none.
	 */
	const struct strv *mount_points;
	int (*visit)(void *data, const struct tree_item *item, struct error *err);
	void *data;
};

int tree_walk(const struct tree_request *req, struct error *err) must_check;

struct tar_writer;

struct tree_tar {
	int64_t newest_s; /* later times of files become this one (SOURCE_DATE_EPOCH); -1: none */
};

/* The same as an archive: a layer with whiteouts, or a whole tree.  Without the end mark. */
int tree_write(const struct tree_request *req, const struct tree_tar *options, struct tar_writer *w,
	       struct error *err) must_check;

#endif
