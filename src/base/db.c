/* src/base/db.c */
#include "base/db.h"

#include <ctype.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/db_reserve.h"
#include "base/explain.h"

#define STATEMENTS_MAX 128 /* distinct SQL texts of one process */
#define RETRY_MS       10

/* How it is open.  SHARED is the usual one; it makes two files beside the database, and where that
 * cannot be, on a full or read-only file system, the others are what is left.
 */
enum db_way {
	DB_SHARED,
	DB_READ,  /* what stands in the file; nobody else has it open */
	DB_ALONE, /* written into what was laid by for it, see db_reserve_use() */
};

struct db {
	sqlite3 *handle;
	char *path;
	enum db_way way;
	int why; /* it is not DB_SHARED */
	bool in_transaction;
	size_t n;
	struct {
		const char *sql;
		sqlite3_stmt *stmt;
	} cache[STATEMENTS_MAX];
};

static int db_errno(int code)
{
	switch (code & 0xff) {
	case SQLITE_CONSTRAINT:
		return -EEXIST;
	case SQLITE_BUSY:
	case SQLITE_LOCKED:
		return -EBUSY;
	case SQLITE_FULL:
		return -ENOSPC;
	case SQLITE_READONLY:
		return -EROFS;
	case SQLITE_PERM:
	case SQLITE_CANTOPEN:
	case SQLITE_AUTH:
		return -EACCES;
	case SQLITE_CORRUPT:
	case SQLITE_NOTADB:
		return -EUCLEAN;
	default:
		return -EIO;
	}
}

static int no_writing(const struct db *db, int r, struct error *err)
{
	if (r == -ENOSPC)
		return error_set(err, r, "state database %s: no space left on its file system",
				 db->path);
	return error_set(err, r,
			 "state database %s: its file system is read-only; make it writable "
			 "(mount -o remount,rw) to change something",
			 db->path);
}

static int db_fail(struct db *db, struct error *err, const char *doing)
{
	int r = db_errno(sqlite3_errcode(db->handle)), cause = sqlite3_system_errno(db->handle);
	struct statvfs fs;

	/* "disk I/O error" is not what a user can act on. */
	if (r == -EIO && cause > 0)
		r = -cause;
	if (r == -EACCES && statvfs(db->path, &fs) == 0 && (fs.f_flag & ST_RDONLY))
		r = -EROFS;
	if (r == -ENOSPC || r == -EROFS)
		return no_writing(db, r, err);
	if (r == -cause)
		return error_sys(err, r, "state database %s: %s", db->path, doing);
	return error_set(
		err, r, "state database %s: %s: %s%s", db->path, doing, sqlite3_errmsg(db->handle),
		r == -EUCLEAN
			? "; 'strake system check --repair' moves it aside and makes it again from the files"
			: "");
}

static int db_plain(struct db *db, struct error *err, const char *sql)
{
	if (sqlite3_exec(db->handle, sql, NULL, NULL, NULL) != SQLITE_OK)
		return db_fail(db, err, "write");
	return 0;
}

static int db_make_writable(struct db *db, struct error *err);

static int statement_get(struct db *db, const char *sql, sqlite3_stmt **ret, struct error *err)
{
	for (size_t i = 0; i < db->n; i++) {
		if (db->cache[i].sql == sql && !sqlite3_stmt_busy(db->cache[i].stmt)) {
			*ret = db->cache[i].stmt;
			return 0;
		}
	}
	assert(db->n < STATEMENTS_MAX);
	if (sqlite3_prepare_v2(db->handle, sql, -1, ret, NULL) != SQLITE_OK)
		return db_fail(db, err, sql);
	db->cache[db->n].sql = sql;
	db->cache[db->n++].stmt = *ret;
	return 0;
}

static void statement_bind(sqlite3_stmt *stmt, const char *types, va_list ap)
{
	for (int i = 1; *types; types++, i++) {
		if (*types == 's') {
			const char *text = va_arg(ap, const char *);

			(void)sqlite3_bind_text(stmt, i, text, -1, SQLITE_TRANSIENT);
		} else if (*types == 'i') {
			(void)sqlite3_bind_int64(stmt, i, va_arg(ap, int64_t));
		} else {
			const void *bytes = va_arg(ap, const void *);
			size_t len = va_arg(ap, size_t);

			assert(*types == 'b');
			(void)sqlite3_bind_blob64(stmt, i, bytes, len, SQLITE_TRANSIENT);
		}
	}
}

