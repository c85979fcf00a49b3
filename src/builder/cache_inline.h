/* src/builder/cache_inline.h - the steps of an image in its own config: who has the image has its
 * layers, and so a cache.
 */
#ifndef BUILDER_CACHE_INLINE_H
#define BUILDER_CACHE_INLINE_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

struct build;
struct build_request;
struct cached_steps;
struct state;

/* By --cache-to type=inline, or by the argument that BuildKit has for it. */
bool cache_inline_wanted(const struct build_request *req);
/* Into the state's config: those whose layers are the image's. */
int cache_inline_put(struct build *b, struct state *state) must_check;
/* Out of an image's config, whose layers the manifest lists.  -ENOENT: there are none. */
int cache_inline_read(const json_t *config, const json_t *manifest, struct cached_steps *ret,
		      struct error *err) must_check;

#endif
