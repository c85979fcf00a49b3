/* src/image/changes.h - what a directory says, as a layer over the layers below it, in one fixed
 * order.
 *
 * A directory comes before what is in it; in it come first what it removes, then the names, sorted
 * by bytes.  The directory is an overlay's upper one, an unpacked layer, or, with nothing below,
 * any tree.
 */
#ifndef IMAGE_CHANGES_H
#define IMAGE_CHANGES_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/error.h"
#include "base/strv.h"

enum change_kind {
	CHANGE_ADDED,
	CHANGE_CHANGED, /* something of that name is below */
	CHANGE_DELETED,
};

struct change {
	const char *path; /* "etc/passwd"; "" is the root */
	int dir;          /* open directory that has it */
	const char *name; /* in dir; "." for the root */
	struct stat st;   /* of the whiteout itself if it is deleted */
	enum change_kind kind;
	bool opaque; /* a directory that hides one below */
};

struct changes_request {
	int fd;                   /* the directory */
	const struct strv *lower; /* those below, the uppermost first; NULL: none */
	/* Paths that a container's mounts need and that mean nothing where they are empty and were
	 * not below: "proc", "etc/hosts".  NULL: none.
	 */
	const struct strv *mount_points;
	/* A layer is made of it: changes_write() refuses names that would be read as whiteouts. */
	bool is_new;
	int (*visit)(void *data, const struct change *item, struct error *err);
	void *data;
};

int changes_walk(const struct changes_request *req, struct error *err) must_check;

struct tar_writer;

struct changes_tar {
	int64_t newest_s; /* later times of files become this one (SOURCE_DATE_EPOCH); -1: none */
};

/* The same as an archive: a layer with whiteouts, or a whole tree.  Without the end mark. */
int changes_write(const struct changes_request *req, const struct changes_tar *options,
		  struct tar_writer *w, struct error *err) must_check;

#endif
