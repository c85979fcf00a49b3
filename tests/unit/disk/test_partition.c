/* tests/unit/disk/test_partition.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../scratch.h"
#include "disk/partition.h"

static int sparse(const char *dir, int64_t size)
{
	autoclose int dirfd = scratch_open(dir);
	int fd = openat(dirfd, "disk", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	return fd;
}

static void what_is_written_is_read(void **state)
{
	const struct partition list[] = {
		{ .kind = PARTITION_ESP,
		  .offset = 1 << 20,
		  .size = 36 << 20,
		  .name = "boot",
		  .uuid = "0B5C5D2C-9C4C-4BD6-8F6B-2D2B9F3B7A10" },
		{ .kind = PARTITION_ROOT,
		  .offset = 37 << 20,
		  .size = 10 << 20,
		  .name = "root",
		  .uuid = "1B5C5D2C-9C4C-4BD6-8F6B-2D2B9F3B7A10" },
	};
	struct partition got[PARTITIONS_MAX];
	autoclose int fd = sparse(*state, partition_disk_size(47 << 20));
	size_t n = 0;

	assert_int_equal(partition_write(fd, "2B5C5D2C-9C4C-4BD6-8F6B-2D2B9F3B7A10", list, 2, NULL),
			 0);
	assert_int_equal(partition_read(fd, got, &n, NULL), 0);
	assert_int_equal(n, 2);
	for (size_t i = 0; i < 2; i++) {
		assert_int_equal(got[i].kind, list[i].kind);
		assert_int_equal(got[i].offset, list[i].offset);
		assert_int_equal(got[i].size, list[i].size);
		assert_string_equal(got[i].uuid, list[i].uuid);
	}
}

static void zeros_have_no_table(void **state)
{
	struct partition got[PARTITIONS_MAX];
	autoclose int fd = sparse(*state, 10 << 20);
	struct error err = { 0 };
	size_t n = 0;

	assert_int_equal(partition_read(fd, got, &n, &err), -EBADMSG);
	assert_string_equal(err.text, "it has no GPT partition table");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(zeros_have_no_table, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
