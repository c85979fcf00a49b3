/* src/engine/schema.h - the engine's tables in state.db.
 *
 * containers.active is the intent: it is 1 from before the first thing outside the database is made
 * for a run until after the last one is gone; boot is the boot ID of that moment.  An active container
 * whose lock (engine/lock.h) nobody holds is what a crash left; see engine/recover.h.
 */
#ifndef ENGINE_SCHEMA_H
#define ENGINE_SCHEMA_H

struct db_schema;

extern const struct db_schema engine_schema;

#endif
