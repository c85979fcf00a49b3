/* src/engine/layer_guard.h - layers that nobody uses, and nobody begins to use.
 *
 * A container that runs or starts is in the database, active, before it mounts anything, and its
 * lock is held for as long as it does; an image that is mounted for looking is in RUN/images.  A
 * guard holds a transaction of the database, the locks of the containers that could start on these
 * layers, and the one of RUN/images: whoever comes later sees what was put in place.
 */
#ifndef ENGINE_LAYER_GUARD_H
#define ENGINE_LAYER_GUARD_H

#include <stddef.h>

#include "base/error.h"

struct engine;
struct strv;

struct layer_guard {
	struct engine *engine;
	int mounts; /* RUN/images, locked; -1 */
	int *locks;
	size_t n, room;
};

/* -EBUSY: one of the layers (chain IDs) is in use; the text says who uses it, and what to do.
 * Nothing is held then.
 */
int layer_guard_take(struct engine *engine, const struct strv *chains, struct layer_guard *ret,
		     struct error *err) must_check;
/* Rolls back what was not committed.  Of one that was not taken is fine, if it is zeroed. */
void layer_guard_release(struct layer_guard *guard);

#endif
