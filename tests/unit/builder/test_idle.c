#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "builder/idle.h"

static void the_kernels_line_is_read(void **state)
{
	struct idle got = { 0, 0 };

	(void)state;
	assert_true(idle_parse("cpu  10 1 5 100 4 2 3 1 9 9\ncpu0 1 1 1 1 1 1 1 1 1 1\n", &got));
	assert_int_equal(got.idle, 104);
	assert_int_equal(got.all, 126); /* guests are in the first two already */
	assert_false(idle_parse("cpu  10 1 5\n", &got));
	assert_false(idle_parse("intr 10 1 5 100 4 2 3 1\n", &got));
	assert_false(idle_parse("", &got));
}

static void there_is_a_processor(void **state)
{
	(void)state;
	assert_true(idle_processors() >= 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernels_line_is_read),
		cmocka_unit_test(there_is_a_processor),
	};

	return cmocka_run_group_tests_name("builder/idle", tests, NULL, NULL);
}
