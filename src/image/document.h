/* src/image/document.h - manifests and indexes: what they list, and their rows.
 *
 * image-spec manifest.md, image-index.md, and Docker's schema 2 of both, which differ in media
 * types only.  A document that is both, or neither, is refused.
 */
#ifndef IMAGE_DOCUMENT_H
#define IMAGE_DOCUMENT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "image/digest.h"

struct db;

#define DOCUMENT_MAX       (4U << 20) /* of a manifest, index or config; what registries take, too */
#define DOCUMENT_PARTS_MAX 1024

enum part_kind { PART_CONFIG, PART_LAYER, PART_MANIFEST };

struct part {
	enum part_kind kind;
	/* One of them, the other is "": what comes in has its SHA-256 found, see alias.h. */
	char digest[DIGEST_HEX_LEN + 1], sha512[DIGEST512_HEX_LEN + 1];
	int64_t size;
	char *media_type; /* "" if not given */
	char *platform;   /* "linux/arm64/v8", "" if not given */
};

struct document {
	bool is_index;
	char *media_type;   /* as it says itself, "" if it does not */
	struct part *parts; /* a manifest's config first, then its layers from the lowest */
	size_t n;
};

int document_parse(const char *bytes, size_t len, const char *what, struct document *ret,
		   struct error *err) must_check;
void document_done(struct document *doc);

#define PART_DIGEST_LEN (7 + DIGEST512_HEX_LEN + 1)
/* As the document has it, "sha256:HEX"; returns ret. */
const char *part_digest(const struct part *part, char ret[PART_DIGEST_LEN]);
/* The digits alone. */
const char *part_hex(const struct part *part);

/* Its rows, from ROOT/blobs/sha256/DIGEST.  image: whose manifest it is, NULL for an index.  Blobs
 * of its layers that are there are noted, too; so the image's layers have their rows already.
 * A part that is named by SHA-512 has its blob's digest there, and that name if there is no blob.
 */
int document_insert(struct db *db, int root_fd, const char *digest, const char *media_type,
		    const char *image, int64_t made_ns, struct error *err) must_check;

#endif
