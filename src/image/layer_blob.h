/* src/image/layer_blob.h - the bytes of a layer on their way out: its archive, and its blobs.
 *
 * A layer that came from outside has its blob as it came; one made here is its directory, from
 * which the same archive is written each time; one that came plain is its directory and a frame.
 * Compression happens once: what is made is kept.
 */
#ifndef IMAGE_LAYER_BLOB_H
#define IMAGE_LAYER_BLOB_H

#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"
#include "image/inflate.h"
#include "image/layer_info.h"

struct db;
struct incoming;

/* One layer of an image. */
struct layer_blob {
	char chain[DIGEST_HEX_LEN + 1];
	struct layer_info
		info;      /* blob, blob_size, packing: of one that is kept; blob "" if none is */
	struct strv below; /* directories of the layers below, the uppermost first */
};

void layer_blob_done(struct layer_blob *b);

/* Layer number position of an image, the lowest is 0.  If several blobs are kept, that of the
 * image's newest manifest.  -ENOENT: there is no such layer.
 */
int layer_blob_find(struct db *db, const char *root, const char *image, size_t position,
		    struct layer_blob *ret, struct error *err) must_check;

/* The uppermost of these layers, the lowest first. */
int layer_blob_find_chain(struct db *db, const char *root, const struct strv *chains,
			  struct layer_blob *ret, struct error *err) must_check;

/* Sees that a blob is kept, made by packing if there is none; fills b->info.  any: whichever is
 * kept will do.
 */
int layer_blob_ensure(struct db *db, const struct incoming *in, struct layer_blob *b,
		      enum packing packing, bool any, struct error *err) must_check;

/* The archive itself, unpacked: sink gets it all, and if the bytes are not those of the diff ID, it
 * is an error at the end.
 */
int layer_archive(int root_fd, const struct layer_blob *b,
		  int (*sink)(void *data, const void *bytes, size_t len, struct error *err),
		  void *data, struct error *err) must_check;
/* How long that is. */
int layer_archive_size(int root_fd, struct layer_blob *b, int64_t *ret,
		       struct error *err) must_check;

#endif
