/* src/transfer/convert.h - Docker's manifests as OCI's: other media types, the same blobs. */
#ifndef TRANSFER_CONVERT_H
#define TRANSFER_CONVERT_H

#include <stdbool.h>

#include "base/error.h"
#include "transfer/checksum.h"

struct manifest;
struct remote_document;

bool convert_is_needed(const struct manifest *m);

/* What a child of an index has become. */
struct converted {
	char from[CHECKSUM_DIGEST_MAX], to[CHECKSUM_DIGEST_MAX];
	size_t len;
};

/* In place; children (of an index) may be NULL. */
int convert_to_oci(struct remote_document *doc, const struct converted *children, size_t n,
		   struct error *err) must_check;

#endif
