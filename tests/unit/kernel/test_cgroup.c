/* tests/unit/kernel/test_cgroup.c - what is decided before a cgroup is touched */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "kernel/cgroup.h"

static void paths_are_checked_first(void **state)
{
	static const struct {
		const char *path, *text;
	} cases[] = {
		{ "a", "does not start with /" }, { "", "does not start with /" },
		{ "/../a", "has a '..' in it" },  { "/a/..", "has a '..' in it" },
		{ "/a/./b", "has a '.' in it" },  { "/", "everybody's group" },
		{ "//", "everybody's group" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct cgroup cg = { .n = 0 };
		struct error err = { 0 };

		assert_int_equal(cgroup_create(cases[i].path, &cg, &err), -EINVAL);
		assert_non_null(strstr(err.text, cases[i].text));
		assert_int_equal(cgroup_open(cases[i].path, &cg, NULL), -EINVAL);
	}
}

static void without_v2_there_is_no_descriptor(void **state)
{
	struct cgroup cg = { .n = 1 };

	(void)state;
	cg.parts[0].dir_fd = cg.parts[0].join_fd = -1;
	assert_int_equal(cgroup_v2_fd(&cg), -1);
	cgroup_close(&cg);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths_are_checked_first),
		cmocka_unit_test(without_v2_there_is_no_descriptor),
	};

	return cmocka_run_group_tests_name("kernel/cgroup", tests, NULL, NULL);
}
