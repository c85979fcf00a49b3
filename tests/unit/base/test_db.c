/* tests/unit/base/test_db.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "../scratch.h"
#include "base/db.h"

static const char *const old_steps[] = { "CREATE TABLE t (name TEXT PRIMARY KEY, n INTEGER)",
					 NULL };
static const char *const new_steps[] = { "CREATE TABLE t (name TEXT PRIMARY KEY, n INTEGER)",
					 "ALTER TABLE t ADD COLUMN more TEXT", NULL };

static struct db *open_with(const char *dir, const char *const *steps)
{
	const struct db_schema schema = { .module = "test", .steps = steps };
	const struct db_schema *const schemas[] = { &schema, NULL };
	autofree char *path = xasprintf("%s/state.db", dir);
	struct db *db = NULL;

	assert_int_equal(db_open(path, schemas, &db, NULL), 0);
	return db;
}

static int64_t count(struct db *db)
{
	struct db_rows rows;
	int64_t n = -1;

	assert_int_equal(db_query(db, &rows, NULL, "SELECT count(*) FROM t", ""), 0);
	if (db_next(&rows))
		n = db_int(&rows, 0);
	assert_int_equal(db_finish(&rows), 0);
	return n;
}

static void rows_go_in_and_come_out(void **state)
{
	cleanup(db_cleanup) struct db *db = open_with(*state, old_steps);
	struct db_rows rows;

	assert_int_equal(db_run(db, NULL, "INSERT INTO t VALUES (?1, ?2)", "si", "a", INT64_MAX),
			 0);
	assert_int_equal(db_run(db, NULL, "INSERT INTO t VALUES (?1, ?2)", "si", NULL, (int64_t)1),
			 0);
	assert_int_equal(db_changes(db), 1);
	assert_int_equal(db_query(db, &rows, NULL, "SELECT name, n FROM t ORDER BY n", ""), 0);
	assert_true(db_next(&rows));
	assert_null(db_text(&rows, 0));
	assert_true(db_next(&rows));
	assert_string_equal(db_text(&rows, 0), "a");
	assert_true(db_int(&rows, 1) == INT64_MAX);
	assert_false(db_next(&rows));
	assert_int_equal(db_finish(&rows), 0);
}

static void a_row_that_is_there_is_told(void **state)
{
	cleanup(db_cleanup) struct db *db = open_with(*state, old_steps);
	struct error err = { 0 };

	assert_int_equal(db_run(db, NULL, "INSERT INTO t VALUES ('a', 1)", ""), 0);
	assert_int_equal(db_run(db, &err, "INSERT INTO t VALUES ('a', 2)", ""), -EEXIST);
	assert_true(err.text[0]);
}

static void what_is_not_committed_is_not_there(void **state)
{
	cleanup(db_cleanup) struct db *db = open_with(*state, old_steps);

	assert_int_equal(db_begin(db, NULL), 0);
	assert_int_equal(db_run(db, NULL, "INSERT INTO t VALUES ('a', 1)", ""), 0);
	db_rollback(db);
	db_rollback(db);
	assert_int_equal(count(db), 0);
	assert_int_equal(db_begin(db, NULL), 0);
	assert_int_equal(db_run(db, NULL, "INSERT INTO t VALUES ('a', 1)", ""), 0);
	assert_int_equal(db_commit(db, NULL), 0);
	db_rollback(db);
	assert_int_equal(count(db), 1);
}

static void an_older_database_is_brought_up(void **state)
{
	struct db *db = open_with(*state, old_steps);

	assert_int_equal(db_run(db, NULL, "INSERT INTO t VALUES ('a', 1)", ""), 0);
	db_close(db);
	for (int i = 0; i < 2; i++) {
		db = open_with(*state, new_steps);
		assert_int_equal(count(db), 1);
		assert_int_equal(db_run(db, NULL, "UPDATE t SET more = 'x'", ""), 0);
		db_close(db);
	}
}

static void what_is_no_database_is_refused(void **state)
{
	const struct db_schema schema = { .module = "test", .steps = old_steps };
	const struct db_schema *const schemas[] = { &schema, NULL };
	autofree char *path = xasprintf("%s/state.db", (const char *)*state);
	struct error err = { 0 };
	struct db *db = NULL;

	scratch_put(*state, "state.db", "this is no database, but long enough to be looked at");
	assert_int_equal(db_open(path, schemas, &db, &err), -EUCLEAN);
	assert_non_null(strstr(err.text, path));
	assert_null(db);
}

#define OPENERS 20

/* 0 if it is open; waits until the other end of the pipe is closed. */
static pid_t start_opener(const char *path, const int gate[2])
{
	const struct db_schema schema = { .module = "test", .steps = new_steps };
	const struct db_schema *const schemas[] = { &schema, NULL };
	pid_t pid = fork();
	struct db *db = NULL;
	char byte;

	if (pid != 0)
		return pid;
	(void)close(gate[1]);
	ignore_result(read(gate[0], &byte, 1));
	_exit(db_open(path, schemas, &db, NULL) == 0 ? 0 : 1);
}

static void many_make_one_database_at_once(void **state)
{
	for (int round = 0; round < 10; round++) {
		autofree char *path = xasprintf("%s/%d.db", (const char *)*state, round);
		pid_t pids[OPENERS];
		int gate[2], bad = 0, status;

		assert_int_equal(pipe(gate), 0);
		for (int i = 0; i < OPENERS; i++)
			pids[i] = start_opener(path, gate);
		(void)close(gate[0]);
		(void)close(gate[1]);
		for (int i = 0; i < OPENERS; i++) {
			assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
			bad += status != 0;
		}
		assert_int_equal(bad, 0);
	}
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(rows_go_in_and_come_out),
		CASE(a_row_that_is_there_is_told),
		CASE(what_is_not_committed_is_not_there),
		CASE(an_older_database_is_brought_up),
		CASE(what_is_no_database_is_refused),
		CASE(many_make_one_database_at_once),
	};

	return cmocka_run_group_tests_name("base/db", tests, NULL, NULL);
}
