/* tests/unit/kernel/test_capability.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "kernel/capability.h"

static void names_and_numbers_agree(void **state)
{
	static const struct {
		const char *name;
		int cap;
	} cases[] = {
		{ "CAP_CHOWN", 0 },        { "CAP_SYS_ADMIN", 21 },
		{ "CAP_PERFMON", 38 },     { "CAP_CHECKPOINT_RESTORE", 40 },
		{ "cap_chown", -EINVAL },  { "CHOWN", -EINVAL },
		{ "CAP_CHOWN ", -EINVAL }, { "CAP_", -EINVAL },
		{ "", -EINVAL },
	};
	const char *name;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		assert_int_equal(capability_parse(cases[i].name), cases[i].cap);
	for (int cap = 0; (name = capability_name(cap)); cap++)
		assert_int_equal(capability_parse(name), cap);
	assert_null(capability_name(-1));
	assert_null(capability_name(CAPABILITY_MAX + 1));
}

static void sets_are_written_for_setpriv(void **state)
{
	static const struct {
		uint64_t set;
		const char *text;
	} cases[] = {
		{ 0, "-all" },
		{ 1, "-all,+chown" },
		{ 1ULL << 21 | 1ULL << 5, "-all,+kill,+sys_admin" },
		{ 1ULL << 63, "-all" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *text = capability_format(cases[i].set);

		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_and_numbers_agree),
		cmocka_unit_test(sets_are_written_for_setpriv),
	};

	return cmocka_run_group_tests_name("kernel/capability", tests, NULL, NULL);
}
