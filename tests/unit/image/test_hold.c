/* tests/unit/image/test_hold.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "../scratch.h"
#include "base/db.h"
#include "base/strv.h"
#include "image/hold.h"
#include "image/remove.h"
#include "image/schema.h"

#define ONE "1111111111111111111111111111111111111111111111111111111111111111"
#define TWO "2222222222222222222222222222222222222222222222222222222222222222"

static struct db *open_db(const char *dir)
{
	static const struct db_schema *const schemas[] = { &image_schema, NULL };
	autofree char *path = xasprintf("%s/state.db", dir);
	struct db *db = NULL;

	assert_int_equal(db_open(path, schemas, &db, NULL), 0);
	return db;
}

static void put_layer(const char *dir, struct db *db, const char *chain)
{
	autofree char *path = xasprintf("layers/%s/diff/file", chain);

	scratch_put(dir, path, "x");
	assert_int_equal(db_run(db, NULL,
				"INSERT INTO layers (chain, diff_id, size, disk)"
				" VALUES (?1, ?1, 1, 1)",
				"s", chain),
			 0);
}

static bool is_there(int root, const char *chain)
{
	autofree char *path = xasprintf("layers/%s", chain);

	return faccessat(root, path, F_OK, 0) == 0;
}

static void what_is_held_stays_and_goes_with_the_last_holder(void **state)
{
	cleanup(db_cleanup) struct db *db = open_db(*state);
	autoclose int root = scratch_open(*state);
	struct strv chains = { 0 }, second = { 0 };
	bool has = false;

	put_layer(*state, db, ONE);
	put_layer(*state, db, TWO);
	strv_add(&chains, ONE);
	strv_add(&chains, TWO);
	strv_add(&second, TWO);
	assert_false(layer_is_used(db, ONE));
	assert_int_equal(hold_add(db, "working/a", &chains, NULL), 0);
	assert_int_equal(hold_add(db, "working/b", &second, NULL), 0);
	assert_true(layer_is_used(db, ONE));
	assert_false(layer_has_owner(db, ONE));
	assert_int_equal(hold_has(db, "working/b", ONE, &has, NULL), 0);
	assert_false(has);

	/* A step back: the uppermost is let go, but another has it. */
	chains.n = 1;
	assert_int_equal(hold_release(db, root, "working/a", &chains, NULL), 0);
	assert_true(is_there(root, ONE));
	assert_true(is_there(root, TWO));
	chains.n = 2;
	assert_int_equal(hold_release(db, root, "working/a", NULL, NULL), 0);
	assert_false(is_there(root, ONE));
	assert_true(is_there(root, TWO));
	assert_int_equal(hold_release(db, root, "working/b", NULL, NULL), 0);
	assert_false(is_there(root, TWO));
	assert_int_equal(hold_add(db, "working/a", &chains, NULL), -ENOENT);
	assert_false(layer_is_used(db, TWO));
	strv_done(&chains);
	strv_done(&second);
}

static void what_a_dead_build_held_is_let_go_and_a_living_one_keeps_it(void **state)
{
	cleanup(db_cleanup) struct db *db = open_db(*state);
	autoclose int root = scratch_open(*state);
	char mine[HOLD_NAME_LEN], boot[BOOT_ID_LEN + 1];
	autofree char *dead = NULL;
	struct strv one = { 0 }, two = { 0 };

	put_layer(*state, db, ONE);
	put_layer(*state, db, TWO);
	strv_add(&one, ONE);
	strv_add(&two, TWO);
	assert_int_equal(hold_name(mine, NULL), 0);
	assert_int_equal(boot_id(boot, NULL), 0);
	/* Our own number, at another time. */
	dead = xasprintf("build %s %d 1", boot, getpid());
	assert_int_equal(hold_add(db, mine, &one, NULL), 0);
	assert_int_equal(hold_add(db, dead, &two, NULL), 0);
	hold_sweep(db, root);
	assert_true(is_there(root, ONE));
	assert_false(is_there(root, TWO));
	strv_done(&one);
	strv_done(&two);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_held_stays_and_goes_with_the_last_holder),
		CASE(what_a_dead_build_held_is_let_go_and_a_living_one_keeps_it),
	};

	return cmocka_run_group_tests_name("image/hold", tests, NULL, NULL);
}
