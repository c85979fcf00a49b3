/* tests/unit/image/test_partial.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>

#include <stdbool.h>

#include "../scratch.h"
#include "image/partial.h"

/* A file of 10000 bytes that was last written so many seconds ago; its blocks. */
static int64_t put_old(const char *dir, const char *name, time_t age)
{
	autofree char *path = xasprintf("%s/partial/%s", dir, name);
	char text[10001];
	const struct timespec then[2] = { { .tv_sec = time(NULL) - age },
					  { .tv_sec = time(NULL) - age } };
	autofree char *below = xasprintf("partial/%s", name);
	struct stat st;

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	scratch_put(dir, below, text);
	assert_int_equal(utimensat(AT_FDCWD, path, then, 0), 0);
	assert_int_equal(stat(path, &st), 0);
	return (int64_t)st.st_blocks * 512;
}

static bool is_there(const char *dir, const char *name)
{
	autofree char *path = xasprintf("%s/partial/%s", dir, name);

	return faccessat(AT_FDCWD, path, F_OK, AT_SYMLINK_NOFOLLOW) == 0;
}

static void what_is_old_goes_and_its_bytes_are_told(void **state)
{
	const char *dir = *state;
	autoclose int root = scratch_open(dir);
	int64_t bytes;

	assert_int_equal(partial_prune(root, 0), 0); /* there is no such directory */
	bytes = put_old(dir, "old", 1000) + put_old(dir, "older", 100000);
	(void)put_old(dir, "young", 10);
	assert_int_equal(partial_prune(root, 500), bytes);
	assert_false(is_there(dir, "old"));
	assert_false(is_there(dir, "older"));
	assert_true(is_there(dir, "young"));
	assert_int_equal(partial_prune(root, 500), 0);
	assert_true(partial_prune(root, 0) > 0);
	assert_false(is_there(dir, "young"));
}

static void what_somebody_writes_stays(void **state)
{
	const char *dir = *state;
	autofree char *path = xasprintf("%s/partial/busy", dir);
	autoclose int root = scratch_open(dir), fd = -1;
	int64_t bytes = put_old(dir, "busy", 1000);

	fd = open(path, O_RDWR | O_CLOEXEC);
	assert_int_equal(flock(fd, LOCK_EX), 0);
	assert_int_equal(partial_prune(root, 0), 0);
	assert_true(is_there(dir, "busy"));
	assert_int_equal(flock(fd, LOCK_UN), 0);
	assert_int_equal(partial_prune(root, 0), bytes);
	assert_false(is_there(dir, "busy"));
}

/* Neither a link nor a pipe that somebody put there is followed or waited for. */
static void what_is_no_file_of_ours_does_no_harm(void **state)
{
	const char *dir = *state;
	autofree char *link = xasprintf("%s/partial/link", dir);
	autofree char *pipe = xasprintf("%s/partial/pipe", dir), *text = NULL;
	autoclose int root = scratch_open(dir);

	(void)put_old(dir, "old", 1000);
	scratch_put(dir, "victim", "text");
	assert_int_equal(symlink("../victim", link), 0);
	assert_int_equal(mkfifo(pipe, 0600), 0);
	(void)partial_prune(root, 0);
	text = scratch_get(dir, "victim");
	assert_string_equal(text, "text");
	assert_true(is_there(dir, "link"));
	assert_false(is_there(dir, "old"));
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(what_is_old_goes_and_its_bytes_are_told),
		CASE(what_somebody_writes_stays),
		CASE(what_is_no_file_of_ours_does_no_harm),
	};

	return cmocka_run_group_tests_name("image/partial", tests, NULL, NULL);
}
