/* src/image/unpack.h - the layers of an image into the store, several at once.
 *
 * Each layer's bytes come from a descriptor (a file, a part of one, a pipe).  They are hashed, kept
 * as a blob or a frame, inflated, hashed again and unpacked as they arrive, with bounded buffers;
 * two threads a layer, as many layers at once as there are cores, the lowest first.  A layer grows
 * in ROOT/tmp/CHAIN, locked by its maker (claim.h): whoever wants the same layer at the same time
 * waits for it, within bounds, and has it for nothing.  When all are whole there is one sync, then
 * each is renamed to ROOT/layers/CHAIN.  What a killed maker left in ROOT/tmp/CHAIN is cleared by
 * the next one.
 */
#ifndef IMAGE_UNPACK_H
#define IMAGE_UNPACK_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "image/digest.h"
#include "image/layer_info.h"

struct incoming;
struct staged;

/* One layer, asked for and answered. */
struct unpack_layer {
	/* Asked: diff_id; blob and blob_size as the manifest says ("" and -1 if nobody does).
	 * Answered: all of it.
	 */
	struct layer_info info;
	char sha512[DIGEST512_HEX_LEN + 1]; /* asked: the blob's, if the manifest gives that; "" */
	char chain[DIGEST_HEX_LEN + 1];
	bool was_there;    /* nothing was done for it */
	bool blob_is_kept; /* ROOT/blobs/sha256/BLOB is there */
	uint64_t left_out; /* devices that this user namespace may not make */
	atomic_llong got;  /* bytes of the blob that came in so far; may be read at any time */
};

struct unpack_source {
	int fd;
	int64_t offset; /* of a file; -1: a pipe, or what stands at its position */
	int keep_fd;  /* an empty or partial file for the blob, on the store's file system, written
			 from its position on; ours to close.  -1: a nameless one is made */
	bool is_blob; /* fd is such a file already, whole: nothing is written, it gets the name */
	struct staged *staged; /* in place of fd (-1): it is unpacked already (staged.h) */
	bool as_file;          /* asked: whatever it is, as a file */
};

struct unpack_request {
	const struct incoming *in;
	struct unpack_layer *layers; /* the lowest first */
	size_t n;
	/* For a layer that is there as a directory the blob is fetched all the same, so that a push
	 * gives the same digest.  Good where that costs nothing (an archive).
	 */
	bool want_blobs;
	/* A plain layer out of a file keeps a frame (frame.h) and no blob, if it can; a manifest
	 * that lists that blob by SHA-256 has it all the same.
	 */
	bool frames;
	/* Called on a thread of ours when layer i is really wanted; several at the same time.  What
	 * feeds one pipe may wait for us to read, and must not keep another pipe waiting for that.
	 */
	int (*open)(void *data, size_t i, struct unpack_source *ret, struct error *err);
	/* After each successful open(), from the same thread; r is how it went so far.  It closes
	 * fd, returns r, or a failure of its own with a better text ("the connection broke").
	 */
	int (*close)(void *data, size_t i, int fd, int r, struct error *err);
	/* Called once, on the caller's thread, if another command makes n of the layers and is
	 * waited for.  May be NULL.
	 */
	void (*waits)(void *data, size_t n);
	void *data;
};

#define UNPACK_DIGEST_LEN (7 + DIGEST512_HEX_LEN + 1)
/* The blob's digest as the manifest has it: "sha256:HEX", "" if nobody says. */
void unpack_layer_digest(const struct unpack_layer *layer, char ret[UNPACK_DIGEST_LEN]);

int unpack_layers(struct unpack_request *req, struct error *err) must_check;

/* The chain ID of the next layer up; chain is "" below the lowest. */
void chain_next(char chain[DIGEST_HEX_LEN + 1], const char *diff_id_hex);

#endif
