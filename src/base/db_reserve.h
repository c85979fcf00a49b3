/* src/base/db_reserve.h - what lets a container be stopped and removed on a disk that it has
 * filled.
 *
 * Beside the database PATH lies PATH-reserve, a file of DB_RESERVE_BYTES.  When the disk is full it
 * becomes the write-ahead log, so that whoever fills the disk faster than we give a reserve back
 * has nothing of it.  Where a log is in use already the blocks go to that, as far as he lets us. A
 * database in memory (a path without a leading '/') has none of this.
 */
#ifndef BASE_DB_RESERVE_H
#define BASE_DB_RESERVE_H

#include <stdbool.h>

#define DB_RESERVE_BYTES (256 << 10)

/* Makes the reserve if there is none and there is room.  Not in a dry run. */
void db_reserve_make(const char *path);

/* The reserve becomes the log, unless frames stand in one or somebody has the database open.  This
 * process must not: its locks on the database would go.
 */
void db_reserve_use(const char *path);

/* With little space left, gives the log blocks for what will be written next, from the reserve if
 * there are no others.  A transaction that runs out of them at its end is lost, and so may be the
 * one that ends who filled the disk.  Anybody may have the database open.
 */
void db_make_room(const char *path);

/* Does a log hold frames? */
bool db_has_log(const char *path);

#endif
