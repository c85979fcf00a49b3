#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "builder/helper.h"

#include "../scratch.h"

static char *said(const char *script, int64_t for_ms, int dir, struct error *err)
{
	struct strv argv = { 0 }, env = { 0 };
	struct helper h = { .argv = &argv,
			    .env = &env,
			    .confine = { .dir = dir, .keeps_user = true },
			    .deadline_ms = clock_monotonic_ms() + for_ms,
			    .package = "dash" };
	char *out = NULL;

	helper_env(&env);
	if (script) {
		strv_add(&argv, "sh");
		strv_add(&argv, "-c");
		strv_add(&argv, script);
	} else {
		strv_add(&argv, "no-such-program");
	}
	if (helper_run(&h, &out, err) < 0)
		assert_null(out);
	strv_done(&argv);
	strv_done(&env);
	return out;
}

static void output_and_failure_are_told(void **state)
{
	static const struct {
		const char *script;
		int r;
		const char *text;
	} cases[] = {
		{ "echo a; echo b >&2", 0, "a\n" },
		{ "cat", 0, "" },
		{ "echo one >&2; echo 'two  ' >&2; exit 3", -EIO, "sh: two" },
		{ "echo fatal: one >&2; echo two >&2; exit 3", -EIO, "sh: fatal: one" },
		{ "exit 3", -EIO, "sh: it failed and said nothing" },
		{ "i=0; while [ $i -lt 2000 ]; do echo line >&2; i=$((i+1)); done; echo end >&2; "
		  "exit 1",
		  -EIO, "sh: end" },
		{ "printf 'a\\033b' >&2; exit 1", -EIO, "sh: a?b" },
		{ "yes", -EFBIG, "sh says too much" },
		{ NULL, -ENOENT, "no-such-program is not installed (package dash)" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };
		autofree char *out = said(cases[i].script, 60000, -1, &err);

		assert_int_equal(err.code, cases[i].r);
		assert_string_equal(cases[i].r ? err.text : out, cases[i].text);
	}
}

/* The second one holds the pipe open after the first has gone. */
static void a_deadline_ends_all_of_it(void **state)
{
	struct error err = { 0 };

	(void)state;
	assert_null(said("tail -f /dev/null & tail -f /dev/null", 50, -1, &err));
	assert_int_equal(err.code, -ETIMEDOUT);
	assert_string_equal(err.text, "sh does not come to an end");
}

static void it_works_in_its_directory(void **state)
{
	struct error err = { 0 };
	autoclose int fd = scratch_open(*state);
	autofree char *out =
		said("echo x >here && ls; grep NoNewPrivs /proc/self/status", 60000, fd, &err);

	assert_string_equal(out, "here\nNoNewPrivs:\t1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(output_and_failure_are_told),
		cmocka_unit_test(a_deadline_ends_all_of_it),
		cmocka_unit_test_setup_teardown(it_works_in_its_directory, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests_name("builder/helper", tests, NULL, NULL);
}
