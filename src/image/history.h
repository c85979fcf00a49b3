/* src/image/history.h - the steps that an image was made in, as its config tells them, and which
 * layer each brought.
 */
#ifndef IMAGE_HISTORY_H
#define IMAGE_HISTORY_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct db;
struct image;

struct history_step {
	char *created;    /* as the document has it; NULL */
	char *created_by; /* "" if not said */
	char *comment;
	const char *chain; /* of its layer, borrowed from the image; NULL: none */
	int64_t size;      /* of that; 0 */
};

struct history {
	struct history_step *steps; /* the lowest first */
	size_t n;
};

/* A config document, hostile, and the layers that it belongs to.  A document without a history, or
 * with one that does not fit its layers, gives one step for each layer.
 */
int history_parse(const json_t *doc, const struct image *image, struct history *ret,
		  struct error *err) must_check;
void history_done(struct history *h);
/* Of an image in the store, with the sizes of its layers. */
int history_load(struct db *db, int root_fd, const struct image *image, struct history *ret,
		 struct error *err) must_check;

#endif
