/* tests/unit/disk/test_output.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>

#include "../scratch.h"
#include "disk/output.h"

static int count(const char *dir)
{
	DIR *d = opendir(dir);
	int n = -2;

	assert_non_null(d);
	while (readdir(d))
		n++;
	(void)closedir(d);
	return n;
}

static void the_name_appears_at_the_end(void **state)
{
	const char *dir = *state;
	autofree char *path = xasprintf("%s/disk", dir), *text = NULL;
	struct output out = OUTPUT_INIT;

	scratch_put(dir, "disk", "before");
	assert_int_equal(output_open(path, OUTPUT_PLAIN, &out, NULL), 0);
	assert_int_equal(write(out.fd, "after", 5), 5);
	text = scratch_get(dir, "disk");
	assert_string_equal(text, "before");
	assert_int_equal(output_finish(&out, NULL), 0);
	output_done(&out);
	free(text);
	text = scratch_get(dir, "disk");
	assert_string_equal(text, "after");
	assert_int_equal(count(dir), 1);
}

static void without_the_end_nothing_is_left(void **state)
{
	const char *dir = *state;
	autofree char *path = xasprintf("%s/disk", dir);
	struct output out = OUTPUT_INIT;
	int spool = -1;

	assert_int_equal(output_open(path, OUTPUT_PLAIN, &out, NULL), 0);
	assert_int_equal(output_spool(&out, &spool, NULL), 0);
	assert_int_equal(write(spool, "x", 1), 1);
	(void)close(spool);
	output_done(&out);
	assert_int_equal(count(dir), 0);
}

/* Of those that a killed one left, and of others that are at work. */
static void what_was_left_is_swept(void **state)
{
	const char *dir = *state;
	autofree char *path = xasprintf("%s/disk", dir),
		      *held = xasprintf("%s/.disk.strake-2", dir);
	struct output out = OUTPUT_INIT;
	autoclose int fd = -1;

	scratch_put(dir, ".disk.strake-1", "half");
	scratch_put(dir, ".disk.spool-1", "");
	scratch_put(dir, ".disk.strake-2", "at work");
	scratch_put(dir, ".disks.strake-1", "another's");
	fd = open(held, O_RDONLY | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(output_open(path, OUTPUT_PLAIN, &out, NULL), 0);
	assert_int_equal(count(dir), 2);
	assert_int_equal(access(held, F_OK), 0);
	output_done(&out);
}

static void what_is_no_file_is_refused(void **state)
{
	const char *dir = *state;
	autofree char *there = xasprintf("%s/there", dir), *in = xasprintf("%s/no/disk", dir);
	autofree char *slash = xasprintf("%s/", dir);
	const struct {
		const char *path;
		int r;
	} cases[] = { { there, -EEXIST }, { in, -ENOENT }, { slash, -EISDIR } };

	assert_int_equal(mkfifo(there, 0600), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct output out = OUTPUT_INIT;

		assert_int_equal(output_open(cases[i].path, OUTPUT_PLAIN, &out, NULL), cases[i].r);
		output_done(&out);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_name_appears_at_the_end, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(without_the_end_nothing_is_left, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(what_was_left_is_swept, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(what_is_no_file_is_refused, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
