/* tests/unit/network/test_table.c - the rules themselves need a kernel: tests/system/network.bats
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "network/table.h"

static void instances_have_tables_of_their_own(void **state)
{
	static const struct {
		const char *bridge, *table;
	} cases[] = {
		{ "strake0", "strake" },
		{ "strake3", "strake-3" },
		{ "strake999", "strake-999" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char name[TABLE_NAME_LEN];

		table_name(cases[i].bridge, name);
		assert_string_equal(name, cases[i].table);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(instances_have_tables_of_their_own),
	};

	return cmocka_run_group_tests_name("network/table", tests, NULL, NULL);
}
