/* src/image/index_edit.h - makes and changes indexes.  Each change is a new document, which takes
 * the old one's name in one transaction.
 */
#ifndef IMAGE_INDEX_EDIT_H
#define IMAGE_INDEX_EDIT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "image/digest.h"
#include "image/index_document.h"

struct db;
struct incoming;

/* What is to be listed. */
struct index_images {
	char *const *items; /* names or IDs of images, names of indexes */
	size_t n;
	bool all;                /* of an index: all that it lists, not only what fits */
	struct index_note *note; /* said of each; NULL */
};

enum index_make { INDEX_NEW, INDEX_AMEND }; /* whether the name may be an index's already */

/* An index as it came, byte by byte, under a canonical name; what it lists is in the store. */
int index_keep(struct db *db, const struct incoming *in, const char *name, const char *bytes,
	       size_t len, const char *media_type, struct error *err) must_check;

/* All answer with the digest that the index has now. */
int index_create(struct db *db, const struct incoming *in, const char *name, enum index_make how,
		 const struct index_images *images, char ret[DIGEST_HEX_LEN + 1],
		 struct error *err) must_check;
int index_add(struct db *db, const struct incoming *in, const char *index,
	      const struct index_images *images, char ret[DIGEST_HEX_LEN + 1],
	      struct error *err) must_check;
/* what: an image, or a digest that is listed or its start; NULL: the index itself. */
int index_annotate(struct db *db, const struct incoming *in, const char *index, const char *what,
		   const struct index_note *note, char ret[DIGEST_HEX_LEN + 1],
		   struct error *err) must_check;
int index_drop(struct db *db, const struct incoming *in, const char *index, const char *what,
	       char ret[DIGEST_HEX_LEN + 1], struct error *err) must_check;

#endif
