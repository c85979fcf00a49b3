/* src/builder/cache_in.h - --cache-from: steps that another store has kept, and their layers when
 * they are needed.
 */
#ifndef BUILDER_CACHE_IN_H
#define BUILDER_CACHE_IN_H

#include <stddef.h>

#include "base/error.h"
#include "builder/cache_document.h"
#include "builder/cache_spec.h"
#include "image/incoming.h"

struct build_request;
struct engine;
struct step;
struct work;

/* One that is open. */
struct cache_in {
	char *name;   /* for people */
	char *ref;    /* of a registry; NULL */
	char *layout; /* directory; of a registry it is filled when it is needed first */
	struct cached_steps steps;
};

struct caches_in {
	struct cache_in *items;
	size_t n;
	struct incoming in; /* where those of registries are put */
};

/* One that is not there yet, or cannot be read, is told as a warning and left out. */
int caches_open(struct engine *engine, const struct build_request *req,
		const struct cache_specs *specs, struct caches_in *ret,
		struct error *err) must_check;
void caches_done(struct caches_in *caches);

/* 1: the step with this key was there, and is in the store by now; *ret_from: the cache's name. */
int caches_bring(struct work *w, const struct step *wanted, struct step *ret,
		 const char **ret_from) must_check;

#endif
