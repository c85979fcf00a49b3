/* tests/unit/disk/test_content.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "../scratch.h"
#include "disk/content.h"

/* A file with "data" at its start and at 1 MiB, and a hole between; pieces of it, swapped. */
static void pieces_and_holes(void **state)
{
	const char *dir = *state;
	autofree char *path = xasprintf("%s/from", dir), *bytes = NULL;
	autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	struct content c = { .kind = CONTENT_PIECES, .fd = fd, .size = 100 };
	cleanup(content_close) struct content_reader rd = CONTENT_READER_INIT;
	int64_t at, len;
	size_t n;

	assert_int_equal(pwrite(fd, "0123456789", 10, 0), 10);
	content_add_piece(&c, 0, 5, 3);
	content_add_piece(&c, 3, 8, 2); /* goes on where the one before ends */
	content_add_piece(&c, 50, 0, 5);
	assert_int_equal(c.n, 2);
	assert_int_equal(content_open(&c, &rd, NULL), 0);
	assert_int_equal(content_next(&rd, 0, &at, &len), 1);
	assert_true(at == 0 && len == 5);
	assert_int_equal(content_next(&rd, 5, &at, &len), 1);
	assert_true(at == 50 && len == 5);
	assert_int_equal(content_next(&rd, 52, &at, &len), 1);
	assert_true(at == 52 && len == 3);
	assert_int_equal(content_next(&rd, 55, &at, &len), 0);
	assert_true(content_next_blocks(&rd, 16, 0, &at, &len));
	assert_true(at == 0 && len == 16);
	assert_true(content_next_blocks(&rd, 16, 16, &at, &len));
	assert_true(at == 48 && len == 16);
	assert_false(content_next_blocks(&rd, 16, 64, &at, &len));
	assert_true(content_next_blocks(&rd, 50, 0, &at, &len)); /* those that touch are one */
	assert_true(at == 0 && len == 100);
	assert_int_equal(content_count(&c, 16, &at, &len, NULL), 0);
	assert_true(at == 2 && len == 2);
	assert_int_equal(content_read(&c, 100, 100, &bytes, &n, NULL), 0);
	assert_int_equal(n, 100);
	assert_memory_equal(bytes, "56789\0", 6);
	assert_memory_equal(bytes + 50, "01234\0", 6);
	content_done(&c);
}

static void copies_by_path(void **state)
{
	const char *dir = *state;
	autoclose int dirfd = scratch_open(dir);
	autoclose int to = openat(dirfd, "to", O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	cleanup(content_close) struct content_reader rd = CONTENT_READER_INIT;
	autofree char *bytes = NULL;
	struct content c;
	struct stat st;
	size_t n;

	scratch_put(dir, "a/file", "some text");
	assert_int_equal(fstatat(dirfd, "a/file", &st, 0), 0);
	c = content_of_path(dirfd, "a/file", &st);
	assert_int_equal(content_open(&c, &rd, NULL), 0);
	assert_int_equal(content_copy(&rd, 5, 4, to, 100), 0);
	assert_int_equal(fstat(to, &st), 0);
	assert_int_equal(st.st_size, 104);
	assert_int_equal(content_read(&c, 100, 4, &bytes, &n, NULL), 0);
	assert_string_equal(bytes, "some");
	assert_int_equal(content_read(&c, 8, 4, &bytes, &n, NULL), -EFBIG);
	content_done(&c);
}

static void changed_meanwhile(void **state)
{
	const char *dir = *state;
	autoclose int dirfd = scratch_open(dir);
	struct content_reader rd = CONTENT_READER_INIT;
	struct error err = { 0 };
	struct content c;
	struct stat st;

	scratch_put(dir, "file", "text");
	assert_int_equal(fstatat(dirfd, "file", &st, 0), 0);
	c = content_of_path(dirfd, "file", &st);
	scratch_put(dir, "file", "longer text");
	assert_int_equal(content_open(&c, &rd, &err), -ESTALE);
	assert_string_equal(err.text, "file changed while it was read");
	assert_int_equal(unlinkat(dirfd, "file", 0), 0);
	assert_int_equal(symlinkat("/etc/passwd", dirfd, "file"), 0);
	assert_true(content_open(&c, &rd, NULL) < 0);
	content_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(pieces_and_holes, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(copies_by_path, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(changed_meanwhile, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
