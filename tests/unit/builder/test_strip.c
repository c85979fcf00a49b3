#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "builder/strip.h"

#include "../scratch.h"

static bool is_there(const char *dir, const char *name)
{
	autofree char *path = xasprintf("%s/%s", dir, name);

	return access(path, F_OK) == 0;
}

static void make_dir(const char *dir, const char *name)
{
	autofree char *path = xasprintf("%s/%s", dir, name);

	assert_int_equal(dir_make_at(AT_FDCWD, path, 0755, NULL), 0);
}

static void only_what_mounts_lay_on_goes(void **state)
{
	static const char *const points[] = {
		"proc", "sys", "etc/hosts", "etc/resolv.conf", "opt/a/b/c", "own/point", "full"
	};
	static const struct {
		const char *path;
		bool stays;
	} after[] = {
		{ "proc", false }, { "sys", true },        { "etc", false },   { "opt", false },
		{ "own/x", true }, { "own/point", false }, { "full/x", true },
	};
	struct strv lower = { 0 }, list = { 0 };
	int upper;

	make_dir(*state, "low/sys");
	make_dir(*state, "low/etc");
	make_dir(*state, "up/proc");
	make_dir(*state, "up/opt/a/b/c");
	make_dir(*state, "up/own/point");
	scratch_put(*state, "up/own/x", "x");
	scratch_put(*state, "up/full/x", "x");
	scratch_put(*state, "up/etc/hosts", "");
	scratch_put(*state, "up/etc/resolv.conf", "");
	strv_addf(&lower, "%s/low", (char *)*state);
	for (size_t i = 0; i < ARRAY_SIZE(points); i++)
		strv_add(&list, points[i]);
	{
		autofree char *path = xasprintf("%s/up", (char *)*state);

		make_dir(*state, "up/sys");
		upper = scratch_open(path);
	}
	/* A directory that the command changed says something. */
	assert_int_equal(fchmodat(upper, "sys", 0700, 0), 0);
	assert_int_equal(strip_mount_points(upper, &lower, &list, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(after); i++) {
		autofree char *path = xasprintf("up/%s", after[i].path);

		if (is_there(*state, path) != after[i].stays)
			fail_msg("%s", after[i].path);
	}
	(void)close(upper);
	strv_done(&lower);
	strv_done(&list);
}

int main(void)
{
	const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(
		only_what_mounts_lay_on_goes, scratch_setup, scratch_teardown) };

	return cmocka_run_group_tests_name("builder/strip", tests, NULL, NULL);
}
