/* tests/unit/image/test_working.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "../scratch.h"
#include "base/db.h"
#include "image/remove.h"
#include "image/schema.h"
#include "image/working.h"

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"

static struct db *open_db(const char *dir)
{
	static const struct db_schema *const schemas[] = { &image_schema, NULL };
	autofree char *path = xasprintf("%s/state.db", dir);
	struct db *db = NULL;

	assert_int_equal(db_open(path, schemas, &db, NULL), 0);
	return db;
}

static void put_layer(const char *dir, struct db *db)
{
	scratch_put(dir, "layers/" ONE "/diff/file", "x");
	assert_int_equal(db_run(db, NULL,
				"INSERT INTO layers (chain, diff_id, size, disk)"
				" VALUES (?1, ?1, 1, 1)",
				"s", ONE),
			 0);
}

static void a_record_comes_back_as_it_was(void **state)
{
	cleanup(db_cleanup) struct db *db = open_db(*state);
	cleanup(working_done) struct working w = WORKING_INIT, back = WORKING_INIT,
					     other = WORKING_INIT;
	autoclose int root = scratch_open(*state);
	struct error err = { 0 };
	struct strv ids = { 0 };

	put_layer(*state, db);
	assert_int_equal(working_new(root, NULL, "quay.io/a/alpine:3", &w, NULL), 0);
	assert_string_equal(w.name, "alpine-working-container");
	/* Nobody sees it before its record, and its name is taken. */
	assert_int_equal(working_ids(root, &ids, NULL), 0);
	assert_int_equal(ids.n, 0);
	assert_int_equal(working_new(root, w.name, "x", &other, &err), -EEXIST);
	assert_int_equal(working_new(root, "-x", "x", &other, &err), -EINVAL);
	assert_int_equal(working_new(root, NULL, "alpine", &other, NULL), 0);
	assert_string_equal(other.name, "alpine-working-container-1");

	w.state = xstrdup("{\"a\": \"b\"}");
	w.created_by = xstrdup("by hand");
	w.below = 1;
	w.below_history = 3;
	w.is_mounted = true;
	strv_add(&w.chains, ONE);
	strv_add(&w.annotations, "a=b");
	assert_int_equal(working_save(db, root, &w, NULL), 0);
	assert_true(layer_is_used(db, ONE));
	assert_int_equal(working_open(root, w.name, false, &back, &err), -EBUSY);
	assert_int_equal(working_find(root, w.name, &back, NULL), 0);
	assert_string_equal(back.id, w.id);
	assert_string_equal(back.image, "quay.io/a/alpine:3");
	assert_string_equal(back.state, w.state);
	assert_string_equal(back.created_by, "by hand");
	assert_int_equal(back.below, 1);
	assert_int_equal(back.below_history, 3);
	assert_int_equal(back.created_ns, w.created_ns);
	assert_true(back.is_mounted);
	assert_string_equal(back.chains.items[0], ONE);
	assert_string_equal(back.annotations.items[0], "a=b");
	strv_done(&ids);
}

static void it_is_found_by_name_and_the_start_of_its_id(void **state)
{
	cleanup(db_cleanup) struct db *db = open_db(*state);
	cleanup(working_done) struct working w = WORKING_INIT, found = WORKING_INIT;
	autoclose int root = scratch_open(*state);
	struct error err = { 0 };
	char start[7];

	assert_int_equal(working_find(root, "x", &found, &err), -ENOENT);
	assert_string_equal(err.text, "no working container x; 'strake builder ps' lists them");
	assert_int_equal(working_new(root, "mine", "scratch", &w, NULL), 0);
	w.state = xstrdup("");
	assert_int_equal(working_save(db, root, &w, NULL), 0);
	(void)snprintf(start, sizeof(start), "%.6s", w.id);
	assert_int_equal(working_find(root, start, &found, NULL), 0);
	assert_string_equal(found.name, "mine");
	assert_int_equal(working_find(root, "", &found, &err), -ENOENT);
}

static int said;

static void count(void *data, const char *text)
{
	(void)data;
	(void)text;
	said++;
}

static void what_a_kill_left_goes_and_what_is_needed_is_missed(void **state)
{
	cleanup(db_cleanup) struct db *db = open_db(*state);
	cleanup(working_done) struct working w = WORKING_INIT, half = WORKING_INIT;
	autoclose int root = scratch_open(*state);
	autofree char *path = NULL;
	int left = 0;

	put_layer(*state, db);
	assert_int_equal(working_new(root, "whole", "scratch", &w, NULL), 0);
	w.state = xstrdup("");
	strv_add(&w.chains, ONE);
	assert_int_equal(working_save(db, root, &w, NULL), 0);
	assert_int_equal(working_new(root, "half", "scratch", &half, NULL), 0);
	path = working_path(half.id);
	/* Its maker lives as long as the lock does. */
	working_sweep(root);
	assert_int_equal(faccessat(root, path, F_OK, 0), 0);
	working_done(&half);
	said = 0;
	assert_int_equal(working_check(root, false, count, NULL, &left, NULL), 1);
	assert_int_equal(faccessat(root, path, F_OK, 0), 0);
	assert_int_equal(working_check(root, true, count, NULL, &left, NULL), 1);
	assert_int_not_equal(faccessat(root, path, F_OK, 0), 0);
	assert_int_equal(left, 0);

	assert_int_equal(db_run(db, NULL, "DELETE FROM layer_holds", ""), 0);
	assert_int_equal(working_restore(db, root, NULL), 0);
	assert_true(layer_is_used(db, ONE));
	assert_int_equal(renameat(root, "layers/" ONE, root, "gone"), 0);
	assert_int_equal(working_check(root, true, count, NULL, &left, NULL), 1);
	assert_int_equal(left, 1);
	assert_int_equal(renameat(root, "gone", root, "layers/" ONE), 0);

	assert_int_equal(working_remove(db, root, &w, NULL), 0);
	assert_int_not_equal(faccessat(root, "layers/" ONE, F_OK, 0), 0);
	assert_int_equal(working_check(root, true, count, NULL, &left, NULL), 0);
	assert_int_equal(said, 3);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_record_comes_back_as_it_was),
		CASE(it_is_found_by_name_and_the_start_of_its_id),
		CASE(what_a_kill_left_goes_and_what_is_needed_is_missed),
	};

	return cmocka_run_group_tests_name("image/working", tests, NULL, NULL);
}
