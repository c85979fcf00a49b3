/* tests/unit/base/test_file.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/resource.h>
#include <sys/stat.h>

#include "../scratch.h"
#include "base/buf.h"
#include "base/clock.h"

#define DEPTH 3000 /* more than the test may have descriptors */

static void a_file_is_read_up_to_a_limit(void **state)
{
	static const struct {
		size_t len, max;
		int r;
	} cases[] = {
		{ 0, 0, 0 },          { 0, 10, 0 },        { 10, 10, 0 },
		{ 11, 10, -EFBIG },   { 1, 0, -EFBIG },    { 8191, 1 << 20, 0 },
		{ 8192, 1 << 20, 0 }, { 50000, 50000, 0 }, { 50001, 50000, -EFBIG },
	};
	autoclose int dir = scratch_open(*state);

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *bytes = xcalloc(1, cases[i].len + 1), *text = NULL;
		size_t len = 0;

		memset(bytes, 'x', cases[i].len);
		assert_int_equal(
			file_write_at(dir, "file", bytes, cases[i].len, 0600, FILE_PLAIN, NULL), 0);
		assert_int_equal(file_read_at(dir, "file", cases[i].max, &text, &len, NULL),
				 cases[i].r);
		if (cases[i].r < 0) {
			assert_null(text);
			continue;
		}
		assert_int_equal(len, cases[i].len);
		assert_string_equal(text, bytes);
	}
}

static void a_file_is_replaced_as_a_whole(void **state)
{
	autoclose int dir = scratch_open(*state);
	autofree char *path = xasprintf("%s/file", (const char *)*state), *text = NULL;
	struct error err = { 0 };
	struct stat st;

	scratch_put(*state, "file", "a long text from before");
	assert_int_equal(file_write_at(dir, "file", "new", 3, 0640, FILE_SYNC, NULL), 0);
	text = scratch_get(*state, "file");
	assert_string_equal(text, "new");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0640);
	assert_int_equal(file_write_at(dir, "no/file", "x", 1, 0600, FILE_PLAIN, &err), -ENOENT);
	assert_non_null(strstr(err.text, "no/file"));
	/* Nothing is left beside it. */
	assert_int_equal(unlinkat(dir, "file", 0), 0);
	assert_int_equal(rmdir(*state), 0);
	assert_int_equal(mkdir(*state, 0700), 0);
}

/* --iidfile /dev/stdout as root: the machine keeps its device and its link. */
static void what_is_no_file_is_written_into(void **state)
{
	autoclose int dir = scratch_open(*state), pipe = -1;
	autofree char *link = xasprintf("%s/link", (const char *)*state), *text = NULL;
	autofree char *fifo = xasprintf("%s/fifo", (const char *)*state);
	autofree char *file = xasprintf("%s/file", (const char *)*state), *again = NULL;
	char got[8] = "";
	struct stat st;

	scratch_put(*state, "other", "a long text from before");
	assert_int_equal(symlinkat("other", dir, "link"), 0);
	assert_int_equal(file_write_named(link, "new", 3, 0600, NULL), 0);
	text = scratch_get(*state, "other");
	assert_string_equal(text, "new");
	assert_int_equal(lstat(link, &st), 0);
	assert_true(S_ISLNK(st.st_mode));

	assert_int_equal(mkfifoat(dir, "fifo", 0600), 0);
	pipe = openat(dir, "fifo", O_RDWR | O_CLOEXEC);
	assert_int_equal(file_write_named(fifo, "new", 3, 0600, NULL), 0);
	assert_int_equal(read(pipe, got, sizeof(got)), 3);
	assert_int_equal(lstat(fifo, &st), 0);
	assert_true(S_ISFIFO(st.st_mode));

	assert_int_equal(file_write_named(file, "new", 3, 0640, NULL), 0);
	again = scratch_get(*state, "file");
	assert_string_equal(again, "new");
	assert_int_equal(file_write_named(*state, "new", 3, 0640, NULL), -EISDIR);
}

static void a_value_goes_only_into_a_file_that_is_there(void **state)
{
	autoclose int dir = scratch_open(*state);
	autofree char *text = NULL;

	assert_int_equal(file_put_at(dir, "value", "1", NULL), -ENOENT);
	scratch_put(*state, "value", "");
	assert_int_equal(file_put_at(dir, "value", "1", NULL), 0);
	text = scratch_get(*state, "value");
	assert_string_equal(text, "1");
}

