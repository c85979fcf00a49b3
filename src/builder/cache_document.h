/* src/builder/cache_document.h - kept steps as a document, on their way to another store: the
 * config of an OCI manifest whose layers are those that the steps made.
 */
#ifndef BUILDER_CACHE_DOCUMENT_H
#define BUILDER_CACHE_DOCUMENT_H

#include <stddef.h>

#include "base/error.h"
#include "image/step.h"

#define CACHE_CONFIG_TYPE  "application/vnd.strake.buildcache.config.v1+json"
#define CACHE_INLINE_KEY   "strake.buildcache" /* of an image's config (cache_inline.h) */
#define CACHE_STEPS_MAX    100000
#define CACHE_DOCUMENT_MAX (16U << 20) /* JSON_SIZE_MAX */

/* A step that made no layer has "" as blob. */
struct cached_step {
	struct step step;
	char blob[DIGEST_HEX_LEN + 1];
};

struct cached_steps {
	struct cached_step *items;
	size_t n, room;
};

void cached_steps_add(struct cached_steps *list, const struct step *step, const char *blob);
void cached_steps_done(struct cached_steps *list);
const struct cached_step *cached_steps_find(const struct cached_steps *list, const char *key);

/* The caller frees. */
char *cache_document_format(const struct cached_steps *list);
int cache_document_parse(const char *bytes, size_t len, struct cached_steps *ret,
			 struct error *err) must_check;

#endif
