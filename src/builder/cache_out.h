/* src/builder/cache_out.h - --cache-to: the steps of a build and their layers, for another store.
 */
#ifndef BUILDER_CACHE_OUT_H
#define BUILDER_CACHE_OUT_H

#include <stddef.h>

#include "base/error.h"

struct build;
struct cache_specs;

/* The stages of the n builds are there. */
int caches_write(struct build *builds, size_t n, const struct cache_specs *specs,
		 struct error *err) must_check;

#endif
