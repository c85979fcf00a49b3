/* src/image/index.h - indexes that have a name here: one image for several machines.
 *
 * An index is a document (document.h) in blobs/sha256 and the rows of its names.  What it lists are
 * manifests of images in the store, which stay as long as it does.  Its names are also in
 * ROOT/indexes.json, so that a lost database is made again.  index_edit.h makes and changes them.
 */
#ifndef IMAGE_INDEX_H
#define IMAGE_INDEX_H

#include <stdbool.h>

#include "base/error.h"
#include "base/id.h"

struct db;

/* By name, by digest or the start of one.  -ENOENT with a text. */
int index_find(struct db *db, const char *what, char ret[ID_LEN + 1], struct error *err) must_check;
/* The same; nothing is there: "" and 0. */
int index_look(struct db *db, const char *what, char ret[ID_LEN + 1], struct error *err) must_check;

/* The image to take for a platform (NULL: this machine's) from the index that has the name
 * (canonical); *ret is "" if no index has it.  -ENOEXEC: it lists none that fits.
 */
int index_image(struct db *db, const char *name, const char *platform, char ret[ID_LEN + 1],
		struct error *err) must_check;
/* A name of an index that lists the image; "" if none does. */
int index_user(struct db *db, const char *image, char ret[128], struct error *err) must_check;

/* A further name; another index or image loses it. */
int index_tag(struct db *db, int root_fd, const char *digest, const char *text,
	      struct error *err) must_check;
/* Takes a name away, with the last one the index; by digest all of them. */
int index_remove(struct db *db, int root_fd, const char *what,
		 void (*report)(void *data, const char *text), void *data,
		 struct error *err) must_check;

/* Inside a transaction: the index that has this name (canonical) loses it. */
int index_name_take(struct db *db, const char *name, struct error *err) must_check;
/* The rows of a document go, if no name is left; its file is the caller's. */
int index_forget(struct db *db, const char *digest, bool *ret_gone, struct error *err) must_check;

/* indexes.json, written inside the transaction that changes the rows, and back to rows. */
int index_names_save(struct db *db, int root_fd, struct error *err) must_check;
int index_names_restore(struct db *db, int root_fd, void (*report)(void *data, const char *name),
			void *data, struct error *err) must_check;

#endif
