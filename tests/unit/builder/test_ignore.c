#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "builder/ignore.h"

static void rules_decide(void **state)
{
	static const struct {
		const char *rules, *path;
		bool ignored;
	} cases[] = {
		{ "", "a", false },
		{ "a", "a", true },
		{ "a", "a/b/c", true },
		{ "a", "b/a", false },
		{ "/a", "a", true },
		{ "./a/", "a/b", true },
		{ "a/../b", "b", true },
		{ "  a  ", "a", true },
		{ "#a", "#a", false },
		{ " #a", "#a", true },
		{ "\\#a", "#a", true },
		{ "*", "a/b", true },
		{ "*.o", "x.o", true },
		{ "*.o", "d/x.o", false },
		{ "*/*.o", "d/x.o", true },
		{ "a?", "ab", true },
		{ "a?", "a/", false },
		{ "a?c", "a/c", false },
		{ "[a-c]x", "bx", true },
		{ "[^a-c]x", "bx", false },
		{ "[]]", "x", false },
		{ "**", "a/b", true },
		{ "**/x", "x", true },
		{ "**/x", "a/b/x", true },
		{ "**/x", "a/bx", false },
		{ "**.md", "a/b/r.md", true },
		{ "**.md", "r.md", true },
		{ "a/**", "a/b", true },
		{ "a/**", "a", false },
		{ "a/**/b", "a/b", true },
		{ "a/**/b", "a/x/y/b", true },
		{ "a/**/b", "a/xb", false },
		{ "a**b", "ab", true },
		{ "a**b", "axb", false },
		{ "a**b", "ax/b", true },
		{ "**/*.go", "a/b.go", true },
		{ "**/*_test.go", "a_test.go", true },
		{ "*\n!a", "a", false },
		{ "*\n!a", "a/b", false },
		{ "*\n!a\na/b", "a/b", true },
		{ "a\n!a/b", "a/b", false },
		{ "a\n!a/b", "a/c", true },
		{ "!a\na", "a", true },
		{ "*.md\n!README*.md\nREADME-secret.md", "README.md", false },
		{ "*.md\n!README*.md\nREADME-secret.md", "README-secret.md", true },
		{ "a\r\nb\r\n", "b", true },
		{ "\xef\xbb\xbf"
		  "a",
		  "a", true },
		{ "..", "a", false },
		{ "../a", "a", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ignore ignore = { NULL, 0, 0 };
		struct error err = { 0 };
		int r = ignore_parse(cases[i].rules, strlen(cases[i].rules), &ignore, &err);

		if (strcmp(cases[i].rules, "[]]") == 0) {
			assert_int_equal(r, -EINVAL);
			continue;
		}
		if (r < 0 || ignore_matches(&ignore, cases[i].path) != cases[i].ignored)
			fail_msg("'%s' on %s: not %d (%s)", cases[i].rules, cases[i].path,
				 cases[i].ignored, err.text);
		ignore_done(&ignore);
	}
}

static void directories_are_skipped_unless_an_exception_reaches_in(void **state)
{
	static const struct {
		const char *rules, *dir;
		bool skipped;
	} cases[] = {
		{ "a", "a", true },
		{ "a", "b", false },
		{ "a\n!a/b", "a", false },
		{ "a\n!b", "a", true },
		{ "a\n!**/x", "a", false },
		{ "a\n!ab", "a", true },
		{ "a\n!a/b/c", "a/b", false },
		{ "a\n!a/b/c", "a/x", true },
		{ "*\n!src/**", "src/a", false },
		{ "*\n!src/*.c", "doc", true },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct ignore ignore = { NULL, 0, 0 };

		assert_int_equal(
			ignore_parse(cases[i].rules, strlen(cases[i].rules), &ignore, NULL), 0);
		if (ignore_skips(&ignore, cases[i].dir) != cases[i].skipped)
			fail_msg("'%s' on %s", cases[i].rules, cases[i].dir);
		ignore_done(&ignore);
	}
}

static void mistakes_have_a_line(void **state)
{
	struct ignore ignore = { NULL, 0, 0 };
	struct error err = { 0 };

	(void)state;
	assert_int_equal(ignore_parse("a\n!\n", 4, &ignore, &err), -EINVAL);
	assert_string_equal(err.text,
			    "line 2: '!' takes back nothing; a pattern belongs behind it");
	assert_int_equal(ignore_parse("a\n\nb[", 5, &ignore, &err), -EINVAL);
	assert_string_equal(err.text, "line 3: pattern 'b[': syntax error");
	assert_int_equal(ignore_parse("a\0b", 3, &ignore, &err), -EINVAL);
}

static void paths_are_cleaned(void **state)
{
	static const char *const cases[][2] = {
		{ "", "." },
		{ "/", "/" },
		{ "a", "a" },
		{ "./a//b/", "a/b" },
		{ "a/../b", "b" },
		{ "../a", "../a" },
		{ "../../a", "../../a" },
		{ "/../a", "/a" },
		{ "a/..", "." },
		{ "/a/./b/../..", "/" },
		{ "a/b/../../..", ".." },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *got = path_clean(cases[i][0]);

		assert_string_equal(got, cases[i][1]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(rules_decide),
		cmocka_unit_test(directories_are_skipped_unless_an_exception_reaches_in),
		cmocka_unit_test(mistakes_have_a_line),
		cmocka_unit_test(paths_are_cleaned),
	};

	return cmocka_run_group_tests_name("builder/ignore", tests, NULL, NULL);
}
