/* src/engine/usage.h - where the space of the lasting root goes, to the byte: the rows add up to
 * what "du -s" counts there.
 *
 * The trees of layers are not scanned, their size is known; what containers and volumes wrote is.
 */
#ifndef ENGINE_USAGE_H
#define ENGINE_USAGE_H

#include <stdint.h>

#include "base/error.h"

struct engine;

/* A build cache is layers that no image has.  Working containers count as containers; their layers
 * are needed.
 */
enum usage_kind {
	USAGE_IMAGES,
	USAGE_CONTAINERS,
	USAGE_VOLUMES,
	USAGE_BUILD_CACHE,
	USAGE_RECORDS,
	N_USAGE
};

struct usage {
	struct usage_part {
		int64_t total, active; /* how many; active: a container uses it, or it runs */
		int64_t bytes;
		int64_t reclaimable; /* of what is not active */
	} parts[N_USAGE];
};

int usage_read(struct engine *engine, struct usage *ret, struct error *err) must_check;
const char *usage_name(enum usage_kind kind);

#endif
