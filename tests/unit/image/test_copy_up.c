/* tests/unit/image/test_copy_up.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>

#include "../scratch.h"
#include "image/copy_up.h"

#define SIZE (8 << 20)

static int open_below(int dir, struct stat *st)
{
	int fd = openat(dir, "below", O_RDWR | O_CREAT | O_CLOEXEC, 0640);

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "tail", 4, SIZE - 4), 4);
	assert_int_equal(fstat(fd, st), 0);
	(void)close(fd);
	return openat(dir, "below", O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

static void holes_stay_holes(void **state)
{
	autoclose int dir = scratch_open(*state), handle = -1, copy = -1;
	struct stat st, here;
	char tail[4];

	handle = open_below(dir, &st);
	assert_int_equal(copy_up_file(handle, &st, dir, "copy"), 0);
	assert_int_equal(fstatat(dir, "copy", &here, 0), 0);
	assert_int_equal(here.st_size, SIZE);
	assert_true(here.st_blocks * 512 < SIZE / 2);
	assert_int_equal(here.st_mode, st.st_mode);
	copy = openat(dir, "copy", O_RDONLY | O_CLOEXEC);
	assert_int_equal(pread(copy, tail, 4, SIZE - 4), 4);
	assert_memory_equal(tail, "tail", 4);
}

static void a_copy_is_linked_while_it_is_what_it_was(void **state)
{
	autoclose int dir = scratch_open(*state), handle = -1;
	struct copies *copies = copies_new();
	struct stat st, here;

	handle = open_below(dir, &st);
	assert_int_equal(copies_link(copies, dir, &st, dir, "first"), 0);
	assert_int_equal(copy_up_file(handle, &st, dir, "first"), 0);
	copies_note(copies, &st, "first", dir, "first");
	assert_int_equal(copies_link(copies, dir, &st, dir, "second"), 1);
	assert_int_equal(fstatat(dir, "second", &here, 0), 0);
	assert_int_equal(here.st_nlink, 2);
	/* Something else has its name. */
	assert_int_equal(unlinkat(dir, "first", 0), 0);
	scratch_put(*state, "first", "another");
	assert_int_equal(copies_link(copies, dir, &st, dir, "third"), 0);
	copies_free(copies);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(holes_stay_holes),
		CASE(a_copy_is_linked_while_it_is_what_it_was),
	};

	return cmocka_run_group_tests_name("image/copy_up", tests, NULL, NULL);
}
