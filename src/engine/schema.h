/* src/engine/schema.h - the engine's tables in state.db.
 *
 * containers.active is the intent: ACTIVE_RUN from before the first thing outside the database is
 * made for a run until after the last one is gone, ACTIVE_REMOVE while the container is being
 * removed.  boot is the boot ID of that moment, maker the command that inserted the row.  An active
 * container whose lock (engine/lock.h) nobody holds is what a crash left; see engine/recover.h.
 */
#ifndef ENGINE_SCHEMA_H
#define ENGINE_SCHEMA_H

enum container_active { ACTIVE_IDLE = 0, ACTIVE_RUN = 1, ACTIVE_REMOVE = 2 };

struct db_schema;

extern const struct db_schema engine_schema;

#endif