int db_run(struct db *db, struct error *err, const char *sql, const char *types, ...)
{
	sqlite3_stmt *stmt = NULL;
	va_list ap;
	int r;

	r = db_make_writable(db, err);
	if (r == 0)
		r = statement_get(db, sql, &stmt, err);
	if (r < 0)
		return r;
	va_start(ap, types);
	statement_bind(stmt, types, ap);
	va_end(ap);
	r = sqlite3_step(stmt) == SQLITE_DONE ? 0 : db_fail(db, err, "write");
	(void)sqlite3_reset(stmt);
	(void)sqlite3_clear_bindings(stmt);
	return r;
}

int64_t db_last_id(struct db *db)
{
	return sqlite3_last_insert_rowid(db->handle);
}

int db_changes(struct db *db)
{
	return sqlite3_changes(db->handle);
}

int db_query(struct db *db, struct db_rows *rows, struct error *err, const char *sql,
	     const char *types, ...)
{
	sqlite3_stmt *stmt;
	va_list ap;
	int r;

	r = statement_get(db, sql, &stmt, err);
	if (r < 0)
		return r;
	va_start(ap, types);
	statement_bind(stmt, types, ap);
	va_end(ap);
	*rows = (struct db_rows) { .db = db, .stmt = stmt, .err = err };
	return 0;
}

bool db_next(struct db_rows *rows)
{
	int code = rows->r < 0 ? SQLITE_DONE : sqlite3_step(rows->stmt);

	if (code == SQLITE_ROW)
		return true;
	if (code != SQLITE_DONE)
		rows->r = db_fail(rows->db, rows->err, "read");
	return false;
}

const char *db_text(struct db_rows *rows, int column)
{
	return (const char *)sqlite3_column_text(rows->stmt, column);
}

int64_t db_int(struct db_rows *rows, int column)
{
	return sqlite3_column_int64(rows->stmt, column);
}

int db_finish(struct db_rows *rows)
{
	(void)sqlite3_reset(rows->stmt);
	(void)sqlite3_clear_bindings(rows->stmt);
	return rows->r;
}

/* A dry run is one transaction, from db_open() to db_close(): it sees what it would have written.
 */
int db_begin(struct db *db, struct error *err)
{
	int r;

	if (explain_dry() && db->in_transaction)
		return 0;
	r = db_make_writable(db, err);
	if (r == 0)
		r = db_plain(db, err, "BEGIN IMMEDIATE");
	db->in_transaction = r == 0;
	return r;
}

int db_commit(struct db *db, struct error *err)
{
	int r;

	if (explain_dry())
		return 0;
	r = db_plain(db, err, "COMMIT");
	if (r == 0)
		db->in_transaction = false;
	return r;
}

static void roll_back(struct db *db)
{
	if (!db->in_transaction)
		return;
	(void)sqlite3_exec(db->handle, "ROLLBACK", NULL, NULL, NULL);
	db->in_transaction = false;
}

void db_rollback(struct db *db)
{
	if (!explain_dry())
		roll_back(db);
}

static int schema_version(struct db *db, const char *module, int64_t *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, "SELECT version FROM schema WHERE module=?", "s", module);

	if (r < 0)
		return r;
	*ret = db_next(&rows) ? db_int(&rows, 0) : 0;
	return db_finish(&rows);
}

static int schema_migrate(struct db *db, const struct db_schema *schema, struct error *err)
{
	int64_t have = 0, want = 0;
	int r = schema_version(db, schema->module, &have, err);

	while (schema->steps[want])
		want++;
	if (r < 0)
		return r;
	if (have > want)
		return error_set(
			err, -EPROTO,
			"state database %s was written by a newer strake (%s version %lld)",
			db->path, schema->module, (long long)have);
	for (int64_t i = have; r == 0 && i < want; i++)
		r = db_plain(db, err, schema->steps[i]);
	if (r < 0 || have == want)
		return r;
	return db_run(db, err, "INSERT OR REPLACE INTO schema (module, version) VALUES (?, ?)",
		      "si", schema->module, want);
}

/* The sum of all versions is kept in user_version, so that an up-to-date database is opened without
 * taking a lock.
 */
