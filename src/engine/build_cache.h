/* src/engine/build_cache.h - what RUN --mount=type=cache keeps: volumes whose names begin with
 * BUILD_CACHE_PREFIX.
 *
 * Who uses one holds a lock of its directory, and has looked afterwards that it is there still.
 */
#ifndef ENGINE_BUILD_CACHE_H
#define ENGINE_BUILD_CACHE_H

#include <stdint.h>

#include "base/error.h"

#define BUILD_CACHE_PREFIX "build-cache-"

struct engine;

struct build_cache_prune {
	int64_t unused_since_ns; /* those used later stay; INT64_MAX: none does */
	int64_t caches, bytes;   /* answered */
};
/* Those that nobody uses just now. */
int build_cache_prune(struct engine *engine, struct build_cache_prune *prune,
		      struct error *err) must_check;

#endif
