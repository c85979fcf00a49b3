/* tests/unit/base/test_buf.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/buf.h"

static void a_buffer_past_its_maximum_fails_and_keeps_what_it_has(void **state)
{
	struct buf b = BUF_INIT(8);

	(void)state;
	buf_add_str(&b, "12345");
	buf_add_str(&b, "6789");
	buf_add_str(&b, "6");
	assert_string_equal(buf_text(&b), "12345");
	assert_int_equal(buf_result(&b), -E2BIG);
	buf_done(&b);
}

static void shell_words_survive_a_shell(void **state)
{
	static const struct {
		const char *word, *quoted;
	} cases[] = {
		{ "plain-word_1./:", "plain-word_1./:" },
		{ "", "''" },
		{ "two words", "'two words'" },
		{ "it's", "'it'\\''s'" },
		{ "$HOME", "'$HOME'" },
		{ "~", "'~'" },
		{ "a\nb", "'a\nb'" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct buf b = BUF_INIT(100);

		buf_add_shell(&b, cases[i].word);
		assert_string_equal(buf_text(&b), cases[i].quoted);
		buf_done(&b);
	}
}

static void the_front_can_be_dropped(void **state)
{
	struct buf b = BUF_INIT(100);

	(void)state;
	buf_addf(&b, "%s-%d", "abc", 42);
	buf_drop_front(&b, 4);
	assert_string_equal(buf_text(&b), "42");
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_buffer_past_its_maximum_fails_and_keeps_what_it_has),
		cmocka_unit_test(shell_words_survive_a_shell),
		cmocka_unit_test(the_front_can_be_dropped),
	};

	return cmocka_run_group_tests_name("base/buf", tests, NULL, NULL);
}