static int schemas_migrate(struct db *db, const struct db_schema *const *schemas, struct error *err)
{
	int64_t want = 1, have = 0;
	autofree char *pragma = NULL;
	struct db_rows rows;
	int r;

	for (size_t i = 0; schemas[i]; i++)
		for (size_t step = 0; schemas[i]->steps[step]; step++)
			want++;
	r = db_query(db, &rows, err, "PRAGMA user_version", "");
	if (r < 0)
		return r;
	if (db_next(&rows))
		have = db_int(&rows, 0);
	r = db_finish(&rows);
	if (r < 0 || have == want)
		return r;
	r = db_begin(db, err);
	if (r < 0)
		return r;
	r = db_plain(
		db, err,
		"CREATE TABLE IF NOT EXISTS schema (module TEXT PRIMARY KEY, version INTEGER)");
	for (size_t i = 0; r == 0 && schemas[i]; i++)
		r = schema_migrate(db, schemas[i], err);
	pragma = xasprintf("PRAGMA user_version=%lld", (long long)want);
	if (r == 0)
		r = db_plain(db, err, pragma);
	if (r == 0)
		r = db_commit(db, err);
	db_rollback(db);
	return r;
}

/* opening */

static void disconnect(struct db *db)
{
	for (size_t i = 0; i < db->n; i++)
		(void)sqlite3_finalize(db->cache[i].stmt);
	db->n = 0;
	(void)sqlite3_close(db->handle);
	db->handle = NULL;
}

/* A path as a URI of SQLite, where '?', '#' and '%' mean something. */
static char *uri_of(const char *path)
{
	static const char plain[] = "/._-";
	size_t len = strlen(path);
	char *uri = xmalloc(len * 3 + sizeof("file:?immutable=1")), *to;

	to = stpcpy(uri, "file:");
	for (const char *p = path; *p; p++)
		if (isalnum((unsigned char)*p) || strchr(plain, *p))
			*to++ = *p;
		else
			to += snprintf(to, 4, "%%%02x", (unsigned char)*p);
	(void)stpcpy(to, "?immutable=1");
	return uri;
}

/* Who put it there decides what all commands believe, and what happens to a file behind a link. */
static int check_owner(const struct db *db, struct error *err)
{
	struct stat st;

	if (db->path[0] != '/' || lstat(db->path, &st) < 0)
		return 0;
	if (!S_ISREG(st.st_mode))
		return error_set(err, -ELOOP, "state database %s is a link, or no file", db->path);
	if (geteuid() == 0 && st.st_uid != 0)
		return error_set(err, -EPERM,
				 "state database %s belongs to user %u; 'chown -R 0 DIRECTORY' if "
				 "what is in its directory can be trusted",
				 db->path, st.st_uid);
	return 0;
}

/* No other user of the host reads it, or holds a lock on it.  The files beside it get its mode. */
static int open_private(struct db *db, const char *name, int flags)
{
	mode_t before = umask(077);
	struct stat st;
	int code = sqlite3_open_v2(name, &db->handle, flags, NULL);

	(void)umask(before);
	if (stat(db->path, &st) == 0 && (st.st_mode & 077) && st.st_uid == geteuid())
		(void)chmod(db->path, 0600);
	return code;
}

/* Held by whoever makes a database, or waits for one that is being made.  To turn a new file into
 * one with a write-ahead log takes all of its locks, and SQLite lets the others fail at once rather
 * than wait, as it would for a writer.
 */
static int making_lock(const struct db *db)
{
	autofree char *dir = xstrdup(db->path);
	char *slash = strrchr(dir, '/');
	int fd;

	slash[slash == dir] = '\0';
	fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd >= 0 && TEMP_FAILURE_RETRY(flock(fd, LOCK_EX)) < 0) {
		(void)close(fd);
		return -1;
	}
	return fd;
}

static bool is_new(const struct db *db)
{
	struct stat st;

	return stat(db->path, &st) < 0 || st.st_size == 0;
}

static int set_up_alone(struct db *db, const char *pragmas, struct error *err)
{
	autoclose int lock = making_lock(db);

	(void)lock; /* without one it is tried all the same */
	return db_plain(db, err, pragmas);
}

static int set_up(struct db *db, const char *pragmas, bool first, struct error *err)
{
	bool shared = db->way == DB_SHARED && db->path[0] == '/';
	int r;

	if (shared && first)
		return set_up_alone(db, pragmas, err);
	r = db_plain(db, err, pragmas);
	return r == -EBUSY && shared ? set_up_alone(db, pragmas, err) : r;
}

