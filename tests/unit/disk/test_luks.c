/* tests/unit/disk/test_luks.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../scratch.h"
#include "base/strv.h"
#include "disk/luks.h"
#include "disk/output.h"
#include "disk/tool.h"

#define SIZE (2LL << 20)
#define UUID "5f8d8f1c-1c2b-4c6e-9d5a-0123456789ab"

/* Whether a passphrase opens what is in fd, as cryptsetup says; no device is made. */
static int opens(int fd, const char *passphrase)
{
	autoclose int key = memfd_create("key", MFD_CLOEXEC);
	struct strv argv = { 0 };
	int r;

	assert_int_equal(file_write_all(key, passphrase, strlen(passphrase)), 0);
	strv_add(&argv, "cryptsetup");
	strv_add(&argv, "open");
	strv_add(&argv, "--test-passphrase");
	strv_add(&argv, "--disable-locks");
	strv_addf(&argv, "--key-file=/proc/self/fd/%d", key);
	strv_addf(&argv, "/proc/self/fd/%d", fd);
	r = tool_run(&argv, (const int[]) { key, fd }, 2, 0, "cryptsetup-bin", NULL);
	strv_done(&argv);
	return r;
}

static bool is_zero(const unsigned char *bytes, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (bytes[i])
			return false;
	return true;
}

static void a_sealed_root(void **state)
{
	autofree char *path = xasprintf("%s/disk", (char *)*state);
	const struct luks_key key = { .bytes = "correct horse", .len = 13 };
	struct output out = OUTPUT_INIT;
	unsigned char bytes[1024];
	int64_t size = SIZE;
	struct stat st;
	int fd = -1;

	if (access("/usr/sbin/cryptsetup", X_OK) < 0 && access("/sbin/cryptsetup", X_OK) < 0)
		skip();
	assert_int_equal(output_open(path, OUTPUT_SECRET, &out, NULL), 0);
	assert_int_equal(output_spool(&out, &fd, NULL), 0);
	assert_int_equal(ftruncate(fd, SIZE), 0);
	assert_int_equal(luks_seal(&out, &key, UUID, &fd, &size, NULL), 0);

	assert_int_equal(size, SIZE + LUKS_HEAD);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, size);
	assert_int_equal(opens(fd, "correct horse"), 0);
	assert_int_not_equal(opens(fd, "wrong horse"), 0);
	assert_int_equal(pread(fd, bytes, sizeof(bytes), 0), sizeof(bytes));
	assert_memory_equal(bytes, "LUKS\xba\xbe\0\2", 8);
	assert_string_equal((char *)bytes + 168, UUID);

	/* Nothing tells that it was a hole: equal sectors are not equal any more, to the last. */
	for (int64_t at = LUKS_HEAD; at < size; at += 512 * 1023) {
		assert_int_equal(pread(fd, bytes, 1024, at), 1024);
		assert_false(is_zero(bytes, 512));
		assert_memory_not_equal(bytes, bytes + 512, 512);
	}
	assert_int_equal(pread(fd, bytes, 512, size - 512), 512);
	assert_false(is_zero(bytes, 512));
	(void)close(fd);
	output_done(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_sealed_root, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
