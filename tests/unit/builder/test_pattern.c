#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "builder/pattern.h"

static void plain_patterns_are_those_of_filepath_match(void **state)
{
	static const struct {
		const char *pattern, *path;
		int expected; /* -1: refused */
	} cases[] = {
		{ "abc", "abc", 1 },
		{ "*", "abc", 1 },
		{ "*c", "abc", 1 },
		{ "a*", "a", 1 },
		{ "a*", "ab/c", 0 },
		{ "a*/b", "abc/b", 1 },
		{ "a*/b", "a/c/b", 0 },
		{ "a*b*c*d*e*/f", "axbxcxdxe/f", 1 },
		{ "a*b?c*x", "abxbbxdbxebxczzx", 1 },
		{ "ab[c]", "abc", 1 },
		{ "ab[b-d]", "abc", 1 },
		{ "ab[e-g]", "abc", 0 },
		{ "ab[^c]", "abc", 0 },
		{ "ab[^e-g]", "abc", 1 },
		{ "a\\*b", "a*b", 1 },
		{ "a\\*b", "ab", 0 },
		{ "a?b", "a/b", 0 },
		{ "a*b", "a/b", 0 },
		{ "[\\]a]", "]", 1 },
		{ "[\\-]", "-", 1 },
		{ "[x\\-]", "z", 0 },
		{ "[]a]", "]", -1 },
		{ "[-]", "-", -1 },
		{ "[x-]", "x", -1 },
		{ "[-x]", "x", -1 },
		{ "a[", "a", -1 },
		{ "[a-b-c]", "a", -1 },
		{ "[b-a]", "a", -1 },
		{ "a\\", "a", -1 },
		{ "**", "a/b", 0 },
		{ "[[]x", "[x", 1 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct pattern p = { NULL, 0 };
		struct error err = { 0 };
		int r = pattern_parse(cases[i].pattern, PATTERN_PLAIN, &p, &err);
		int got = r < 0 ? -1 : pattern_matches(&p, cases[i].path, strlen(cases[i].path));

		if (got != cases[i].expected)
			fail_msg("%s on %s: %d", cases[i].pattern, cases[i].path, got);
		pattern_done(&p);
	}
}

static void a_long_text_takes_no_long_time(void **state)
{
	char path[2048];
	struct pattern p = { NULL, 0 };

	(void)state;
	memset(path, 'a', sizeof(path));
	assert_int_equal(pattern_parse("**/*a*a*a*a*a*a*a*a*a*/**/b", PATTERN_DEEP, &p, NULL), 0);
	assert_false(pattern_matches(&p, path, sizeof(path)));
	pattern_done(&p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_patterns_are_those_of_filepath_match),
		cmocka_unit_test(a_long_text_takes_no_long_time),
	};

	return cmocka_run_group_tests_name("builder/pattern", tests, NULL, NULL);
}
