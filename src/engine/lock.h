/* src/engine/lock.h - who works on a container: an flock on its directory.
 *
 * The command that makes a container takes the lock before anything is recorded; its monitor
 * inherits the same open file and so holds it until its work is over.  The kernel lets go when the
 * last holder dies, however it dies.  So: active in the database and not locked means that nobody
 * is left.
 */
#ifndef ENGINE_LOCK_H
#define ENGINE_LOCK_H

#include "base/error.h"

struct engine;

/* Opens and locks containers/ID; -EBUSY if another holds it, -ENOENT if it is not there.  The lock
 * ends when the last copy of *ret_fd is closed.
 */
int container_lock(const struct engine *engine, const char *id, int *ret_fd,
		   struct error *err) must_check;
/* Waits for it, but not for ever: for a monitor that is at its last work.  -ETIMEDOUT: one that is
 * stopped never comes to an end; the text names it, and what to do.
 */
int container_lock_ended(const struct engine *engine, const char *id, int *ret_fd,
			 struct error *err) must_check;
/* The same for who waits for its end, as long as that takes. */
int container_lock_patient(const struct engine *engine, const char *id, int *ret_fd,
			   struct error *err) must_check;

/* -ETIMEDOUT if its monitor, or the command that makes it, is stopped: the text names that and what
 * to do; else 0.
 */
int container_judge_monitor(const struct engine *engine, const char *id,
			    struct error *err) must_check;
/* The same for who waits for its end: a monitor is not missed before that. */
int container_judge_end(const struct engine *engine, const char *id, struct error *err) must_check;

#endif
