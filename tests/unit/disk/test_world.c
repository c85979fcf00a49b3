/* tests/unit/disk/test_world.c - of disk/machine/world.c what needs no machine: directories. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk/machine/world.h"

static void paths(void **state)
{
	char dir[] = "/tmp/test-world.XXXXXX", path[256], file[256], longest[PATH_MAX + 8];
	struct stat st;

	(void)state;
	assert_non_null(mkdtemp(dir));
	(void)snprintf(path, sizeof(path), "%s/a//b/c/", dir);
	world_make_path(path);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISDIR(st.st_mode));
	world_make_path(path); /* all there */
	assert_int_equal(rmdir(path), 0);

	/* A file in the way stays. */
	(void)snprintf(file, sizeof(file), "%s/a/b/c", dir);
	assert_int_equal(symlink("nowhere", file), 0);
	(void)snprintf(path, sizeof(path), "%s/a/b/c/d", dir);
	world_make_path(path);
	assert_int_equal(lstat(file, &st), 0);
	assert_true(S_ISLNK(st.st_mode));
	assert_int_equal(unlink(file), 0);

	/* What is too long for a path is no path. */
	memset(longest, '/', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	world_make_path(longest);
	(void)snprintf(path, sizeof(path), "%s/a/b", dir);
	assert_int_equal(rmdir(path), 0);
	(void)snprintf(path, sizeof(path), "%s/a", dir);
	assert_int_equal(rmdir(path), 0);
	assert_int_equal(rmdir(dir), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(paths),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
