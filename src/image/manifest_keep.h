/* src/image/manifest_keep.h - the manifest of an image in the store, and that it stays the same.
 */
#ifndef IMAGE_MANIFEST_KEEP_H
#define IMAGE_MANIFEST_KEEP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "image/digest.h"
#include "image/inflate.h"
#include "image/manifest_make.h"

struct db;
struct image;
struct incoming;
struct strv;

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

/* A wish: one like this is made, and is the newest from then on. */
struct manifest_wish {
	enum manifest_kind kind;
	enum packing packing; /* of layers that are not packed so; any: that are not packed */
	bool any;
	const struct strv *annotations; /* NAME=VALUE; NULL */
};
int manifest_put(struct db *db, const struct incoming *in, const struct image *image,
		 const struct manifest_wish *wish, struct kept_manifest *ret,
		 struct error *err) must_check;

#endif
