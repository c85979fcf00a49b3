/* tests/unit/lab/test_verdict.c - the names of reasons, and that the first one stays. */
#include "lab/verdict.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

static void each_reason_has_a_name_of_its_own(void **state)
{
	const char *near = NULL;

	(void)state;
	for (int a = CAUSE_NONE; a <= CAUSE_UNKNOWN; a++) {
		assert_non_null(cause_name((enum cause)a));
		for (int b = CAUSE_NONE; b < a; b++)
			assert_string_not_equal(cause_name((enum cause)a),
						cause_name((enum cause)b));
		assert_int_equal(cause_is_name(cause_name((enum cause)a), &near), a != CAUSE_NONE);
	}
}

static void the_nearest_name_is_told(void **state)
{
	const char *near = "x";

	(void)state;
	assert_false(cause_is_name("no-retrun-route", &near));
	assert_string_equal(near, "no-return-route");
	assert_false(cause_is_name("something-else-entirely", &near));
	assert_null(near);
}

static void the_first_reason_stays(void **state)
{
	struct verdict v = { .cause = CAUSE_NONE };

	(void)state;
	assert_true(verdict_set(&v, CAUSE_MTU, 3, "%u bytes", 1400U));
	assert_true(verdict_set(&v, CAUSE_TTL, 4, "later"));
	assert_int_equal(v.cause, CAUSE_MTU);
	assert_int_equal(v.node, 3);
	assert_string_equal(v.text, "1400 bytes");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(each_reason_has_a_name_of_its_own),
		cmocka_unit_test(the_nearest_name_is_told),
		cmocka_unit_test(the_first_reason_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
