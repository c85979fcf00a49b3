#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "builder/unpack_filter.h"

#include "../scratch.h"

/* "hello\n", twice the second time: streams may follow each other. */
static const unsigned char bzip2[] = {
	0x42, 0x5a, 0x68, 0x39, 0x31, 0x41, 0x59, 0x26, 0x53, 0x59, 0xc1, 0xc0, 0x80, 0xe2,
	0x00, 0x00, 0x01, 0x41, 0x00, 0x00, 0x10, 0x02, 0x44, 0xa0, 0x00, 0x30, 0xcd, 0x00,
	0xc3, 0x46, 0x29, 0x97, 0x17, 0x72, 0x45, 0x38, 0x50, 0x90, 0xc1, 0xc0, 0x80, 0xe2,
};

static int put(const char *dir, const void *bytes, size_t len, unsigned times)
{
	int fd = openat(scratch_open(dir), "packed", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	for (unsigned i = 0; i < times; i++)
		assert_int_equal(write(fd, bytes, len), (ssize_t)len);
	return fd;
}

static char *unpacked(int fd, int *ret_r)
{
	cleanup(filter_cleanup) struct filter *f = NULL;
	struct buf all = BUF_INIT(1000);
	const void *bytes;
	ssize_t n;

	*ret_r = filter_open(fd, &f);
	if (*ret_r != 0)
		return xstrdup("");
	while ((n = filter_next(f, &bytes, NULL)) > 0)
		buf_add(&all, bytes, (size_t)n);
	*ret_r = (int)n;
	return buf_steal(&all);
}

static void what_is_packed_is_unpacked(void **state)
{
	const struct {
		const void *bytes;
		size_t len;
		unsigned times;
		int r;
		const char *text;
	} cases[] = {
		{ bzip2, sizeof(bzip2), 1, 0, "hello\n" },
		{ bzip2, sizeof(bzip2), 2, 0, "hello\nhello\n" },
		{ bzip2, sizeof(bzip2) - 6, 1, 1, "" }, /* nothing of it can be read */
		{ "plain text", 10, 1, 1, "" },
		{ "BZ", 2, 1, 1, "" },
		{ "", 0, 1, 1, "" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autoclose int fd = put(*state, cases[i].bytes, cases[i].len, cases[i].times);
		int r;
		autofree char *text = unpacked(fd, &r);

		assert_int_equal(r, cases[i].r);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_packed_is_unpacked, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests_name("builder/unpack_filter", tests, NULL, NULL);
}
