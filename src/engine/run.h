/* src/engine/run.h - the life of a container: made, run, asked to stop, removed. */
#ifndef ENGINE_RUN_H
#define ENGINE_RUN_H

#include "base/error.h"

struct engine;
struct container;
struct container_options;

/* Makes the container and starts it.  Detached: returns 0 once the program was executed, *ret_id is
 * its ID.  Else: relays until it ends, and returns its exit status.  Removes it again on failure, and
 * after the end with options->remove.  In a dry run prints the script and returns 0.
 */
int container_run(struct engine *engine, const struct container_options *options, char *ret_id,
		  struct error *err) must_check;

/* Sends the stop signal, waits, kills after the timeout (seconds; -1 waits for ever,
 * STOP_TIMEOUT_OWN is the container's own).  A container that does not run is fine.
 */
#define STOP_TIMEOUT_OWN (-2)

int container_stop(struct engine *engine, const struct container *c, int timeout_s,
		   struct error *err) must_check;
int container_kill(struct engine *engine, const struct container *c, int sig,
		   struct error *err) must_check;

enum remove_flags { REMOVE_PLAIN = 0, REMOVE_FORCE = 1 };
int container_remove(struct engine *engine, const struct container *c, enum remove_flags flags,
		     struct error *err) must_check;

/* What the end of a run asks for: network, cgroup and run directory go, and with auto_remove the
 * container itself.  Safe to call again, at any moment, by anybody, once the monitor's work is over.
 */
int container_cleanup_run(struct engine *engine, const char *id, struct error *err) must_check;

#endif
