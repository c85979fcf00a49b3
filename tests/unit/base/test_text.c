/* tests/unit/base/test_text.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/macros.h"
#include "base/text.h"

static void what_a_terminal_obeys_is_not_shown(void **state)
{
	static const struct {
		const char *text, *clean;
	} cases[] = {
		{ "", "" },
		{ "plain ~", "plain ~" },
		{ "a\033[2J\n\x7f", "a?[2J??" },
		{ "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80" },
		{ "a\xc2\x9b"
		  "2Jb",
		  "a??2Jb" },
		{ "\xc2\x80\xc2\x9f\xc2\xa0", "????\xc2\xa0" },
		{ "\x9b"
		  "2J",
		  "?2J" },
		{ "\xc2", "?" },
		{ "\xe2\x82", "??" },
		{ "\xc0\x9b", "??" },
		{ "\xe0\x82\x9b", "???" },
		{ "\xf0\x80\x82\x9b", "????" },
		{ "\xed\xa0\x80", "???" },
		{ "\xf4\x90\x80\x80", "????" },
		{ "\xff\xf8x", "??x" },
		/* Neither seen nor harmless: turned writing, no width, a soft hyphen, tags. */
		{ "a\xe2\x80\xae"
		  "b\xe2\x80\xac",
		  "a???b???" },
		{ "\xe2\x81\xa6x\xe2\x81\xa9", "???x???" },
		{ "\xe2\x80\x8bx\xe2\x80\x8f", "???x???" },
		{ "\xe2\x80\x90\xe2\x80\xa7", "\xe2\x80\x90\xe2\x80\xa7" },
		{ "\xef\xbb\xbfx\xc2\xad\xd8\x9c", "???x????" },
		{ "\xf3\xa0\x81\x81x", "????x" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[64];

		(void)snprintf(text, sizeof(text), "%s", cases[i].text);
		text_clean(text);
		assert_string_equal(text, cases[i].clean);
	}
}

static void a_word_is_a_whole_one(void **state)
{
	(void)state;
	assert_true(text_has_word("always never", "always"));
	assert_true(text_has_word("always  never", "never"));
	assert_false(text_has_word("always never", "alway"));
	assert_false(text_has_word("always never", "always never"));
	assert_false(text_has_word("always never", ""));
	assert_false(text_has_word("", "x"));
	assert_false(text_has_word(NULL, "x"));
}

static void what_is_no_utf8_is_found(void **state)
{
	static const struct {
		const char *bytes;
		size_t len, good;
	} cases[] = {
		{ "", 0, 0 },
		{ "a\0\x7f\n", 4, 4 },
		{ "\xc3\xa4\xe2\x80\xae\xf4\x8f\xbf\xbf", 9, 9 },
		{ "a\xc3", 2, 1 },
		{ "a\xc3\xa4", 2, 1 },
		{ "a\x80", 2, 1 },
		{ "\xc3\xa4\xcf"
		  "n",
		  4, 2 },
		{ "ab\xc0\x80", 4, 2 },
		{ "\xed\xa0\x80", 3, 0 },
		{ "\xf4\x90\x80\x80", 4, 0 },
		{ "\xff", 1, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(text_utf8_len(cases[i].bytes, cases[i].len), cases[i].good);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_word_is_a_whole_one),
		cmocka_unit_test(what_a_terminal_obeys_is_not_shown),
		cmocka_unit_test(what_is_no_utf8_is_found),
	};

	return cmocka_run_group_tests_name("base/text", tests, NULL, NULL);
}
