/* src/disk/source.h - what a disk is made of: an image of the store, a container with what it
 * changed, a directory, a tar archive, one static executable.  Only the first two need the store,
 * and root where it is root's.
 */
#ifndef DISK_SOURCE_H
#define DISK_SOURCE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"
#include "engine/container_files.h"
#include "disk/filetree.h"

struct image;
struct output;

enum source_kind {
	SOURCE_IMAGE,
	SOURCE_CONTAINER,
	SOURCE_DIRECTORY,
	SOURCE_ARCHIVE,
	SOURCE_PROGRAM
};

struct disk_source {
	enum source_kind kind;
	struct filetree *tree;
	struct image *image;        /* its config, of a container as that runs it; NULL: a path's */
	struct container_hold hold; /* of a container that runs: until the source is done */
	char *config;        /* the same as it stands there, JSON; NULL: none, or it is huge */
	char *program;       /* of SOURCE_PROGRAM: where it lies inside */
	struct strv dropped; /* of a container: paths that were there for mounts only */
	struct strv dirs;    /* the tree's directories, the uppermost first; none of an archive */
	bool copied;         /* a script's directory is a copy of it by now */
	int *fds;            /* open as long as the tree is used */
	size_t nfds, room;
};

struct source_request {
	/* As "run" takes it: with a slash it is a path; else an image, or a container if there is
	 * no such image, or "container:NAME".
	 */
	const char *what;
	const char *root, *run_root; /* of the store; NULL: the usual ones */
	const struct output *out;    /* for what has to lie somewhere meanwhile */
	int64_t now_s;               /* the time of directories that nothing names */
};

int source_read(const struct source_request *req, struct disk_source *ret,
		struct error *err) must_check;
void disk_source_done(struct disk_source *s);

#endif
