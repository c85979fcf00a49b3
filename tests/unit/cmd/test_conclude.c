/* tests/unit/cmd/test_conclude.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "cmd/conclude.h"

static void the_last_line_claims_only_what_a_repair_does(void **state)
{
	static const struct {
		int found, left;
		bool repair;
		const char *text;
	} cases[] = {
		{ 0, 0, false, "nothing is wrong" },
		{ 0, 0, true, "nothing is wrong" },
		{ 2, 0, false, "2 found; 'x check --repair' puts it right" },
		{ 2, 0, true, "2 found, repaired" },
		{ 2, 1, false, "2 found; 'x check --repair' puts 1 right; for the rest see above" },
		{ 2, 1, true, "2 found, 1 repaired; for the rest see above" },
		{ 2, 2, false, "2 found; see above what to do" },
		{ 2, 2, true, "2 found; see above what to do" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[CONCLUDE_LEN];

		conclude_text("x check", cases[i].found, cases[i].left, cases[i].repair, text);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_last_line_claims_only_what_a_repair_does),
	};

	return cmocka_run_group_tests_name("cmd/conclude", tests, NULL, NULL);
}
