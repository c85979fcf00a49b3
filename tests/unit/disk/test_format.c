/* tests/unit/disk/test_format.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../scratch.h"
#include "disk/format.h"

static int file_of(const char *dir, const void *bytes, size_t len, int64_t at)
{
	autoclose int dirfd = scratch_open(dir);
	int fd = openat(dirfd, "file", O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, 1 << 20), 0);
	assert_int_equal(pwrite(fd, bytes, len, at), (ssize_t)len);
	return fd;
}

static void a_format_is_chosen_by_name_or_ending(void **state)
{
	static const struct {
		const char *asked, *path;
		enum disk_format want;
	} cases[] = {
		{ NULL, "disk", FORMAT_RAW },
		{ NULL, "disk.img", FORMAT_RAW },
		{ NULL, "a.b/disk.QCOW2", FORMAT_QCOW2 },
		{ NULL, ".vmdk", FORMAT_RAW },
		{ NULL, "x.vhd", FORMAT_VHD },
		{ NULL, "x.vhdx", FORMAT_VHDX },
		{ NULL, "x.vdi", FORMAT_VDI },
		{ NULL, "x.iso", FORMAT_ISO },
		{ "raw", "x.qcow2", FORMAT_RAW },
		{ "vmdk", "x", FORMAT_VMDK },
	};
	enum disk_format got;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(format_choose(cases[i].asked, cases[i].path, &got, NULL), 0);
		assert_int_equal(got, cases[i].want);
	}
	assert_int_equal(format_choose("vpc", "x", &got, NULL), -EINVAL);
}

static void a_file_is_known_by_its_bytes(void **state)
{
	static const struct {
		const char *bytes;
		size_t len;
		int64_t at;
		int want_r;
		enum disk_format want;
	} cases[] = {
		{ "QFI\xfb\0\0\0\3", 8, 0, 0, FORMAT_QCOW2 },
		{ "QFI\xfb\0\0\0\1", 8, 0, -EOPNOTSUPP, FORMAT_QCOW2 },
		{ "QFI\xfb\0\0\0\3\0\0\0\0\0\0\2\0", 16, 0, -EPERM, FORMAT_QCOW2 },
		{ "KDMV\1\0\0\0\3\0\0\0\0\x10\0\0", 16, 0, 0, FORMAT_VMDK },
		{ "KDMV\1\0\0\0\3\0\0\0\0\0\0\0", 16, 0, -EPERM, FORMAT_VMDK },
		{ "# Disk DescriptorFile", 21, 0, -EPERM, FORMAT_VMDK },
		{ "conectix", 8, 0, 0, FORMAT_VHD },
		{ "conectix", 8, (1 << 20) - 512, 0, FORMAT_VHD },
		{ "vhdxfile", 8, 0, 0, FORMAT_VHDX },
		{ "\x7f\x10\xda\xbe", 4, 64, 0, FORMAT_VDI },
		{ "CD001", 5, 32769, 0, FORMAT_ISO },
		{ "anything", 8, 0, 0, FORMAT_RAW },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autoclose int fd = file_of(*state, cases[i].bytes, cases[i].len, cases[i].at);
		enum disk_format got;

		assert_int_equal(format_detect(fd, &got, NULL), cases[i].want_r);
		if (cases[i].want_r == 0)
			assert_int_equal(got, cases[i].want);
	}
}

static void short_files_are_raw(void **state)
{
	autoclose int fd = file_of(*state, "x", 1, 0);
	enum disk_format got;

	assert_int_equal(ftruncate(fd, 3), 0);
	assert_int_equal(format_detect(fd, &got, NULL), 0);
	assert_int_equal(got, FORMAT_RAW);
	assert_int_equal(ftruncate(fd, 0), 0);
	assert_int_equal(format_detect(fd, &got, NULL), 0);
	assert_int_equal(got, FORMAT_RAW);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_format_is_chosen_by_name_or_ending),
		cmocka_unit_test_setup_teardown(a_file_is_known_by_its_bytes, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(short_files_are_raw, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
