/* tests/unit/base/test_db_reserve.c - on a disk that has room; a full one: tests/system/state.bats
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "../scratch.h"
#include "base/db_reserve.h"

static int64_t blocks_of(const char *path)
{
	struct stat st;

	return stat(path, &st) < 0 ? -1 : (int64_t)st.st_blocks * 512;
}

static void the_reserve_becomes_a_log_that_is_empty(void **state)
{
	const char *dir = *state;
	autofree char *path = xasprintf("%s/state.db", dir);
	autofree char *reserve = xasprintf("%s/state.db-reserve", dir);
	autofree char *wal = xasprintf("%s/state.db-wal", dir);

	scratch_put(dir, "state.db", "");
	db_reserve_make(path);
	assert_true(blocks_of(reserve) >= DB_RESERVE_BYTES);
	assert_false(db_has_log(path));

	scratch_put(dir, "state.db-wal", "frames");
	assert_true(db_has_log(path));
	db_reserve_use(path);
	assert_true(blocks_of(reserve) >= DB_RESERVE_BYTES);

	assert_int_equal(truncate(wal, 0), 0);
	db_reserve_use(path);
	assert_int_equal(blocks_of(reserve), -1);
	assert_true(blocks_of(wal) >= DB_RESERVE_BYTES);
	assert_false(db_has_log(path));
}

static void with_room_the_log_is_left_alone(void **state)
{
	const char *dir = *state;
	autofree char *path = xasprintf("%s/state.db", dir);
	autofree char *reserve = xasprintf("%s/state.db-reserve", dir);
	autofree char *wal = xasprintf("%s/state.db-wal", dir);

	scratch_put(dir, "state.db", "");
	scratch_put(dir, "state.db-wal", "");
	db_reserve_make(path);
	db_make_room(path);
	assert_int_equal(blocks_of(wal), 0);
	assert_true(blocks_of(reserve) >= DB_RESERVE_BYTES);
}

static void a_database_in_memory_has_none(void **state)
{
	(void)state;
	db_reserve_make(":memory:");
	db_make_room(":memory:");
	assert_int_equal(blocks_of(":memory:-reserve"), -1);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(the_reserve_becomes_a_log_that_is_empty),
		CASE(with_room_the_log_is_left_alone),
		CASE(a_database_in_memory_has_none),
	};

	return cmocka_run_group_tests_name("base/db_reserve", tests, NULL, NULL);
}
