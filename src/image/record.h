/* src/image/record.h - an image becomes visible: its documents, then its rows in one transaction.
 *
 * Its layers are in the store already (unpack.h).
 */
#ifndef IMAGE_RECORD_H
#define IMAGE_RECORD_H

#include <stddef.h>

#include "base/error.h"

struct db;
struct incoming;
struct strv;
struct unpack_layer;

/* A document as it came, byte by byte; its digest has been checked. */
struct image_document {
	const char *digest; /* hex */
	const char *sha512; /* hex, if something lists it by that; NULL or "" */
	const char *media_type;
	const char *bytes;
	size_t len;
};

struct image_record {
	const char *id; /* the config's digest, hex */
	const char *config;
	size_t config_len;
	const char *config_sha512;         /* if the manifest names it by that; NULL or "" */
	const struct unpack_layer *layers; /* answered */
	size_t nlayers;
	const struct image_document *manifest; /* NULL: it came without one */
	const struct image_document *indexes;  /* by which it was reached, if at all */
	size_t nindexes;
	const struct strv *names; /* canonical */
};

int image_record(struct db *db, const struct incoming *in, const struct image_record *record,
		 struct error *err) must_check;

#endif
