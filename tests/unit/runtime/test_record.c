/* tests/unit/runtime/test_record.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <unistd.h>

#include "../scratch.h"
#include "base/process.h"
#include "runtime/record.h"

static void what_is_saved_is_loaded(void **state)
{
	cleanup(record_done) struct record made = RECORD_INIT, loaded = RECORD_INIT;
	const char *dir = *state;

	assert_int_equal(record_new(dir, "web", dir, &made, NULL), 0);
	made.pid = 42;
	made.start_time = 4711;
	assert_int_equal(record_save(&made, NULL), 0);
	assert_int_equal(record_load(dir, "web", &loaded, NULL), 0);
	assert_string_equal(loaded.id, "web");
	assert_string_equal(loaded.bundle, dir);
	assert_int_equal(loaded.pid, 42);
	assert_int_equal(loaded.start_time, 4711);
	assert_int_equal(loaded.created_ns, made.created_ns);
	record_done(&loaded);
}

static void an_id_is_claimed_once(void **state)
{
	cleanup(record_done) struct record first = RECORD_INIT;
	struct record second = RECORD_INIT;
	const char *dir = *state;
	struct strv ids = { 0 };
	struct error err = { 0 };

	assert_int_equal(record_new(dir, "web", dir, &first, NULL), 0);
	assert_int_equal(record_new(dir, "web", dir, &second, &err), -EEXIST);
	assert_string_equal(err.text, "container with id exists already: web");
	assert_int_equal(record_ids(dir, &ids, NULL), 0);
	assert_int_equal(ids.n, 1);
	assert_int_equal(record_remove(dir, "web", NULL), 0);
	assert_int_equal(record_load(dir, "web", &second, &err), -ENOENT);
	assert_string_equal(err.text, "container does not exist: web");
	strv_done(&ids);
}

/* An ID is a file name: no one may have another directory read or removed. */
static void an_id_is_no_path(void **state)
{
	static const char *const cases[] = { "", ".", "..", "../x", "a/b", "-a", "a b", "a\n" };
	const char *dir = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct record rec = RECORD_INIT;

		assert_int_equal(record_new(dir, cases[i], dir, &rec, NULL), -EINVAL);
		assert_int_equal(record_load(dir, cases[i], &rec, NULL), -EINVAL);
		assert_int_equal(record_remove(dir, cases[i], NULL), -EINVAL);
	}
}

static void a_damaged_state_is_refused(void **state)
{
	static const struct {
		const char *text;
		int r;
	} cases[] = {
		{ "{", -EBADMSG },
		{ "{\"pid\":-1}", -EBADMSG },
		{ "{\"pid\":\"1\"}", -EBADMSG },
		{ "{\"pid\":4294967296}", -EBADMSG },
		{ "{\"bundle\":1}", -EBADMSG },
		{ "{\"startTime\":-1}", -EBADMSG },
		{ "{}", 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(record_done) struct record rec = RECORD_INIT;

		scratch_put(*state, "web/state.json", cases[i].text);
		assert_int_equal(record_load(*state, "web", &rec, NULL), cases[i].r);
	}
}

static void status_follows_from_the_process(void **state)
{
	cleanup(record_done) struct record rec = RECORD_INIT;
	const char *dir = *state;

	assert_int_equal(record_new(dir, "web", dir, &rec, NULL), 0);
	rec.pid = getpid();
	assert_int_equal(process_start_time(rec.pid, &rec.start_time), 0);
	assert_int_equal(record_status(&rec), RECORD_CREATED);
	assert_int_equal(record_mark_started(&rec, NULL), 0);
	assert_int_equal(record_status(&rec), RECORD_RUNNING);
	rec.start_time++;
	assert_int_equal(record_status(&rec), RECORD_STOPPED);
	rec.pid = 0;
	assert_int_equal(record_status(&rec), RECORD_STOPPED);
	assert_string_equal(record_status_word(RECORD_PAUSED), "paused");
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_saved_is_loaded),
		CASE(an_id_is_claimed_once),
		CASE(an_id_is_no_path),
		CASE(a_damaged_state_is_refused),
		CASE(status_follows_from_the_process),
	};

	return cmocka_run_group_tests_name("runtime/record", tests, NULL, NULL);
}
