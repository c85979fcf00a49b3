/* tests/unit/disk/test_crc32c.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <ext2fs/ext2fs.h>
#include <string.h>

#include "disk/crc32c.h"

static void known_sums(void **state)
{
	unsigned char bytes[32];

	(void)state;
	assert_int_equal(~crc32c(~0U, "123456789", 9), 0xe3069283U);
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(~crc32c(~0U, bytes, sizeof(bytes)), 0x62a8ab43U);
	assert_int_equal(crc32c(~1U, "default", 7), 2378154706U); /* as btrfs names it */
	assert_int_equal(crc32c(5, "", 0), 5);
}

/* Of every length and start, and in two parts. */
static void the_same_as_by_the_table(void **state)
{
	unsigned char bytes[100];

	(void)state;
	for (size_t i = 0; i < sizeof(bytes); i++)
		bytes[i] = (unsigned char)(i * 37 + 11);
	for (size_t from = 0; from < 9; from++)
		for (size_t len = 0; from + len <= sizeof(bytes); len++) {
			uint32_t sum = ext2fs_crc32c_le(~0U, bytes + from, len);

			assert_int_equal(crc32c(~0U, bytes + from, len), sum);
			assert_int_equal(crc32c(crc32c(~0U, bytes + from, len / 3),
						bytes + from + len / 3, len - len / 3),
					 sum);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(known_sums),
		cmocka_unit_test(the_same_as_by_the_table),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
