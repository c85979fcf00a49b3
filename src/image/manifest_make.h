/* src/image/manifest_make.h - a manifest for an image that came without one, or whose layers are
 * sent in another form.
 */
#ifndef IMAGE_MANIFEST_MAKE_H
#define IMAGE_MANIFEST_MAKE_H

#include <stddef.h>

#include "base/error.h"
#include "image/layer_blob.h"

enum manifest_kind { MANIFEST_OCI, MANIFEST_DOCKER };

struct strv;

struct manifest_request {
	enum manifest_kind kind;
	const char *config_id;
	size_t config_len;
	const struct layer_blob *layers; /* with their blobs */
	size_t n;
	const struct strv *annotations; /* NAME=VALUE; NULL: none */
};

/* The text is the same for the same image; the caller frees it. */
char *manifest_make(const struct manifest_request *req, const char **ret_type);

#endif
