/* src/transfer/manifest.h - what a manifest or an index points to, for copying it as it is.
 *
 * Wider than image/document.h, which is for images that we unpack: artifacts, sha512, subjects.
 */
#ifndef TRANSFER_MANIFEST_H
#define TRANSFER_MANIFEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "transfer/checksum.h"

#define MANIFEST_ITEMS_MAX 4096

struct descriptor {
	char digest[CHECKSUM_DIGEST_MAX];
	int64_t size;
	char *type;     /* "" if not given */
	char *platform; /* "" if not given */
	bool foreign;   /* registries do not hand it out */
};

struct manifest {
	bool is_index;
	char *type;                        /* as it says itself, "" */
	char *artifact_type;               /* "" */
	char subject[CHECKSUM_DIGEST_MAX]; /* "" */
	struct descriptor *items;          /* a manifest's config first */
	size_t n;
};

int manifest_parse(const char *bytes, size_t len, struct manifest *ret,
		   struct error *err) must_check;
void manifest_done(struct manifest *m);
/* The child of an index to take for a platform, or -ENOENT. */
int manifest_choose(const struct manifest *index, const char *wish, struct error *err) must_check;

#endif
