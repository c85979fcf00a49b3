/* tests/unit/engine/test_status.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "../scratch.h"
#include "base/process.h"
#include "engine/engine.h"
#include "engine/status.h"

#define LIVE  "containers/c1/live.json"
#define ENDED "containers/c1/exit.json"

/* A live record that names this process, and text. */
static char *fill_in(const char *text)
{
	char boot[BOOT_ID_LEN + 1];
	uint64_t start = 0;
	char *filled;

	assert_int_equal(boot_id(boot, NULL), 0);
	assert_int_equal(process_start_time(getpid(), &start), 0);
	filled = xasprintf("{\"bootId\": \"%s\", \"pid\": %d, \"startTime\": %llu, %s}", boot,
			   getpid(), (unsigned long long)start, text);
	return filled;
}

static void engine_init(struct engine *engine, char *dir)
{
	int fd = scratch_open(dir);

	*engine = (struct engine) { .root = dir, .run_root = dir, .root_fd = fd, .run_fd = fd };
}

/* A record that cannot be read is told, and is never a reason to fail. */
static void damage_is_noted_and_the_rest_is_known(void **state)
{
	static const struct {
		const char *live, *ended; /* NULL: none */
		enum status_kind kind;
		int exit_code;
		bool live_is_damaged, exit_is_damaged;
	} cases[] = {
		{ NULL, NULL, STATUS_CREATED, 0, false, false },
		{ NULL, "{\"exitCode\": 3}", STATUS_EXITED, 3, false, false },
		{ NULL, "{\"exitCode\": 3", STATUS_EXITED, -1, false, true },
		{ NULL, "", STATUS_EXITED, -1, false, true },
		{ NULL, "[]", STATUS_EXITED, -1, false, true },
		{ NULL, "{}", STATUS_EXITED, -1, false, true },
		{ NULL, "{\"exitCode\": 256}", STATUS_EXITED, -1, false, true },
		{ NULL, "{\"exitCode\": 3, \"finishedAt\": \"x\"}", STATUS_EXITED, -1, false,
		  true },
		{ "{\"bootId\": \"another\"}", "{\"exitCode\": 3}", STATUS_EXITED, 3, false,
		  false },
		{ "garbage", "{\"exitCode\": 3}", STATUS_EXITED, 3, true, false },
		{ "garbage", NULL, STATUS_EXITED, -1, true, false },
		{ "{\"bootId\": 7}", NULL, STATUS_EXITED, -1, true, false },
		{ "garbage", "garbage", STATUS_EXITED, -1, true, true },
	};
	struct engine engine;

	engine_init(&engine, *state);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct status s = { .pid = 0 };

		assert_int_equal(dir_remove_at(engine.root_fd, "containers", NULL), 0);
		if (cases[i].live)
			scratch_put(*state, LIVE, cases[i].live);
		if (cases[i].ended)
			scratch_put(*state, ENDED, cases[i].ended);
		assert_int_equal(status_read(&engine, "c1", &s, NULL), 0);
		assert_int_equal(s.kind, cases[i].kind);
		assert_int_equal(s.exit_code, cases[i].exit_code);
		assert_int_equal(s.live_is_damaged, cases[i].live_is_damaged);
		assert_int_equal(s.exit_is_damaged, cases[i].exit_is_damaged);
		assert_int_equal(s.damage.code != 0,
				 cases[i].live_is_damaged || cases[i].exit_is_damaged);
		if (s.damage.code == 0)
			continue;
		assert_non_null(strstr(s.damage.text, cases[i].live_is_damaged ? LIVE : ENDED));
		assert_int_equal(status_mend(&engine, "c1", &s, NULL), 0);
		assert_int_equal(status_read(&engine, "c1", &s, NULL), 0);
		assert_int_equal(s.damage.code, 0);
	}
	(void)close(engine.root_fd);
}

static void one_that_runs_is_named_by_its_live_record(void **state)
{
	autofree char *live = fill_in("\"startedAt\": \"2026-01-02T03:04:05Z\"");
	autofree char *wrong = fill_in("\"startedAt\": 5");
	struct status s = { .pid = 0 };
	struct engine engine;

	engine_init(&engine, *state);
	scratch_put(*state, LIVE, live);
	assert_int_equal(status_read(&engine, "c1", &s, NULL), 0);
	assert_int_equal(s.kind, STATUS_RUNNING);
	assert_int_equal(s.pid, getpid());
	/* Half of one counts for nothing. */
	scratch_put(*state, LIVE, wrong);
	assert_int_equal(status_read(&engine, "c1", &s, NULL), 0);
	assert_int_equal(s.kind, STATUS_EXITED);
	assert_int_equal(s.pid, 0);
	(void)close(engine.root_fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(damage_is_noted_and_the_rest_is_known,
						scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(one_that_runs_is_named_by_its_live_record,
						scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests_name("engine/status", tests, NULL, NULL);
}
