/* tests/unit/builder/test_secrets.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "../scratch.h"
#include "bench.h"
#include "builder/secrets.h"

static void a_place_is_private_in_the_run_root_and_goes_with_all_in_it(void **state)
{
	struct engine *engine = bench_engine(*state);
	autofree char *prefix = xasprintf("%s/run/build/", (char *)*state), *copy = NULL;
	char *path = NULL;
	struct stat st;
	int fd = -1;

	assert_int_equal(secrets_open(engine, &path, &fd, NULL), 0);
	assert_int_equal(strncmp(path, prefix, strlen(prefix)), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0700);
	assert_int_equal(file_write_at(fd, "s", "s3cret", 6, 0400, FILE_PLAIN, NULL), 0);
	copy = xstrdup(path);
	/* Its owner lives. */
	secrets_sweep(engine);
	assert_int_equal(access(copy, F_OK), 0);
	secrets_close(path, fd);
	assert_int_not_equal(access(copy, F_OK), 0);
	engine_close(engine);
}

static void what_a_dead_build_left_is_swept(void **state)
{
	struct engine *engine = bench_engine(*state);
	char *path = NULL, *living = NULL;
	int fd = -1, other = -1;

	assert_int_equal(secrets_open(engine, &path, &fd, NULL), 0);
	assert_int_equal(secrets_open(engine, &living, &other, NULL), 0);
	assert_int_equal(file_write_at(fd, "s", "s3cret", 6, 0400, FILE_PLAIN, NULL), 0);
	/* Killed: its descriptors are closed, no more. */
	(void)close(fd);
	secrets_sweep(engine);
	assert_int_not_equal(access(path, F_OK), 0);
	assert_int_equal(access(living, F_OK), 0);
	free(path);
	secrets_close(living, other);
	secrets_sweep(engine);
	engine_close(engine);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_place_is_private_in_the_run_root_and_goes_with_all_in_it),
		CASE(what_a_dead_build_left_is_swept),
	};

	return cmocka_run_group_tests_name("builder/secrets", tests, NULL, NULL);
}
