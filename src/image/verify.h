/* src/image/verify.h - every byte of an image against the digests that name it: its documents, the
 * blobs of its layers, and what they were unpacked to.
 */
#ifndef IMAGE_VERIFY_H
#define IMAGE_VERIFY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

struct db;
struct image;
struct incoming;

struct verify_layer {
	char diff_id[65], blob[65]; /* blob "": none is kept, it was made here */
	int64_t blob_size;
	bool blob_bad, tree_bad;
};

struct verify {
	struct strv bad_documents;   /* digests, hex */
	struct strv bad_names;       /* by SHA-512 (alias.h): the name, a blank, the blob */
	struct verify_layer *layers; /* as many as the image has */
	size_t n;
	int findings;
};

typedef void (*verify_report)(void *data, const char *text);

/* Each finding is told.  The store is locked (incoming.h) meanwhile. */
int verify_image(struct db *db, const struct incoming *in, const struct image *image,
		 verify_report report, void *data, struct verify *ret,
		 struct error *err) must_check;
void verify_done(struct verify *v);

#endif
