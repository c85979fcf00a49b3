/* tests/unit/disk/test_partition.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <strings.h>

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

static void write_two(int fd, enum partition_table table, struct layout *l)
{
	static const struct identity id = { .seed = "seed" };

	layout_begin(l, table, &id);
	(void)layout_add(l, PARTITION_ESP, "boot", 36 << 20);
	(void)layout_add(l, PARTITION_SWAP, "swap", 3 << 20);
	(void)layout_add(l, PARTITION_ROOT, "root", 7 << 20);
	assert_int_equal(l->end, 47 << 20);
	assert_int_equal(partition_write(fd, l, NULL), 0);
}

static void what_is_written_is_read(void **state)
{
	for (enum partition_table table = TABLE_GPT; table <= TABLE_MBR; table++) {
		struct partition got[PARTITIONS_MAX];
		autoclose int fd = sparse(*state, partition_disk_size(47 << 20));
		enum partition_table found = TABLE_NONE;
		struct layout l;
		size_t n = 0;

		write_two(fd, table, &l);
		assert_int_equal(partition_read(fd, &found, got, &n, NULL), 0);
		assert_int_equal(found, table);
		assert_int_equal(n, 3);
		for (size_t i = 0; i < n; i++) {
			assert_int_equal(got[i].kind, l.parts[i].kind);
			assert_int_equal(got[i].offset, l.parts[i].offset);
			assert_int_equal(got[i].size, l.parts[i].size);
			assert_int_equal(strcasecmp(got[i].uuid, l.parts[i].uuid), 0);
		}
	}
}

/* What BIOS boot code starts, and the disk's number, from which Linux makes PARTUUIDs. */
static void an_mbr_names_the_active_partition_and_the_disk(void **state)
{
	autoclose int fd = sparse(*state, partition_disk_size(47 << 20));
	unsigned char mbr[512];
	char uuid[UUID_TEXT_LEN + 1];
	struct layout l;

	write_two(fd, TABLE_MBR, &l);
	assert_int_equal(pread(fd, mbr, sizeof(mbr), 0), sizeof(mbr));
	assert_int_equal(mbr[446], 0x80);
	assert_int_equal(mbr[446 + 4], 0xef);
	assert_int_equal(mbr[446 + 16], 0);
	(void)snprintf(uuid, sizeof(uuid), "%02x%02x%02x%02x-03", mbr[443], mbr[442], mbr[441],
		       mbr[440]);
	assert_string_equal(l.parts[2].uuid, uuid);
}

static void an_mbr_has_bounds(void **state)
{
	static const struct identity id = { .seed = "seed" };
	autoclose int fd = sparse(*state, 10 << 20);
	struct error err = { 0 };
	struct layout l;

	layout_begin(&l, TABLE_MBR, &id);
	for (int i = 0; i <= MBR_PARTITIONS_MAX; i++)
		(void)layout_add(&l, PARTITION_DATA, "data", 1 << 20);
	assert_int_equal(partition_write(fd, &l, &err), -EFBIG);
	layout_begin(&l, TABLE_MBR, &id);
	(void)layout_add(&l, PARTITION_DATA, "data", 2LL << 40);
	assert_int_equal(partition_write(fd, &l, &err), -EFBIG);
}

/* Flatcar's root is the ninth. */
static void many_are_read(void **state)
{
	struct partition got[PARTITIONS_MAX];
	autoclose int fd = sparse(*state, 30 << 20);
	enum partition_table table;
	const struct identity id = { .seed = "seed" };
	struct layout l;
	size_t n = 0;

	layout_begin(&l, TABLE_GPT, &id);
	for (int i = 0; i < 19; i++)
		(void)layout_add(&l, PARTITION_DATA, "data", 1 << 20);
	(void)layout_add(&l, PARTITION_ROOT, "root", 2 << 20);
	assert_int_equal(partition_write(fd, &l, NULL), 0);
	assert_int_equal(partition_read(fd, &table, got, &n, NULL), 0);
	assert_int_equal(n, 20);
	assert_int_equal(got[19].kind, PARTITION_ROOT);
	assert_int_equal(got[19].offset, 20 << 20);
}

static void zeros_have_no_table(void **state)
{
	struct partition got[PARTITIONS_MAX];
	autoclose int fd = sparse(*state, 10 << 20);
	enum partition_table table = TABLE_NONE;
	struct error err = { 0 };
	size_t n = 0;

	assert_int_equal(partition_read(fd, &table, got, &n, &err), -EBADMSG);
	assert_string_equal(err.text, "it has no partition table (GPT or MBR)");
}

static void put_sector(int fd, off_t at, const unsigned char bytes[SECTOR])
{
	assert_int_equal(pwrite(fd, bytes, SECTOR, at), SECTOR);
}

/* Sixteen bytes: flag, three that nobody reads, type, three more, first sector and how many. */
static void put_entry(unsigned char sector[SECTOR], size_t number, unsigned char type,
		      uint32_t start, uint32_t count)
{
	unsigned char *e = sector + 446 + 16 * number;

	e[4] = type;
	memcpy(e + 8, &start, 4);
	memcpy(e + 12, &count, 4);
	sector[510] = 0x55;
	sector[511] = 0xaa;
}

static void an_mbr_is_read(void **state)
{
	unsigned char mbr[SECTOR] = { 0 }, logical[SECTOR] = { 0 };
	autoclose int fd = sparse(*state, 10 << 20);
	enum partition_table table = TABLE_NONE;
	struct partition got[PARTITIONS_MAX];
	size_t n = 0;

	memcpy(mbr + 440, "\x78\x56\x34\x12", 4);
	put_entry(mbr, 0, 0xef, 2048, 2048);
	put_entry(mbr, 1, 0x83, 4096, 4096);
	put_entry(mbr, 2, 0x05, 8192, 8192);
	put_entry(mbr, 3, 0x83, 1U << 30, 4096); /* outside */
	put_entry(logical, 0, 0x82, 2048, 1024);
	put_sector(fd, 0, mbr);
	put_sector(fd, 8192L * SECTOR, logical);
	assert_int_equal(partition_read(fd, &table, got, &n, NULL), 0);
	assert_int_equal(table, TABLE_MBR);
	assert_int_equal(n, 3);
	assert_int_equal(got[0].kind, PARTITION_ESP);
	assert_int_equal(got[1].kind, PARTITION_ROOT);
	assert_int_equal(got[1].offset, 4096 * SECTOR);
	assert_string_equal(got[1].uuid, "12345678-02");
	assert_int_equal(got[2].kind, PARTITION_SWAP);
	assert_int_equal(got[2].offset, (8192 + 2048) * SECTOR);
}

/* Boot code alone is none: FAT begins with the same two bytes at its end. */
static void an_empty_mbr_is_no_table(void **state)
{
	unsigned char mbr[SECTOR] = { [510] = 0x55, [511] = 0xaa };
	autoclose int fd = sparse(*state, 10 << 20);
	enum partition_table table = TABLE_NONE;
	struct partition got[PARTITIONS_MAX];
	size_t n = 0;

	put_sector(fd, 0, mbr);
	assert_int_equal(partition_read(fd, &table, got, &n, NULL), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(an_mbr_names_the_active_partition_and_the_disk,
						scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(an_mbr_has_bounds, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(many_are_read, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(zeros_have_no_table, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(an_mbr_is_read, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(an_empty_mbr_is_no_table, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
