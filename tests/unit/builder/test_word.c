#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "builder/word.h"

/* A is "home", E is empty, L has blanks, P is a path; nothing else is set. */
static const char *get(void *data, const char *name)
{
	static const char *const vars[][2] = {
		{ "A", "home" },         { "E", "" },    { "L", "two  words" },
		{ "P", "a/b/c.tar.gz" }, { "S", "a*b" }, { "_x1", "under" },
	};

	(void)data;
	for (size_t i = 0; i < ARRAY_SIZE(vars); i++)
		if (strcmp(vars[i][0], name) == 0)
			return vars[i][1];
	return NULL;
}

static const struct word_scope scope = { .get = get, .escape = '\\' };

static void texts_are_expanded(void **state)
{
	static const struct {
		const char *text, *expected; /* NULL: refused */
	} cases[] = {
		{ "plain", "plain" },
		{ "", "" },
		{ "he'll'o", "hello" },
		{ "he'll\\'o", "hell\\o" },
		{ "'$A'", "$A" },
		{ "\"$A\"", "home" },
		{ "\"'$A'\"", "'home'" },
		{ "\"\\$A \\\" \\\\ \\x\"", "$A \" \\ \\x" },
		{ "\\$A", "$A" },
		{ "\\\\$A", "\\home" },
		{ "a\\b", "ab" },
		{ "a\\", "a" },
		{ "$A", "home" },
		{ "${A}", "home" },
		{ "x${A}y$A.z", "xhomeyhome.z" },
		{ "$Ax", "" },
		{ "$_x1", "under" },
		{ "$", "$" },
		{ "a$ b", "a$ b" },
		{ "$/", "$/" },
		{ "$NO", "" },
		{ "$12a", "a" },
		{ "$?x", "x" },
		{ "${NO:-w}", "w" },
		{ "${E:-w}", "w" },
		{ "${A:-w}", "home" },
		{ "${NO-w}", "w" },
		{ "${E-w}", "" },
		{ "${A-w}", "home" },
		{ "${NO:+w}", "" },
		{ "${E:+w}", "" },
		{ "${A:+w}", "w" },
		{ "${E+w}", "w" },
		{ "${NO+w}", "" },
		{ "${NO:-${A}}", "home" },
		{ "${NO:-${NO:-$A/x}}", "home/x" },
		{ "${NO:-\"}\"}", "}" },
		{ "${NO:-\\}}", "}" },
		{ "${A:?gone}", "home" },
		{ "${E?gone}", "" },
		{ "${E:?gone}", NULL },
		{ "${NO?}", NULL },
		{ "${P#*/}", "b/c.tar.gz" },
		{ "${P##*/}", "c.tar.gz" },
		{ "${P%.*}", "a/b/c.tar" },
		{ "${P%%.*}", "a/b/c" },
		{ "${P#x}", "a/b/c.tar.gz" },
		{ "${P#?/?}", "/c.tar.gz" },
		{ "${S#a\\*}", "b" },
		{ "${S#a*}", "*b" },
		{ "${NO#x}", "" },
		{ "${P/\\//-}", "a-b/c.tar.gz" },
		{ "${P//\\//-}", "a-b-c.tar.gz" },
		{ "${P/b*./$A }", "a/home gz" },
		{ "${A/x/y}", "home" },
		{ "${A//o/}", "hme" },
		{ "${A//*/y}", "y" },
		{ "${A//}", NULL },
		{ "${A/x}", NULL },
		{ "${A", NULL },
		{ "${", NULL },
		{ "${}", NULL },
		{ "${:x}", NULL },
		{ "${A!x}", NULL },
		{ "${A:x}", NULL },
		{ "${A:#x}", NULL },
		{ "${A:-x", NULL },
		{ "'x", NULL },
		{ "\"x", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };
		autofree char *got = NULL;
		int r = word_expand(&scope, cases[i].text, &got, &err);

		if (cases[i].expected && (r < 0 || strcmp(got, cases[i].expected) != 0))
			fail_msg("'%s': '%s' %s", cases[i].text, got ? got : "", err.text);
		if (!cases[i].expected && (r != -EINVAL || !err.text[0]))
			fail_msg("'%s' was taken: %d '%s'", cases[i].text, r, got ? got : "");
	}
}

static void blanks_outside_of_quotes_part_words(void **state)
{
	static const struct {
		const char *text, *words; /* with | between them */
	} cases[] = {
		{ "a b  c", "a|b|c|" },   { "$L", "two|words|" }, { "\"$L\" x", "two  words|x|" },
		{ "'a b'c", "a bc|" },    { "a\\ b", "a b|" },    { "$NO", "" },
		{ "${NO:-a b}", "a|b|" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strv words = { 0 };
		autofree char *got = xstrdup("");

		assert_int_equal(word_split(&scope, cases[i].text, &words, NULL), 0);
		for (size_t k = 0; k < words.n; k++) {
			char *longer = xasprintf("%s%s|", got, words.items[k]);

			free(got);
			got = longer;
		}
		assert_string_equal(got, cases[i].words);
		strv_done(&words);
	}
}

static void another_escape_character(void **state)
{
	const struct word_scope back = { .get = get, .escape = '`' };
	autofree char *got = NULL;

	(void)state;
	assert_int_equal(word_expand(&back, "C:\\x`$A", &got, NULL), 0);
	assert_string_equal(got, "C:\\x$A");
}

static void note(void *data, const char *at)
{
	*(const char **)data = at;
}

static void a_failure_has_a_place(void **state)
{
	static const struct {
		const char *text;
		size_t at;
	} cases[] = {
		{ "x${NO:?}y", 1 },      { "x\"y ${NO:?}\"", 4 }, { "${NO:-${E:?}}", 6 },
		{ "$A 'x", 3 },          { "${A:-x", 0 },         { "${NO:-${A:-x}", 0 },
		{ "${A/x/${NO:?}}", 6 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const char *at = NULL;
		const struct word_scope told = {
			.get = get, .failed = note, .data = &at, .escape = '\\'
		};
		char *got = NULL;

		assert_int_equal(word_expand(&told, cases[i].text, &got, NULL), -EINVAL);
		assert_ptr_equal(at, cases[i].text + cases[i].at);
	}
}

static void nesting_has_an_end(void **state)
{
	char text[40 * 6 + 1] = "";
	struct error err = { 0 };
	char *got = NULL;

	(void)state;
	for (size_t i = 0; i < 40; i++)
		memcpy(text + i * 6, "${N:-x", 6);
	assert_int_equal(word_expand(&scope, text, &got, &err), -EINVAL);
	assert_string_equal(err.text, "variables are nested too deeply");
}

static void patterns_match_in_linear_time(void **state)
{
	char text[2001];

	(void)state;
	memset(text, 'a', sizeof(text));
	assert_false(word_pattern_matches("*a*a*a*a*a*a*a*a*a*a*b", '\\', text, 2000));
	assert_true(word_pattern_matches("*a*a*a*", '\\', text, 2000));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(texts_are_expanded),
		cmocka_unit_test(blanks_outside_of_quotes_part_words),
		cmocka_unit_test(another_escape_character),
		cmocka_unit_test(a_failure_has_a_place),
		cmocka_unit_test(nesting_has_an_end),
		cmocka_unit_test(patterns_match_in_linear_time),
	};

	return cmocka_run_group_tests_name("builder/word", tests, NULL, NULL);
}
