/* src/transfer/copy.h - an image from one place to another, byte by byte. */
#ifndef TRANSFER_COPY_H
#define TRANSFER_COPY_H

#include <stdbool.h>

#include "base/error.h"
#include "transfer/checksum.h"

struct place;
struct policy;
struct progress;

struct copy_request {
	struct place *from, *to;
	const char *platform; /* NULL: this machine's */
	bool all;             /* platforms */
	bool referrers;       /* signatures and other artifacts, too */
	const struct policy *policy;
	struct progress *progress;
	const char *verb; /* "copied" */
	int tmp_fd;       /* for files that no place has a better one for */
};

struct copy_result {
	char digest[CHECKSUM_DIGEST_MAX];
	size_t blobs, skipped; /* sent; there already */
	int64_t bytes;         /* sent */
};

int image_copy(const struct copy_request *req, struct copy_result *ret,
	       struct error *err) must_check;

#endif
