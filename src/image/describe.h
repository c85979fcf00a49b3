/* src/image/describe.h - everything that is known of an image, as Docker's "image inspect" has it.
 */
#ifndef IMAGE_DESCRIBE_H
#define IMAGE_DESCRIBE_H

#include <jansson.h>

#include "base/error.h"

struct db;
struct image;

/* Beside Docker's keys: Layers, with the size, disk use and blob of each.  The caller owns *ret. */
int image_describe(struct db *db, const char *root, int root_fd, const struct image *image,
		   json_t **ret, struct error *err) must_check;

#endif
