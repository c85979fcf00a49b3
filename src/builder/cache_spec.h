/* src/builder/cache_spec.h - the text of a --cache-from or --cache-to, read. */
#ifndef BUILDER_CACHE_SPEC_H
#define BUILDER_CACHE_SPEC_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

enum cache_type { CACHE_LOCAL, CACHE_REGISTRY, CACHE_INLINE };

struct cache_spec {
	enum cache_type type;
	char *where; /* a directory, or a name in a registry; inline: NULL */
	bool max;    /* the steps of all stages, not only of what came of it */
};

struct cache_specs {
	struct cache_spec *items;
	size_t n, room;
};

/* "type=local,dest=DIR[,mode=max]" (src=DIR where it is read), "type=registry,ref=NAME", or a name
 * alone; "type=inline" where it is written.
 */
int cache_spec_parse(struct cache_specs *list, const char *option, const char *text, bool writing,
		     struct error *err) must_check;
void cache_specs_done(struct cache_specs *list);

#endif
