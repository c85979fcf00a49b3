/* tests/unit/base/test_nearest.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "base/nearest.h"

static void slips_find_their_word(void **state)
{
	static const char *const words[] = { "run", "rm", "rmi", "ps", "logs", "help", "network" };
	static const struct {
		const char *typed, *meant;
	} cases[] = {
		{ "rn", "run" },         { "hepl", "help" },
		{ "nework", "network" }, { "netwokrs", "network" },
		{ "lgos", "logs" },      { "sp", "ps" },
		{ "x", NULL },           { "", NULL },
		{ "volume", NULL },      { "a-word-that-is-longer-than-any-command-of-ours", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct nearest near = nearest_init(cases[i].typed);

		for (size_t k = 0; k < ARRAY_SIZE(words); k++)
			nearest_try(&near, words[k]);
		if (cases[i].meant)
			assert_string_equal(near.best, cases[i].meant);
		else
			assert_null(near.best);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(slips_find_their_word) };

	return cmocka_run_group_tests_name("base/nearest", tests, NULL, NULL);
}
