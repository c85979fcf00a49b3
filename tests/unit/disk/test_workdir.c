/* tests/unit/disk/test_workdir.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdbool.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../scratch.h"
#include "disk/workdir.h"

static bool is_there(const char *dir, const char *name)
{
	autofree char *path = xasprintf("%s/%s", dir, name);

	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void it_is_ours_alone_and_goes_with_all_in_it(void **state)
{
	struct workdir w = WORKDIR_INIT;
	autofree char *path = NULL;
	struct stat st;

	assert_int_equal(setenv("TMPDIR", *state, 1), 0);
	assert_int_equal(workdir_make(&w, NULL), 0);
	path = xstrdup(w.path);
	assert_int_equal(strncmp(path, *state, strlen(*state)), 0);
	assert_int_equal(fstat(w.fd, &st), 0);
	assert_int_equal(st.st_mode, S_IFDIR | 0700);
	scratch_put(path, "deep/er/file", "x");
	workdir_remove(&w);
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(w.fd, -1);
	assert_null(w.path);
	workdir_remove(&w);
}

static void what_a_killed_one_left_is_swept_and_nothing_else(void **state)
{
	struct workdir first = WORKDIR_INIT, second = WORKDIR_INIT;
	autofree char *left = xasprintf("%s/strake-disk-link", (char *)*state);

	assert_int_equal(setenv("TMPDIR", *state, 1), 0);
	scratch_put(*state, "strake-disk-dead/x/y", "x");
	scratch_put(*state, "strake-disk", "a file");
	scratch_put(*state, "strake-disk-file", "a file");
	scratch_put(*state, "other/kept", "x");
	assert_int_equal(symlink("other", left), 0);
	assert_int_equal(workdir_make(&first, NULL), 0);
	scratch_put(first.path, "in-use", "x");
	assert_false(is_there(*state, "strake-disk-dead"));
	/* One that is held stays. */
	assert_int_equal(workdir_make(&second, NULL), 0);
	assert_true(is_there(first.path, "in-use"));
	assert_true(is_there(*state, "strake-disk"));
	assert_true(is_there(*state, "strake-disk-file"));
	assert_true(is_there(*state, "strake-disk-link"));
	assert_true(is_there(*state, "other/kept"));
	workdir_remove(&first);
	workdir_remove(&second);
}

static void no_place_for_it_is_told(void **state)
{
	autofree char *gone = xasprintf("%s/gone", (char *)*state);
	struct workdir w = WORKDIR_INIT;
	struct error err = { 0 };

	assert_int_equal(setenv("TMPDIR", gone, 1), 0);
	assert_int_equal(workdir_make(&w, &err), -ENOENT);
	assert_non_null(strstr(err.text, gone));
	assert_int_equal(w.fd, -1);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(it_is_ours_alone_and_goes_with_all_in_it),
		CASE(what_a_killed_one_left_is_swept_and_nothing_else),
		CASE(no_place_for_it_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
