/* tests/unit/disk/test_gpt.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include <fcntl.h>
#include <unistd.h>

#include "../scratch.h"
#include "disk/machine/gpt.h"
#include "disk/partition.h"

#define PART_UUID "11111111-2222-4333-8444-666666666666"
#define BEFORE    (16LL << 20)
#define AFTER     (40LL << 20)

static int disk_of(const char *dir)
{
	static const struct identity id = { .seed = "seed" };
	struct layout l;
	autofree char *path = xasprintf("%s/disk", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(ftruncate(fd, BEFORE), 0);
	layout_begin(&l, TABLE_GPT, &id);
	(void)layout_add(&l, PARTITION_ESP, "boot", 4 << 20);
	(void)layout_add(&l, PARTITION_DATA, "volumes", 10 << 20);
	memcpy(l.parts[1].uuid, PART_UUID, sizeof(PART_UUID));
	assert_int_equal(partition_write(fd, &l, NULL), 0);
	return fd;
}

/* libfdisk reads what we wrote. */
static void the_last_partition_grows(void **state)
{
	autoclose int fd = disk_of(*state);
	struct partition got[PARTITIONS_MAX];
	unsigned char zeros[GPT_SECTOR] = { 0 };
	uint64_t last = 0;
	struct gpt g;
	enum partition_table table = TABLE_NONE;
	size_t n = 0;

	assert_true(gpt_read(fd, &g));
	assert_int_equal(gpt_grow(&g, 2, BEFORE / GPT_SECTOR, &last), 0);
	assert_int_equal(ftruncate(fd, AFTER), 0);
	assert_int_equal(gpt_grow(&g, 1, AFTER / GPT_SECTOR, &last), 0);
	assert_int_equal(gpt_grow(&g, 2, AFTER / GPT_SECTOR, &last), 1);
	assert_int_equal(last, AFTER / GPT_SECTOR - 2049);
	assert_int_equal(partition_read(fd, &table, got, &n, NULL), 0);
	assert_int_equal(n, 2);
	assert_int_equal(got[1].offset, 5 << 20);
	assert_int_equal(got[1].size, AFTER - (1 << 20) - (5 << 20));
	assert_string_equal(got[1].uuid, PART_UUID);
	assert_true(gpt_read(fd, &g));
	assert_int_equal(gpt_grow(&g, 2, AFTER / GPT_SECTOR, &last), 0);
	/* The backup alone is enough, too. */
	assert_int_equal(pwrite(fd, zeros, GPT_SECTOR, GPT_SECTOR), GPT_SECTOR);
	assert_int_equal(partition_read(fd, &table, got, &n, NULL), 0);
	assert_int_equal(n, 2);
}

static void what_is_no_table(void **state)
{
	autoclose int fd = disk_of(*state);
	static const size_t at[] = { 0, 12, 16, 72, 80, 84, GPT_SECTOR + 40 };
	unsigned char before, after;
	uint64_t last = 0;
	struct gpt g;

	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		const off_t place = GPT_SECTOR + (off_t)at[i];

		assert_int_equal(pread(fd, &before, 1, place), 1);
		after = before ^ 0x55;
		assert_int_equal(pwrite(fd, &after, 1, place), 1);
		assert_false(gpt_read(fd, &g));
		assert_int_equal(pwrite(fd, &before, 1, place), 1);
	}
	assert_true(gpt_read(fd, &g));
	assert_int_equal(gpt_grow(&g, 0, AFTER / GPT_SECTOR, &last), 0);
	assert_int_equal(gpt_grow(&g, 3, AFTER / GPT_SECTOR, &last), 0);
	assert_int_equal(gpt_grow(&g, GPT_ENTRIES + 1, AFTER / GPT_SECTOR, &last), 0);
	assert_int_equal(gpt_grow(&g, 2, 100, &last), 0);
	assert_int_equal(gpt_end(100), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(the_last_partition_grows, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(what_is_no_table, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
