/* tests/unit/cmd/test_build_call.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "cmd/build_call.h"

static void words_and_formats(void **state)
{
	static const struct {
		const char *text;
		bool check;
		struct call want;
	} cases[] = {
		{ NULL, false, { .builds = true, .what = LOOK_CHECK } },
		{ NULL, true, { .what = LOOK_CHECK } },
		{ "build", false, { .builds = true, .what = LOOK_CHECK } },
		{ "check", false, { .what = LOOK_CHECK } },
		{ "lint", false, { .what = LOOK_CHECK } },
		{ "outline", false, { .what = LOOK_OUTLINE } },
		{ "targets,format=json", false, { .what = LOOK_TARGETS, .json = true } },
		{ "targets,format=text", true, { .what = LOOK_TARGETS } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct call got;

		assert_int_equal(call_parse(cases[i].text, cases[i].check, &got, NULL), 0);
		assert_int_equal(got.builds, cases[i].want.builds);
		assert_int_equal(got.what, cases[i].want.what);
		assert_int_equal(got.json, cases[i].want.json);
	}
}

static void what_is_none_is_refused(void **state)
{
	static const char *const cases[][2] = {
		{ "dance", "--call is build, check, outline or targets, not 'dance'" },
		{ "che", "--call is build, check, outline or targets, not 'che'" },
		{ "check,format=xml", "--call: 'format=xml' is not format=json or format=text" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };
		struct call got;

		assert_int_equal(call_parse(cases[i][0], false, &got, &err), -EINVAL);
		assert_string_equal(err.text, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(words_and_formats),
		cmocka_unit_test(what_is_none_is_refused),
	};

	return cmocka_run_group_tests_name("cmd/build_call", tests, NULL, NULL);
}
