/* tests/unit/base/test_table.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>

#include "base/table.h"

static void columns_are_as_wide_as_their_widest_cell(void **state)
{
	static const char *const headings[] = { "NAME", "ID", "LAST" };
	autofree char *text = NULL;
	struct table t;
	size_t len;
	FILE *to = open_memstream(&text, &len);

	(void)state;
	table_init(&t, 3, headings);
	table_cell(&t, "longer");
	table_cellf(&t, "%d", 7);
	table_cell(&t, "");
	table_cell(&t, "\xc3\xa4");
	table_cell(&t, "a\033[31m\nb\x7f");
	table_cell(&t, "x");
	table_print(&t, to);
	(void)fclose(to);
	assert_string_equal(text, "NAME    ID         LAST\n"
				  "longer  7          \n"
				  "\xc3\xa4       a?[31m?b?  x\n");
	table_done(&t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(columns_are_as_wide_as_their_widest_cell),
	};

	return cmocka_run_group_tests_name("base/table", tests, NULL, NULL);
}
