/* src/engine/run.h - a container made, started and, in the foreground, followed to its end. */
#ifndef ENGINE_RUN_H
#define ENGINE_RUN_H

#include "base/error.h"

struct engine;
struct container_options;

/* Detached: returns 0 once the program was executed, ret_id (ID_LEN + 1 bytes) is its ID.  Else
 * relays until it ends, and returns its exit status.  On failure nothing is left.  In a dry run the
 * script is printed, and 0 returned.
 */
int container_run(struct engine *engine, const struct container_options *options, char *ret_id,
		  struct error *err) must_check;

#endif
