/* tests/unit/disk/test_grow.c */
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
#include "disk/machine/grow.h"
#include "disk/partition.h"

#define DISK_UUID "11111111-2222-4333-8444-555555555555"
#define PART_UUID "11111111-2222-4333-8444-666666666666"
#define BEFORE    (16LL << 20)
#define AFTER     (40LL << 20)

/* What is said in init has nowhere to go here. */
void say(const char *fmt, ...);
void say(const char *fmt, ...)
{
	(void)fmt;
}

static void read_gpt(int fd, struct gpt *g)
{
	assert_int_equal(pread(fd, g->head, sizeof(g->head), GPT_SECTOR), sizeof(g->head));
	assert_int_equal(pread(fd, g->table, sizeof(g->table), 2L * GPT_SECTOR), sizeof(g->table));
}

static int disk_of(const char *dir)
{
	const struct partition list[] = {
		{ .kind = PARTITION_ESP,
		  .offset = 1 << 20,
		  .size = 4 << 20,
		  .uuid = DISK_UUID,
		  .name = "boot" },
		{ .kind = PARTITION_DATA,
		  .offset = 5 << 20,
		  .size = 10 << 20,
		  .uuid = PART_UUID,
		  .name = "volumes" },
	};
	autofree char *path = xasprintf("%s/disk", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_int_equal(ftruncate(fd, BEFORE), 0);
	assert_int_equal(partition_write(fd, DISK_UUID, list, ARRAY_SIZE(list), NULL), 0);
	return fd;
}

/* libfdisk reads what we wrote. */
static void the_last_partition_grows(void **state)
{
	autoclose int fd = disk_of(*state);
	struct partition got[PARTITIONS_MAX];
	struct gpt_growth growth;
	struct gpt g;
	enum partition_table table = TABLE_NONE;
	size_t n = 0;

	read_gpt(fd, &g);
	assert_int_equal(gpt_grow(&g, BEFORE / GPT_SECTOR, &growth), 0);
	assert_int_equal(gpt_grow(&g, AFTER / GPT_SECTOR, &growth), 1);
	assert_int_equal(growth.partition, 2);
	assert_int_equal(growth.backup_at, AFTER / GPT_SECTOR - 1);
	assert_int_equal(ftruncate(fd, AFTER), 0);
	assert_int_equal(pwrite(fd, g.head, GPT_SECTOR, GPT_SECTOR), GPT_SECTOR);
	assert_int_equal(pwrite(fd, g.table, GPT_TABLE_LEN, 2L * GPT_SECTOR), GPT_TABLE_LEN);
	assert_int_equal(pwrite(fd, g.table, GPT_TABLE_LEN, AFTER - 33L * GPT_SECTOR),
			 GPT_TABLE_LEN);
	assert_int_equal(pwrite(fd, growth.backup, GPT_SECTOR, AFTER - GPT_SECTOR), GPT_SECTOR);
	assert_int_equal(partition_read(fd, got, &n, &table, NULL), 0);
	assert_int_equal(n, 2);
	assert_int_equal(got[1].offset, 5 << 20);
	assert_int_equal(got[1].size, AFTER - (1 << 20) - (5 << 20));
	assert_string_equal(got[1].uuid, PART_UUID);
	/* The backup alone is enough, too. */
	memset(g.head, 0, sizeof(g.head));
	assert_int_equal(pwrite(fd, g.head, GPT_SECTOR, GPT_SECTOR), GPT_SECTOR);
	assert_int_equal(partition_read(fd, got, &n, &table, NULL), 0);
	assert_int_equal(n, 2);
}

static void what_is_no_table(void **state)
{
	autoclose int fd = disk_of(*state);
	static const size_t at[] = { 0, 12, 24, 72, 80, 84, 100 };
	struct gpt_growth growth;
	struct gpt g;

	for (size_t i = 0; i < ARRAY_SIZE(at); i++) {
		read_gpt(fd, &g);
		g.head[at[i] < sizeof(g.head) ? at[i] : 0] ^= 0x55;
		if (at[i] == 100) {
			read_gpt(fd, &g);
			g.table[40] ^= 1;
		}
		assert_int_equal(gpt_grow(&g, AFTER / GPT_SECTOR, &growth), -1);
	}
	read_gpt(fd, &g);
	assert_int_equal(gpt_grow(&g, 100, &growth), -1);
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
