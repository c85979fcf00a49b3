/* src/engine/remove.h - the end of a run, and the end of a container.
 *
 * Everything here can be done again, by anybody, after a kill at any point: rows go last.
 */
#ifndef ENGINE_REMOVE_H
#define ENGINE_REMOVE_H

#include "base/error.h"
#include "engine/stop.h"

struct container;
struct engine;

/* What the end of a run asks for: network and run directory go, and with auto_remove the container
 * itself.  Waits for the monitor to be done; nothing is left to do if another did it.
 */
int container_finish(struct engine *engine, const char *id, struct error *err) must_check;
/* The same for a caller that holds the container's lock and knows that nothing runs. */
int container_finish_locked(struct engine *engine, const char *id, struct error *err) must_check;

/* Takes away all that is known by this ID, definition and row included.  The caller holds the lock,
 * or made the container and did not share it.
 */
int container_discard(struct engine *engine, const char *id, struct error *err) must_check;
/* A script's last step but for the files. */
void container_narrate_groups(const char *id);

enum remove_flags { REMOVE_PLAIN = 0, REMOVE_FORCE = 1 };
/* Each that runs is -EBUSY, unless forced: then all that run are killed, and removed as they end.
 */
void containers_remove(struct engine *engine, struct container *const *all, size_t n,
		       enum remove_flags flags, ended_fn removed, void *data);
/* One. */
int container_remove(struct engine *engine, struct container *c, enum remove_flags flags,
		     struct error *err) must_check;

#endif