static void directories_are_made_with_their_parents(void **state)
{
	autoclose int dir = scratch_open(*state), made = -1, again = -1;

	assert_int_equal(dir_ensure_at(dir, "a/b/c", 0755, &made, NULL), 0);
	assert_int_equal(dir_ensure_at(dir, "a/b/c", 0755, &again, NULL), 0);
	assert_int_equal(dir_make_at(dir, "a/b/c", 0755, NULL), 0);
	scratch_put(*state, "file", "");
	assert_int_equal(dir_make_at(dir, "file/x", 0755, NULL), -ENOTDIR);
	assert_int_equal(dir_open_at(dir, "file", &made, NULL), -ENOTDIR);
}

static void a_tree_is_removed_but_not_what_it_points_to(void **state)
{
	autoclose int dir = scratch_open(*state);
	autofree char *text = NULL;

	scratch_put(*state, "tree/a/b/file", "");
	scratch_put(*state, "tree/file", "");
	scratch_put(*state, "kept/file", "kept");
	assert_int_equal(symlinkat("../kept", dir, "tree/link"), 0);
	assert_int_equal(mkfifoat(dir, "tree/pipe", 0600), 0);
	assert_int_equal(dir_remove_at(dir, "tree", NULL), 0);
	assert_int_equal(faccessat(dir, "tree", F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(dir_remove_at(dir, "tree", NULL), 0);
	assert_int_equal(symlinkat("kept", dir, "link"), 0);
	assert_int_equal(dir_remove_at(dir, "link", NULL), 0);
	text = scratch_get(*state, "kept/file");
	assert_string_equal(text, "kept");
}

/* A container can make a tree deeper than any path, and than the table of descriptors. */
static void a_deep_tree_is_removed(void **state)
{
	autoclose int at = scratch_open(*state), dir = scratch_open(*state);
	struct rlimit limit;

	assert_int_equal(getrlimit(RLIMIT_NOFILE, &limit), 0);
	limit.rlim_cur = MIN(limit.rlim_max, 256);
	assert_int_equal(setrlimit(RLIMIT_NOFILE, &limit), 0);
	for (int i = 0; i < DEPTH; i++) {
		int next;

		assert_int_equal(mkdirat(at, "d", 0700), 0);
		assert_int_equal(mkdirat(at, "e", 0700), 0);
		next = openat(at, "d", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		(void)close(at);
		at = next;
	}
	assert_int_equal(dir_remove_at(dir, "d", NULL), 0);
	assert_int_equal(faccessat(dir, "d", F_OK, 0), -1);
}

static void what_a_program_prints_is_read_to_its_end(void **state)
{
	struct buf text = BUF_INIT(1 << 20), little = BUF_INIT(3);
	int ends[2];

	(void)state;
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(file_write_all(ends[1], "hello", 5), 0);
	/* It goes on: only the time ends it. */
	assert_int_equal(file_read_until(ends[0], clock_monotonic_ms() + 1, &text), -ETIMEDOUT);
	assert_int_equal(file_write_all(ends[1], " you", 4), 0);
	(void)close(ends[1]);
	assert_int_equal(file_read_until(ends[0], clock_monotonic_ms() + 60000, &text), 0);
	assert_string_equal(buf_text(&text), "hello you");
	(void)close(ends[0]);
	assert_int_equal(pipe(ends), 0);
	assert_int_equal(file_write_all(ends[1], "hello", 5), 0);
	(void)close(ends[1]);
	assert_int_equal(file_read_until(ends[0], clock_monotonic_ms() + 60000, &little), -E2BIG);
	(void)close(ends[0]);
	buf_done(&text);
	buf_done(&little);
}

static void bytes_go_to_their_place(void **state)
{
	autofree char *path = xasprintf("%s/file", (const char *)*state), *text = NULL;
	autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), full = -1;

	assert_int_equal(file_write_all_at(fd, "cd", 2, 2), 0);
	assert_int_equal(file_write_all_at(fd, "ab", 2, 0), 0);
	text = scratch_get(*state, "file");
	assert_string_equal(text, "abcd");
	full = open("/dev/full", O_WRONLY | O_CLOEXEC);
	assert_int_equal(file_write_all_at(full, "x", 1, 0), -ENOSPC);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_file_is_read_up_to_a_limit),
		CASE(a_file_is_replaced_as_a_whole),
		CASE(what_is_no_file_is_written_into),
		CASE(a_value_goes_only_into_a_file_that_is_there),
		CASE(directories_are_made_with_their_parents),
		CASE(a_tree_is_removed_but_not_what_it_points_to),
		CASE(a_deep_tree_is_removed),
		CASE(what_a_program_prints_is_read_to_its_end),
		CASE(bytes_go_to_their_place),
	};

	(void)umask(022);
	return cmocka_run_group_tests_name("base/file", tests, NULL, NULL);
}
