/* tests/unit/transfer/test_progress.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "transfer/progress.h"

/* Nothing can be said of the rate of what came in a moment. */
static void what_came_at_once_has_no_rate(void **state)
{
	autofree char *text = NULL;
	size_t len = 0;
	FILE *to = open_memstream(&text, &len);
	struct progress *p = progress_new(to, PROGRESS_PLAIN);
	atomic_llong small = 331, large = 1 << 20, part = 5;

	(void)state;
	progress_add(p, "0123456789abcdef", 331, &small);
	progress_add(p, "fedcba9876543210", 1 << 20, &large);
	progress_add(p, "not-whole", 10, &part);
	progress_start(p, "pulled");
	progress_stop(p);
	progress_free(p);
	assert_int_equal(fclose(to), 0);
	assert_string_equal(text, "pulled 0123456789ab: 331B\npulled fedcba987654: 1.0MiB\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_came_at_once_has_no_rate),
	};

	return cmocka_run_group_tests_name("transfer/progress", tests, NULL, NULL);
}
