/* tests/unit/kernel/test_device_filter.c - without a cgroup: whether the kernel's verifier agrees
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "kernel/cgroup.h"
#include "kernel/device_filter.h"

#define RULES 4

static void the_kernel_takes_the_program(void **state)
{
	static const struct {
		struct cgroup_device_rule rules[RULES];
		size_t n;
	} cases[] = {
		{ { { 0 } }, 0 },
		{ { { false, 'a', -1, -1, "rwm" } }, 1 },
		{ { { true, 'a', -1, -1, "rwm" } }, 1 },
		{ { { false, 'a', -1, -1, "rwm" }, { true, 'c', 1, 3, "rwm" } }, 2 },
		{ { { true, 'c', 1, 3, "rwm" }, { false, 'c', 1, 3, "w" } }, 2 },
		{ { { true, 'c', -1, -1, "m" }, { true, 'b', -1, 1, "" } }, 2 },
		{ { { false, 'b', 8, -1, "" }, { true, 'b', 8, 0, "r" } }, 2 },
		{ { { true, 'c', 1, 3, "rw" },
		    { false, 'a', -1, -1, "rwm" },
		    { true, 'c', 4294967295, 5, "r" },
		    { false, 'c', 5, 4294967295, "rm" } },
		  4 },
	};

	(void)state;
	if (getuid() != 0)
		skip();
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };

		assert_true(device_filter_attach(-1, cases[i].rules, cases[i].n, &err) < 0);
		if (strstr(err.text, "Operation not permitted"))
			skip();
		if (!strstr(err.text, "attach the device filter"))
			fail_msg("case %zu: %s", i, err.text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_takes_the_program),
	};

	return cmocka_run_group_tests_name("kernel/device_filter", tests, NULL, NULL);
}
