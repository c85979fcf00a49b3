/* tests/unit/disk/test_mbr.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>

#include "../scratch.h"
#include "disk/machine/gpt.h"
#include "disk/machine/mbr.h"
#include "disk/partition.h"

#define BEFORE (16LL << 20)
#define AFTER  (40LL << 20)

static int disk_of(const char *dir, enum partition_table table, struct layout *l)
{
	static const struct identity id = { .seed = "seed" };
	autoclose int dirfd = scratch_open(dir);
	int fd = openat(dirfd, "disk", O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(ftruncate(fd, BEFORE), 0);
	layout_begin(l, table, &id);
	(void)layout_add(l, PARTITION_ESP, "boot", 4 << 20);
	(void)layout_add(l, PARTITION_DATA, "volumes", 10 << 20);
	assert_int_equal(partition_write(fd, l, NULL), 0);
	return fd;
}

static void a_partition_is_found_by_the_disk_and_its_number(void **state)
{
	struct layout l;
	autoclose int fd = disk_of(*state, TABLE_MBR, &l);
	uint32_t disk = (uint32_t)strtoul(l.disk, NULL, 16);
	uint64_t first = 0, last = 0;

	assert_true(mbr_find(fd, disk, 2, &first, &last));
	assert_int_equal(first * GPT_SECTOR, l.parts[1].offset);
	assert_int_equal((last - first + 1) * GPT_SECTOR, l.parts[1].size);
	assert_false(mbr_find(fd, disk + 1, 2, &first, &last));
	assert_false(mbr_find(fd, disk, 3, &first, &last));
	assert_false(mbr_find(fd, disk, 0, &first, &last));
	assert_false(mbr_find(fd, disk, 5, &first, &last));
}

/* libfdisk reads what we wrote. */
static void the_last_partition_grows(void **state)
{
	struct layout l;
	autoclose int fd = disk_of(*state, TABLE_MBR, &l);
	struct partition got[PARTITIONS_MAX];
	enum partition_table table = TABLE_NONE;
	uint64_t last = 0;
	size_t n = 0;

	assert_int_equal(mbr_grow(fd, 2, BEFORE / GPT_SECTOR, &last), 0);
	assert_int_equal(ftruncate(fd, AFTER), 0);
	assert_int_equal(mbr_grow(fd, 1, AFTER / GPT_SECTOR, &last), 0);
	assert_int_equal(mbr_grow(fd, 3, AFTER / GPT_SECTOR, &last), 0);
	assert_int_equal(mbr_grow(fd, 2, AFTER / GPT_SECTOR, &last), 1);
	assert_int_equal(last, gpt_end(AFTER / GPT_SECTOR));
	assert_int_equal(partition_read(fd, &table, got, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_int_equal(got[1].offset, l.parts[1].offset);
	assert_int_equal(got[1].offset + got[1].size, (int64_t)(last + 1) * GPT_SECTOR);
	assert_string_equal(got[1].uuid, l.parts[1].uuid);
	/* Beyond what 32 bits reach. */
	assert_int_equal(mbr_grow(fd, 2, 1ULL << 33, &last), 1);
	assert_int_equal(last, UINT32_MAX);
}

static void a_gpt_is_left_alone(void **state)
{
	struct layout l;
	autoclose int fd = disk_of(*state, TABLE_GPT, &l);
	uint64_t last = 0;

	assert_int_equal(mbr_grow(fd, 1, AFTER / GPT_SECTOR, &last), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_partition_is_found_by_the_disk_and_its_number,
						scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(the_last_partition_grows, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(a_gpt_is_left_alone, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
