/* tests/unit/disk/test_machine_blockdev.c - of disk/machine/blockdev.c: whose UUID an ext4 has. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "disk/machine/blockdev.h"

static void uuid_of_an_ext4(void **state)
{
	unsigned char bytes[EXT4_HEAD_LEN] = { 0 };
	char text[37] = "untouched";

	(void)state;
	for (unsigned i = 0; i < 16; i++)
		bytes[1024 + 0x68 + i] = (unsigned char)(0x10 * i + 0xf);
	assert_int_equal(ext4_uuid(bytes, text), -1);
	assert_string_equal(text, "untouched");
	bytes[1024 + 0x38] = 0x53;
	assert_int_equal(ext4_uuid(bytes, text), -1);
	bytes[1024 + 0x39] = 0xef;
	assert_int_equal(ext4_uuid(bytes, text), 0);
	assert_string_equal(text, "0f1f2f3f-4f5f-6f7f-8f9f-afbfcfdfefff");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uuid_of_an_ext4),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
