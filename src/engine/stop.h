/* src/engine/stop.h - signals to containers, and waiting for their end. */
#ifndef ENGINE_STOP_H
#define ENGINE_STOP_H

#include <stddef.h>

#include "base/error.h"

struct container;
struct engine;

#define STOP_TIMEOUT_OWN (-2) /* the container's own */

/* Called once for each container, in the order in which they end: r 0, or why not, with the text.
 */
typedef void (*ended_fn)(void *data, size_t i, int r, const struct error *err);

struct stop_plan {
	int sig;       /* 0: the container's own */
	int timeout_s; /* until the kill; -1: for ever; STOP_TIMEOUT_OWN */
};

/* All get the signal before any is waited for, together; those that are late are killed.  One that
 * does not run is fine.  What is left of a run is the caller's to clear up, in ended.
 */
void containers_end(struct engine *engine, struct container *const *all, size_t n,
		    const struct stop_plan *plan, ended_fn ended, void *data);
/* The same, and ended comes when the run is cleared up. */
void containers_stop(struct engine *engine, struct container *const *all, size_t n, int timeout_s,
		     ended_fn ended, void *data);

/* -ESRCH if it does not run. */
int container_kill(struct engine *engine, const struct container *c, int sig,
		   struct error *err) must_check;

/* Waits until it does not run, gives its exit status; 255 if nobody recorded one. */
int container_wait(struct engine *engine, const struct container *c, int *ret_status,
		   struct error *err) must_check;

#endif
