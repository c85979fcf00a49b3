/* src/base/walk.h - every entry of a tree, sorted by name, directories before what is in them.
 *
 * By descriptor, following no link and staying on one file system unless told otherwise; what
 * vanishes meanwhile is passed over.
 */
#ifndef BASE_WALK_H
#define BASE_WALK_H

#include <stdbool.h>
#include <sys/stat.h>

#include "base/error.h"

#define WALK_DEPTH_MAX 512

struct walk_entry {
	const char *path; /* below the start, "etc/passwd"; "" for the start itself */
	int dir;          /* its directory, open for reading */
	const char *name; /* in it; "." for the start */
	struct stat st;
};

/* fn returns 0, a failure that ends the walk, or WALK_SKIP for a directory that is not entered. */
#define WALK_SKIP 1
typedef int (*walk_fn)(void *data, const struct walk_entry *e, struct error *err);

/* leave, if not NULL, is called for each directory that was entered, after all that is in it. */
int walk_tree(int dir, walk_fn fn, walk_fn leave, void *data, struct error *err) must_check;

struct strv;

/* The names in an open directory, sorted.  0 or -errno. */
int walk_names(int fd, struct strv *ret) must_check;

#endif
