/* tests/unit/disk/test_initramfs.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "../scratch.h"
#include "disk/filetree.h"
#include "disk/initramfs.h"

/* The kernel's format, read by hand: a file with two names has its data once. */
static void names_data_and_the_end(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	autoclose int dir = scratch_open(*state);
	autoclose int fd = openat(dir, "cpio", O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	const struct timespec when = { .tv_sec = 0x10 };
	struct content c = { .fd = -1 };
	autofree char *bytes = NULL;
	struct file *f;
	size_t len;

	assert_int_equal(filetree_put_bytes(t, "d/file", 0640, xstrdup("hello"), 5, when, NULL), 0);
	f = dir_find(dir_find(t->root, "d"), "file");
	f->uid = 33;
	dir_put(t->root, "same", f);
	assert_int_equal(initramfs_write(t, fd, &c, NULL), 0);
	assert_int_equal(content_read(&c, 4096, 4096, &bytes, &len, NULL), 0);
	assert_int_equal(len % 4, 0);
	/* d: a directory of two links, its name with the NUL is two bytes long */
	assert_memory_equal(bytes,
			    "0707010000000"
			    "2"
			    "000041ED",
			    22);
	assert_string_equal(bytes + 110, "d");
	/* same: the first name met carries the data */
	assert_memory_equal(bytes + 112,
			    "07070100000003000081A00000002100000000000000020000001000000005", 62);
	assert_string_equal(bytes + 112 + 110, "same");
	assert_memory_equal(bytes + 112 + 116, "hello", 5);
	/* d/file: the same number, no bytes */
	assert_memory_equal(bytes + 236,
			    "07070100000003000081A00000002100000000000000020000001000000000", 62);
	assert_string_equal(bytes + 236 + 110, "d/file");
	assert_string_equal(bytes + len - 14 + 0, bytes + len - 14);
	assert_non_null(memmem(bytes, len, "TRAILER!!!", 11));
	content_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_data_and_the_end, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
