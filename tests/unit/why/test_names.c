/* tests/unit/why/test_names.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "why/names.h"

static void what_was_added_is_found(void **state)
{
	static char texts[5000][16];
	struct names names = { 0 };
	char other[16];

	(void)state;
	assert_null(names_find(&names, "n1"));
	for (size_t i = 0; i < 5000; i++) {
		(void)snprintf(texts[i], sizeof(texts[i]), "n%zu", i);
		names_add(&names, texts[i], texts[i]);
	}
	for (size_t i = 0; i < 5000; i++) {
		(void)snprintf(other, sizeof(other), "n%zu", i);
		assert_ptr_equal(names_find(&names, other), texts[i]);
	}
	assert_null(names_find(&names, "n5000"));
	assert_null(names_find(&names, ""));
	names_done(&names);
	assert_null(names_find(&names, "n1"));
}

static void of_two_the_newer_is_found(void **state)
{
	struct names names = { 0 };
	int older, newer;

	(void)state;
	names_add(&names, "a", &older);
	names_add(&names, "a", &newer);
	assert_ptr_equal(names_find(&names, "a"), &newer);
	assert_int_equal(names.n, 1);
	names_done(&names);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_was_added_is_found),
		cmocka_unit_test(of_two_the_newer_is_found),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
