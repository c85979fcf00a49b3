/* tests/unit/base/test_parallel.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/parallel.h"

static void count(void *data, size_t i)
{
	unsigned *counts = data;

	counts[i]++; /* no other thread has this one */
}

static void each_is_done_once(void **state)
{
	static const size_t sizes[] = { 0, 1, 2, 63, 64, 65, 200 };

	(void)state;
	for (size_t k = 0; k < sizeof(sizes) / sizeof(sizes[0]); k++) {
		unsigned counts[201] = { 0 };

		in_parallel(sizes[k], count, counts);
		for (size_t i = 0; i < 201; i++)
			assert_int_equal(counts[i], i < sizes[k]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test(each_is_done_once) };

	return cmocka_run_group_tests_name("base/parallel", tests, NULL, NULL);
}
