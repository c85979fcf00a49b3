/* src/engine/schema.h - the engine's tables in state.db.
 *
 * containers.active is the intent: ACTIVE_RUN from before the first thing outside the database is
 * made for a run until after the last one is gone, ACTIVE_REMOVE while the container is being
 * removed.  boot is the boot ID of that moment, maker the command that inserted the row.  An active
 * container whose lock (engine/lock.h) nobody holds is what a crash left; see engine/recover.h.
 * ACTIVE_KEPT: it has ended, and its maker, to whom it is tied, has not taken it away yet.
 */
#ifndef ENGINE_SCHEMA_H
#define ENGINE_SCHEMA_H

enum container_active { ACTIVE_IDLE = 0, ACTIVE_RUN = 1, ACTIVE_REMOVE = 2, ACTIVE_KEPT = 3 };
/* containers.auto_remove: whether it goes at its end, or when its maker is gone */
enum container_removal { REMOVAL_NONE = 0, REMOVAL_AT_END = 1, REMOVAL_TIED = 2 };

struct db_schema;

extern const struct db_schema engine_schema;

#endif
