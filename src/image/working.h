/* src/image/working.h - the record of a working container: an image in the making, by hand.
 *
 * ROOT/working/ID is a directory, locked by whoever works on it:
 *	working.json	all that is known of it; without one it is what a killed "from" left
 *	upper, work	what was written through a mount of it and is no layer yet
 *	settling	the same, on its way to become one
 * Its layers are held (hold.h) under the directory's name.  What its state says is the builder's
 * business: here it is a text.
 */
#ifndef IMAGE_WORKING_H
#define IMAGE_WORKING_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/id.h"
#include "base/strv.h"

struct db;

#define WORKING_DIR "working"

struct working {
	char id[ID_LEN + 1];
	char *name;
	char *image;               /* what it came from, as the user named it; "scratch" */
	char image_id[ID_LEN + 1]; /* "" for scratch */
	int64_t created_ns;
	struct strv chains;      /* of its layers, the lowest first */
	int64_t below;           /* how many of them are the image's... */
	int64_t below_history;   /* ...and of the steps in its history */
	bool is_mounted;         /* as far as its user is concerned */
	char *state;             /* builder/state.h */
	char *created_by;        /* what the history is to say of the last layer; NULL */
	struct strv annotations; /* NAME=VALUE */
	int fd;                  /* its directory, locked; -1: only looked at */
};
#define WORKING_INIT ((struct working) { .fd = -1 })
void working_done(struct working *w);

/* A new one, without a record yet; until there is one nobody else sees it.  name NULL: one after
 * the image.  -EEXIST.
 */
int working_new(int root_fd, const char *name, const char *image, struct working *ret,
		struct error *err) must_check;
/* By name, ID or the start of one, and alone with it.  wait false: -EBUSY if somebody is. */
int working_open(int root_fd, const char *what, bool wait, struct working *ret,
		 struct error *err) must_check;
/* Only to look. */
int working_find(int root_fd, const char *what, struct working *ret, struct error *err) must_check;
int working_ids(int root_fd, struct strv *ret, struct error *err) must_check;

/* Writes the record, holds its layers, and lets go of others that it held.  All that needs it is in
 * the record by then.
 */
int working_save(struct db *db, int root_fd, struct working *w, struct error *err) must_check;
/* It goes, with what only it has; not mounted any more. */
int working_remove(struct db *db, int root_fd, struct working *w, struct error *err) must_check;

/* "working/ID"; the caller frees. */
char *working_path(const char *id);

/* What killed commands left. */
void working_sweep(int root_fd);
/* Findings, as image_check() counts them. */
int working_check(int root_fd, bool repair, void (*report)(void *data, const char *text),
		  void *data, int *ret_left, struct error *err) must_check;
/* What a lost database knew of them.  Inside a transaction. */
int working_restore(struct db *db, int root_fd, struct error *err) must_check;

#endif
