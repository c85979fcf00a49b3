/* src/engine/stop.h - signals to containers, and waiting for their end. */
#ifndef ENGINE_STOP_H
#define ENGINE_STOP_H

#include "base/error.h"

struct container;
struct engine;

#define STOP_TIMEOUT_OWN (-2) /* the container's own */

/* "0", "30", or "-1" for ever; option is named in the error. */
int stop_timeout_parse(const char *text, const char *option, int *ret,
		       struct error *err) must_check;

/* Sends the stop signal, waits timeout_s seconds (-1: for ever), kills.  Returns when the run is
 * cleaned up.  A container that does not run is fine.
 */
int container_stop(struct engine *engine, const struct container *c, int timeout_s,
		   struct error *err) must_check;
int container_stop_with(struct engine *engine, const struct container *c, int sig, int timeout_s,
			struct error *err) must_check;

/* -ESRCH if it does not run. */
int container_kill(struct engine *engine, const struct container *c, int sig,
		   struct error *err) must_check;

/* Waits until it does not run, gives its exit status; 255 if nobody recorded one. */
int container_wait(struct engine *engine, const struct container *c, int *ret_status,
		   struct error *err) must_check;

#endif
