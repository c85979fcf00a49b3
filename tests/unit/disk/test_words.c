/* tests/unit/disk/test_words.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include <stdio.h>

#include "base/macros.h"
#include "disk/machine/words.h"

static void what_the_kernel_was_told(void **state)
{
	static const struct {
		const char *text, *network;
		size_t n;
		const char *words[3];
	} cases[] = {
		{ "quiet console=ttyS0\n", NULL, 0, { NULL } },
		{ "quiet strake.network=eth1 initrd=x", "eth1", 0, { NULL } },
		{ "quiet -- one \"two three\" initrd=/initrd.img\n",
		  NULL,
		  2,
		  { "one", "two three" } },
		{ "-- strake.network=none -- x", NULL, 3, { "strake.network=none", "--", "x" } },
		{ "a=\"-- b\" c -- a\"b c\"d \"\"", NULL, 2, { "ab cd", "" } },
		{ "", NULL, 0, { NULL } },
		{ "--", NULL, 0, { NULL } },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct words w;

		(void)snprintf(w.text, sizeof(w.text), "%s", cases[i].text);
		words_split(&w);
		assert_int_equal(w.n, cases[i].n);
		for (size_t k = 0; k < w.n; k++)
			assert_string_equal(w.arguments[k], cases[i].words[k]);
		assert_int_equal(w.network != NULL, cases[i].network != NULL);
		if (w.network)
			assert_string_equal(w.network, cases[i].network);
	}
}

static void more_words_than_there_is_room_for(void **state)
{
	struct words w = { .text = "--" };

	(void)state;
	for (size_t at = 2; at + 2 < sizeof(w.text); at += 2)
		memcpy(w.text + at, " x", 3);
	words_split(&w);
	assert_int_equal(w.n, WORDS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_the_kernel_was_told),
		cmocka_unit_test(more_words_than_there_is_room_for),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
