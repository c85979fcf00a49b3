/* tests/unit/kernel/test_overlay.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/macros.h"
#include "kernel/overlay.h"

static void lower_directories_survive_join_and_split(void **state)
{
	struct strv in = { 0 }, out = { 0 };
	autofree char *joined = NULL;

	(void)state;
	strv_add(&in, "/a");
	strv_add(&in, "/with:colon");
	strv_add(&in, "/with\\backslash");
	joined = overlay_join(&in);
	assert_string_equal(joined, "/a:/with\\:colon:/with\\\\backslash");
	overlay_split(joined, &out);
	assert_int_equal(out.n, in.n);
	for (size_t i = 0; i < in.n; i++)
		assert_string_equal(out.items[i], in.items[i]);
	strv_done(&in);
	strv_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lower_directories_survive_join_and_split),
	};

	return cmocka_run_group_tests_name("kernel/overlay", tests, NULL, NULL);
}
