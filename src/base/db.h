/* src/base/db.h - a thin door to SQLite: the state database that arbitrates and indexes.
 *
 * Transactions are short and IMMEDIATE; a busy writer is waited for, up to DB_BUSY_MS.  WAL with
 * synchronous=NORMAL: a commit costs no fsync, a power cut may lose the last commits but never
 * damages the file, and whatever must survive one is also in a file of its container or image.
 *
 * Each module owns its tables: it hands its migrations to db_open() through the engine.
 * A statement is prepared once per db and kept by the text's address, so pass string literals.
 */
#ifndef BASE_DB_H
#define BASE_DB_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define DB_BUSY_MS 10000

struct db;
struct sqlite3_stmt;

/* One module's tables.  steps[i] brings version i to i + 1; they only ever grow at the end. */
struct db_schema {
	const char *module;
	const char *const *steps; /* NULL-terminated SQL texts */
};

int db_open(const char *path, const struct db_schema *const *schemas, struct db **ret,
	    struct error *err) must_check;
void db_close(struct db *db); /* NULL is fine; an open transaction is rolled back */
DEFINE_CLEANUP(struct db *, db, db_close);

/* A transaction.  A dry run sees its own writes until db_close(), which takes all of them back. */
int db_begin(struct db *db, struct error *err) must_check;
int db_commit(struct db *db, struct error *err) must_check;
void db_rollback(struct db *db); /* nothing if none is open */

/* Runs a statement without rows.  Arguments follow types: 's' const char * (NULL is NULL),
 * 'i' int64_t, 'b' const void * and size_t.  db_run(db, err, "UPDATE t SET a=? WHERE b=?", "si", s,
 * i) A constraint violation (UNIQUE, ...) returns -EEXIST, a busy database -EBUSY, a full disk
 * -ENOSPC.
 */
int db_run(struct db *db, struct error *err, const char *sql, const char *types, ...) must_check;
int64_t db_last_id(struct db *db);
int db_changes(struct db *db);

/* Rows: struct db_rows rows; db_query(db, &rows, err, sql, types, ...), then while
 * (db_next(&rows)), read columns; db_finish() returns the first failure.  Texts are good until the
 * next db_next() or db_finish().
 */
struct db_rows {
	struct db *db;
	struct sqlite3_stmt *stmt;
	struct error *err;
	int r;
};
int db_query(struct db *db, struct db_rows *rows, struct error *err, const char *sql,
	     const char *types, ...) must_check;
bool db_next(struct db_rows *rows);
const char *db_text(struct db_rows *rows, int column); /* NULL for NULL */
int64_t db_int(struct db_rows *rows, int column);
int db_finish(struct db_rows *rows) must_check;

#endif
