/* src/image/layer_info.h - ROOT/layers/CHAIN/layer.json: what is known of a layer without scanning
 * it; from these a lost database is made again.
 */
#ifndef IMAGE_LAYER_INFO_H
#define IMAGE_LAYER_INFO_H

#include <stdint.h>

#include "base/error.h"
#include "image/digest.h"

#define LAYER_FRAME "frame" /* beside a layer's tree, see frame.h */

struct db;

struct layer_info {
	char diff_id[DIGEST_HEX_LEN + 1];
	int64_t size;     /* of its files */
	int64_t disk;     /* what its directory takes, as du counts */
	int64_t tar_size; /* of the archive that has the diff ID; -1: not known */
	/* The blob that it came from, as it was stored there; "" for a layer made here. */
	char blob[DIGEST_HEX_LEN + 1];
	int64_t blob_size; /* -1: not known */
	char packing[8];   /* of the blob: "none", "gzip", "zstd" */
};

/* dir is the layer's own, where layer.json goes. */
int layer_info_save(int dir, const struct layer_info *info, struct error *err) must_check;
int layer_info_load(int layers_fd, const char *chain, struct layer_info *ret,
		    struct error *err) must_check;

/* The rows of layers and layer_blobs. */
int layer_info_insert(struct db *db, const char *chain, const struct layer_info *info,
		      struct error *err) must_check;
/* A blob that is in ROOT/blobs/sha256 and unpacks to diff_id. */
int layer_blob_insert(struct db *db, const char *blob, const char *diff_id, int64_t size,
		      const char *packing, struct error *err) must_check;
/* A plain blob may be kept as the tree and the frame of a layer (frame.h) that it is the archive
 * of: returns 1 and such a layer and the blob's size, or 0.
 */
int layer_blob_framed(struct db *db, int root_fd, const char *hex,
		      char ret_chain[DIGEST_HEX_LEN + 1], int64_t *ret_size,
		      struct error *err) must_check;

#endif
