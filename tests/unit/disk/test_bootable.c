/* tests/unit/disk/test_bootable.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "disk/bootable.h"
#include "disk/filetree.h"

static const struct timespec when = { .tv_sec = 1 };

/* What a kernel's header says: the magic number, and where its version stands. */
static char *kernel_bytes(const char *version)
{
	char *bytes = xcalloc(1, 4096);

	memcpy(bytes + 0x202, "HdrS", 4);
	bytes[0x20f] = 1;
	memcpy(bytes + 0x300, version, strlen(version));
	return bytes;
}

static void put_kernel(struct filetree *t, const char *path, const char *version)
{
	assert_int_equal(filetree_put_bytes(t, path, 0644, kernel_bytes(version), 4096, when, NULL),
			 0);
}

static void put_text(struct filetree *t, const char *path, mode_t mode)
{
	assert_int_equal(filetree_put_bytes(t, path, mode, xstrdup("x"), 1, when, NULL), 0);
}

static void the_newest_kernel_and_its_initrd(void **state)
{
	static const struct {
		const char *kernel, *initrd;
	} cases[] = {
		{ "boot/vmlinuz-6.1.0-10-amd64", "boot/initrd.img-6.1.0-10-amd64" },
		{ "boot/vmlinuz-6.1.0-10-amd64", "boot/initramfs-6.1.0-10-amd64.img" },
		{ "boot/vmlinuz-lts", "boot/initramfs-lts" },
		{ "boot/vmlinuz", "boot/initrd.img" },
		{ "usr/lib/modules/6.1.0-10/vmlinuz", "boot/initramfs-6.1.0-10.img" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(filetree_cleanup) struct filetree *t = filetree_new();
		cleanup(bootable_done) struct bootable b = { .kernel = NULL };
		struct file *link = filetree_add(t, S_IFLNK | 0777);

		link->target = xstrdup("usr/lib");
		dir_put(t->root, "lib", link);
		put_text(t, "sbin/init", 0755);
		put_kernel(t, cases[i].kernel, "6.1.0-10 (x@y)");
		put_text(t, cases[i].initrd, 0644);
		assert_int_equal(bootable_find(t, &b, NULL), 0);
		assert_non_null(b.kernel);
		assert_string_equal(b.version, "6.1.0-10");
		assert_string_equal(b.initrd_path, cases[i].initrd);
		assert_string_equal(b.init, "/sbin/init");
	}
}

static void ten_is_more_than_nine(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	cleanup(bootable_done) struct bootable b = { .kernel = NULL };

	(void)state;
	put_kernel(t, "boot/vmlinuz-6.1.0-9", "6.1.0-9 x");
	put_kernel(t, "boot/vmlinuz-6.1.0-10", "6.1.0-10 x");
	put_text(t, "boot/initrd.img-6.1.0-9", 0644);
	assert_int_equal(bootable_find(t, &b, NULL), 0);
	assert_string_equal(b.kernel_path, "boot/vmlinuz-6.1.0-10");
	assert_null(b.initrd);
	assert_false(b.has_modules);
	assert_null(b.init);
}

static void busybox_alone_is_no_system(void **state)
{
	static const struct {
		const char *more, *init;
	} cases[] = { { "etc/inittab", NULL },
		      { "sbin/openrc", "/sbin/init" },
		      { "etc/init.d/rcS", "/sbin/init" } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(filetree_cleanup) struct filetree *t = filetree_new();
		cleanup(bootable_done) struct bootable b = { .kernel = NULL };
		struct file *link = filetree_add(t, S_IFLNK | 0777);

		link->target = xstrdup("/bin/busybox");
		put_text(t, "bin/busybox", 0755);
		put_text(t, cases[i].more, 0755);
		dir_put(filetree_make_dir(t, "sbin", when), "init", link);
		assert_int_equal(bootable_find(t, &b, NULL), 0);
		assert_int_equal(b.init != NULL, cases[i].init != NULL);
		if (b.init)
			assert_string_equal(b.init, cases[i].init);
	}
}

static void what_is_no_kernel(void **state)
{
	static const struct {
		size_t len;
		unsigned char at[2];
		int r;
	} cases[] = { { 100, { 0, 1 }, -ENOEXEC },
		      { 0x20f, { 0, 1 }, -ENOEXEC },
		      { 0x210, { 0xff, 0xff }, 0 },
		      { 4096, { 0xff, 0xff }, 0 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char *bytes = kernel_bytes("6.1 x"), version[KERNEL_VERSION_MAX] = "?";
		struct content c;

		memcpy(bytes + 0x20e, cases[i].at, 2);
		c = content_of_bytes(bytes, cases[i].len);
		assert_int_equal(kernel_version(&c, version, NULL), cases[i].r);
		assert_string_equal(version, cases[i].r ? "?" : "");
		content_done(&c);
	}
}

static void a_kernel_for_arm64(void **state)
{
	char *bytes = xcalloc(1, 4096), version[KERNEL_VERSION_MAX] = "?";
	struct content c;

	(void)state;
	memcpy(bytes + 56, "ARM\x64", 4);
	c = content_of_bytes(bytes, 4096);
	assert_true(kernel_is_arm64(&c));
	assert_int_equal(kernel_version(&c, version, NULL), 0);
	assert_string_equal(version, "");
	c.size = 59;
	assert_false(kernel_is_arm64(&c));
	content_done(&c);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_newest_kernel_and_its_initrd),
		cmocka_unit_test(ten_is_more_than_nine),
		cmocka_unit_test(busybox_alone_is_no_system),
		cmocka_unit_test(what_is_no_kernel),
		cmocka_unit_test(a_kernel_for_arm64),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
