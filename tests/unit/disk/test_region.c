/* tests/unit/disk/test_region.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../scratch.h"
#include "disk/region.h"

static void only_bytes_inside_are_given(void **state)
{
	static const struct {
		int64_t at;
		size_t len;
		int r;
	} cases[] = {
		{ 0, 6, 0 },
		{ 2, 4, 0 },
		{ 6, 0, 0 },
		{ 0, 0, 0 },
		{ 0, 7, -EBADMSG },
		{ 6, 1, -EBADMSG },
		{ 7, 0, -EBADMSG },
		{ -1, 1, -EBADMSG },
		{ INT64_MAX, 1, -EBADMSG },
		{ INT64_MIN, 1, -EBADMSG },
		{ 1, SIZE_MAX, -EBADMSG },
		{ 6, SIZE_MAX, -EBADMSG },
	};
	autofree char *path = xasprintf("%s/disk", (char *)*state);
	autoclose int fd = -1;
	struct region at = { .offset = 3, .size = 6 };

	scratch_put(*state, "disk", "outabcdefout");
	fd = open(path, O_RDONLY | O_CLOEXEC);
	at.fd = fd;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char bytes[8] = "-------";
		int r = region_get(&at, cases[i].at, bytes, cases[i].len);

		assert_int_equal(r, cases[i].r);
		if (r == 0)
			assert_memory_equal(bytes, &"abcdef"[cases[i].at], cases[i].len);
	}
	/* A table may say more than the file has. */
	at.size = 100;
	assert_int_equal(region_get(&at, 8, (char[4]) { 0 }, 2), -EBADMSG);
}

static void numbers_are_read_from_either_end(void **state)
{
	static const unsigned char bytes[] = { 0x01, 0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0xff };

	(void)state;
	assert_int_equal(get_le(bytes, 2), 0x0201);
	assert_int_equal(get_be(bytes, 2), 0x0102);
	assert_true(get_le(bytes, 8) == UINT64_C(0xff07060504030201));
	assert_true(get_be(bytes, 8) == UINT64_C(0x01020304050607ff));
	assert_int_equal(get_le(bytes, 0), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(only_bytes_inside_are_given, scratch_setup,
						scratch_teardown),
		cmocka_unit_test(numbers_are_read_from_either_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
