/* tests/unit/disk/test_swap.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../scratch.h"
#include "disk/region.h"
#include "disk/swap.h"
#include "disk/volume.h"

#define OFFSET 8192
#define SIZE   (INT64_C(3) << 20)

static void it_is_known_as_a_swap_area(void **state)
{
	static const uint8_t uuid[16] = { 0xab, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15 };
	autofree char *path = xasprintf("%s/disk", (char *)*state);
	autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	const struct region at = { .fd = fd, .offset = OFFSET, .size = SIZE };
	unsigned char head[12];
	struct volume v;

	assert_int_equal(ftruncate(fd, OFFSET + SIZE), 0);
	assert_int_equal(swap_write(fd, OFFSET, SIZE, uuid, NULL), 0);
	volume_look(&at, &v);
	assert_string_equal(v.type, "swap");
	assert_string_equal(v.label, "swap");
	assert_string_equal(v.uuid, "ab010203-0405-0607-0809-0a0b0c0d0e0f");
	assert_false(volume_is_read(&v));
	/* Version 1, the last page, no bad ones. */
	assert_int_equal(region_get(&at, 1024, head, sizeof(head)), 0);
	assert_int_equal(get_le(head, 4), 1);
	assert_int_equal(get_le(head + 4, 4), SIZE / 4096 - 1);
	assert_int_equal(get_le(head + 8, 4), 0);
}

static void what_cannot_be_written_is_told(void **state)
{
	static const uint8_t uuid[16] = { 1 };
	autofree char *path = xasprintf("%s/disk", (char *)*state);
	struct error err = { 0 };
	int fd;

	scratch_put(*state, "disk", "");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	assert_int_equal(swap_write(fd, 0, SIZE, uuid, &err), -EBADF);
	assert_non_null(strstr(err.text, "write the swap area"));
	(void)close(fd);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(it_is_known_as_a_swap_area),
		CASE(what_cannot_be_written_is_told),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
