/* tests/unit/lab/test_range.c */
#include "lab/range.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

static void ranges_are_counted_and_named(void **state)
{
	static const struct {
		const char *text;
		size_t n;
		const char *first, *last;
	} cases[] = {
		{ "h1", 1, "h1", "h1" },         { "h[1-200]", 200, "h1", "h200" },
		{ "h[08-11]", 4, "h08", "h11" }, { "h[1-2]:eth0", 2, "h1:eth0", "h2:eth0" },
		{ "[3-3]", 1, "3", "3" },
	};
	char name[RANGE_TEXT_MAX * 2 + 16];
	struct range range;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(range_parse(cases[i].text, 1000, &range), 0);
		assert_int_equal(range.n, cases[i].n);
		range_name(&range, 0, name);
		assert_string_equal(name, cases[i].first);
		range_name(&range, range.n - 1, name);
		assert_string_equal(name, cases[i].last);
	}
}

static void what_is_none_is_refused(void **state)
{
	static const char *const bad[] = { "h[",     "h]",          "h[1]",   "h[2-1]",
					   "h[a-b]", "h[1-2][3-4]", "h]1-2[", "h[-2]" };
	struct range range;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(range_parse(bad[i], 1000, &range), -EINVAL);
	assert_int_equal(range_parse("h[1-1001]", 1000, &range), -E2BIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ranges_are_counted_and_named),
		cmocka_unit_test(what_is_none_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