static int connect_as(struct db *db, enum db_way way, struct error *err)
{
	static const char *const pragmas[] = {
		[DB_SHARED] = "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; "
			      "PRAGMA foreign_keys=ON",
		[DB_READ] = "PRAGMA foreign_keys=ON",
		/* The last one takes the lock. */
		[DB_ALONE] = "PRAGMA locking_mode=EXCLUSIVE; PRAGMA wal_autocheckpoint=8; "
			     "PRAGMA synchronous=NORMAL; PRAGMA foreign_keys=ON; "
			     "PRAGMA user_version",
	};
	static const int flags[] = {
		[DB_SHARED] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX,
		[DB_READ] = SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX,
		[DB_ALONE] = SQLITE_OPEN_READWRITE | SQLITE_OPEN_NOMUTEX,
	};
	autofree char *uri = way == DB_READ ? uri_of(db->path) : NULL;
	bool first = is_new(db);
	int keep = 1;

	disconnect(db);
	db->way = way;
	if (way == DB_ALONE)
		db_reserve_use(db->path);
	if (open_private(db, uri ? uri : db->path, flags[way]) != SQLITE_OK) {
		if (!db->handle)
			return error_set(err, -ENOMEM, "open state database %s", db->path);
		return db_fail(db, err, "open");
	}
	(void)sqlite3_busy_timeout(db->handle, DB_BUSY_MS);
	if (way == DB_ALONE)
		(void)sqlite3_file_control(db->handle, "main", SQLITE_FCNTL_PERSIST_WAL, &keep);
	return set_up(db, pragmas[way], first, err);
}

/* SQLite does not wait for a lock on the whole file: the others who found the disk full have it,
 * each for its moment, or one that found room before has the two files that we lack.
 */
static int connect_alone(struct db *db, struct error *err)
{
	int r = connect_as(db, DB_ALONE, err);

	for (int waited = 0; r == -EBUSY && waited < DB_BUSY_MS; waited += RETRY_MS) {
		(void)sqlite3_sleep(RETRY_MS);
		if (connect_as(db, DB_SHARED, NULL) == 0)
			return 0;
		r = connect_as(db, DB_ALONE, err);
	}
	return r;
}

static bool is_in_use(const struct db *db)
{
	for (size_t i = 0; i < db->n; i++)
		if (sqlite3_stmt_busy(db->cache[i].stmt))
			return true;
	return false;
}

static int read_to_alone(struct db *db, struct error *err)
{
	int why = db->why, r;

	if (why == -EROFS || is_in_use(db))
		return no_writing(db, why, err);
	r = connect_alone(db, err);
	if (r < 0) { /* it can still be read */
		ignore_result(connect_as(db, DB_READ, NULL));
		db->why = why;
	}
	return r;
}

static int db_make_writable(struct db *db, struct error *err)
{
	int r = 0;

	if (explain_dry() || db->in_transaction)
		return 0;
	if (db->way == DB_READ)
		r = read_to_alone(db, err);
	if (r == 0)
		db_make_room(db->path);
	return r;
}

static int connect_somehow(struct db *db, const struct db_schema *const *schemas, struct error *err)
{
	bool first = db->path[0] == '/' && is_new(db);
	int r = connect_as(db, DB_SHARED, err);

	if (r == 0 && explain_dry())
		r = db_begin(db, err);
	if (r == 0)
		r = schemas_migrate(db, schemas, err);
	if (r == 0)
		db_reserve_make(db->path);
	/* The tables go from the log to their place while there is room for them: a log that a full
	 * disk keeps from it leaves the reserve without use.
	 */
	if (r == 0 && first && !explain_dry())
		(void)sqlite3_wal_checkpoint_v2(db->handle, NULL, SQLITE_CHECKPOINT_PASSIVE, NULL,
						NULL);
	if ((r != -ENOSPC && r != -EROFS) || db->path[0] != '/')
		return r;
	/* Frames of a log that nobody took over are read by who has the file alone. */
	db->why = r;
	if (r == -ENOSPC && db_has_log(db->path))
		r = connect_alone(db, err);
	else
		r = connect_as(db, DB_READ, err);
	return r < 0 ? r : schemas_migrate(db, schemas, err);
}

int db_open(const char *path, const struct db_schema *const *schemas, struct db **ret,
	    struct error *err)
{
	cleanup(db_cleanup) struct db *db = xnew(struct db);
	int r;

	db->path = xstrdup(path);
	r = check_owner(db, err);
	if (r == 0)
		r = connect_somehow(db, schemas, err);
	if (r < 0)
		return r;
	if (err)
		*err = (struct error) { 0 };
	*ret = steal_ptr(&db);
	return 0;
}

void db_close(struct db *db)
{
	if (!db)
		return;
	roll_back(db);
	disconnect(db);
	free(db->path);
	free(db);
}
