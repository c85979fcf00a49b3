/* tests/unit/base/test_strv.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/alloc.h"
#include "base/strv.h"

static void it_grows_and_ends_with_null(void **state)
{
	struct strv v = { 0 };
	char *more[] = { "x", "y" };

	(void)state;
	for (int i = 0; i < 100; i++) {
		strv_addf(&v, "%d", i);
		assert_null(v.items[v.n]);
	}
	strv_take(&v, xstrdup("taken"));
	strv_extend(&v, more, 2);
	assert_int_equal(v.n, 103);
	assert_string_equal(v.items[99], "99");
	assert_true(strv_has(&v, "taken") && strv_has(&v, "y"));
	assert_false(strv_has(&v, "tak"));
	strv_done(&v);
	assert_null(v.items);
	assert_false(strv_has(&v, "x"));
}

static void a_variable_is_there_once(void **state)
{
	static const struct {
		const char *set, *name, *value;
		size_t n;
	} cases[] = {
		{ "A=1", "A", "1", 1 }, { "AB=2", "AB", "2", 2 },   { "A=3", "A", "3", 2 },
		{ "A=", "A", "", 2 },   { "C=x=y", "C", "x=y", 3 }, { "B=", "AB", "2", 4 },
	};
	struct strv v = { 0 };

	(void)state;
	assert_null(strv_env_get(&v, "A"));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		strv_env_set(&v, cases[i].set);
		assert_string_equal(strv_env_get(&v, cases[i].name), cases[i].value);
		assert_int_equal(v.n, cases[i].n);
	}
	assert_null(strv_env_get(&v, "D"));
	strv_done(&v);
}

static void a_variable_goes_by_its_whole_name(void **state)
{
	struct strv v = { 0 };

	(void)state;
	strv_env_unset(&v, "A");
	strv_add(&v, "A=1");
	strv_add(&v, "AB=2");
	strv_add(&v, "A=3");
	strv_env_unset(&v, "A");
	assert_int_equal(v.n, 1);
	assert_string_equal(v.items[0], "AB=2");
	assert_null(v.items[1]);
	strv_done(&v);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_variable_goes_by_its_whole_name),
		cmocka_unit_test(it_grows_and_ends_with_null),
		cmocka_unit_test(a_variable_is_there_once),
	};

	return cmocka_run_group_tests_name("base/strv", tests, NULL, NULL);
}
