/* tests/unit/disk/test_onto.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "../scratch.h"
#include "disk/onto.h"

#define MIB (1 << 20)

static int file_of(const char *dir, const char *name, int64_t size)
{
	autoclose int dirfd = scratch_open(dir);
	int fd = openat(dirfd, name, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	return fd;
}

static void put(int fd, int64_t at, int byte, size_t len)
{
	autofree unsigned char *bytes = xmalloc(len);

	memset(bytes, byte, len);
	assert_int_equal(pwrite(fd, bytes, len, at), len);
}

static void expect(int fd, int64_t at, int byte, size_t len)
{
	autofree unsigned char *bytes = xmalloc(len);

	assert_int_equal(pread(fd, bytes, len, at), len);
	for (size_t i = 0; i < len; i++)
		assert_int_equal(bytes[i], byte);
}

/* What was there before is 'x' everywhere. */
static void holes_become_zeros(void **state)
{
	autoclose int from = file_of(*state, "from", 13 * MIB + 512), to = -1;
	struct onto o = { .from = from, .size = 13 * MIB + 512, .name = "x", .to_size = 20 * MIB };

	put(from, 0, 'h', 100);
	put(from, 3 * MIB + 12288, 'd', 6 * MIB);
	put(from, 13 * MIB, 'e', 512);
	to = file_of(*state, "to", 20 * MIB);
	put(to, 0, 'x', 20 * MIB);
	o.to = to;
	assert_int_equal(onto_write(&o, NULL), 0);
	assert_int_equal(atomic_load(&o.written), o.size);
	expect(to, 0, 'h', 100);
	expect(to, 100, 0, 3 * MIB + 12288 - 100);
	expect(to, 3 * MIB + 12288, 'd', 6 * MIB);
	expect(to, 9 * MIB + 12288, 0, 4 * MIB - 12288);
	expect(to, 13 * MIB, 'e', 512);
	expect(to, 13 * MIB + 512, 'x', 6 * MIB - 512); /* behind it, where nothing looks */
	expect(to, 19 * MIB, 0, MIB);
	assert_int_equal(onto_compare(&o, NULL), 0);
	assert_int_equal(atomic_load(&o.compared), o.size);
}

static void another_byte_is_told(void **state)
{
	autoclose int from = file_of(*state, "from", 6 * MIB), to = file_of(*state, "to", 6 * MIB);
	struct onto o = {
		.from = from, .size = 6 * MIB, .to = to, .name = "x", .to_size = 6 * MIB
	};
	struct error err = { 0 };

	put(from, 5 * MIB, 'd', 10);
	assert_int_equal(onto_write(&o, NULL), 0);
	put(to, 5 * MIB + 3, 'x', 1);
	assert_int_equal(onto_compare(&o, &err), -EIO);
	assert_non_null(strstr(err.text, "at 4194304 are not what was written"));
}

static void what_does_not_fit(void **state)
{
	autoclose int from = file_of(*state, "from", 2 * MIB), to = file_of(*state, "to", MIB);
	struct onto o = { .from = from, .size = 2 * MIB, .to = to, .name = "x", .to_size = MIB };

	put(to, 0, 'x', 10);
	assert_int_equal(onto_write(&o, NULL), -ENOSPC);
	expect(to, 0, 'x', 10);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(holes_become_zeros, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(another_byte_is_told, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(what_does_not_fit, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
