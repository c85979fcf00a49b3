/* src/engine/inspect.h - one document with all that is known of a container. */
#ifndef ENGINE_INSPECT_H
#define ENGINE_INSPECT_H

#include "base/json.h"

struct engine;
struct container;

/* Keys as Docker's inspect where both know the thing; the caller owns *ret.  *ret_damage says which
 * record of it cannot be read, code 0 if all can.
 */
int container_inspect(struct engine *engine, const struct container *c, json_t **ret,
		      struct error *ret_damage, struct error *err) must_check;

#endif
