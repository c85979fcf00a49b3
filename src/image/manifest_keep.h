/* src/image/manifest_keep.h - the manifest of an image in the store, and that it stays the same.
 */
#ifndef IMAGE_MANIFEST_KEEP_H
#define IMAGE_MANIFEST_KEEP_H

#include <stdint.h>

#include "base/error.h"
#include "image/digest.h"

struct db;
struct image;
struct incoming;

struct kept_manifest {
	char digest[DIGEST_HEX_LEN + 1];
	char media_type[128];
	int64_t size;
};

/* The newest one whose layers are all kept as blobs.  An image that came without gets one, with
 * layers that are packed once and kept.
 */
int manifest_keep(struct db *db, const struct incoming *in, const struct image *image,
		  struct kept_manifest *ret, struct error *err) must_check;

#endif
