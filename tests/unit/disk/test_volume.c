/* tests/unit/disk/test_volume.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "../scratch.h"
#include "base/strv.h"
#include "disk/filetree.h"
#include "disk/output.h"
#include "disk/rootfs.h"
#include "disk/tool.h"
#include "disk/volume.h"

#define OFFSET (INT64_C(1) << 20)

static const struct timespec when = { .tv_sec = 1700000000 };

static bool is_installed(const char *program)
{
	autofree char *a = xasprintf("/usr/bin/%s", program);
	autofree char *b = xasprintf("/usr/sbin/%s", program);

	return access(a, X_OK) == 0 || access(b, X_OK) == 0;
}

static int open_disk(const char *dir, int64_t size)
{
	autofree char *path = xasprintf("%s/disk", dir);
	int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	return fd;
}

static void run(const struct strv *argv, int fd)
{
	assert_int_equal(tool_run(argv, &fd, 1, 1700000000, "it", NULL), 0);
}

static void has_text(const struct filetree *t, const char *path, const char *want)
{
	const struct file *f = filetree_resolve(t, path, NULL);
	autofree char *text = NULL;
	size_t len;

	assert_non_null(f);
	assert_int_equal(content_read(&f->content, 1U << 20, 1U << 20, &text, &len, NULL), 0);
	assert_string_equal(text, want);
}

static void nothing_known_is_not_read(void **state)
{
	autoclose int fd = open_disk(*state, 2 * OFFSET);
	const struct region at = { .fd = fd, .offset = OFFSET, .size = OFFSET };
	const struct region behind = { .fd = fd, .offset = 3 * OFFSET, .size = OFFSET };
	struct volume_tree t = VOLUME_TREE_INIT;
	struct error err = { 0 };
	struct volume v;

	volume_look(&behind, &v);
	assert_string_equal(v.type, "");
	volume_look(&at, &v);
	assert_string_equal(v.type, "");
	assert_false(volume_is_read(&v));
	assert_int_equal(volume_read(&v, &at, &t, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "no known file system"));
	(void)snprintf(v.type, sizeof(v.type), "ntfs");
	assert_int_equal(volume_read(&v, &at, &t, &err), -EOPNOTSUPP);
	assert_non_null(strstr(err.text, "it holds ntfs"));
	/* It says so, and is none. */
	for (int i = 0; i < 3; i++) {
		static const char *const types[] = { "ext4", "erofs", "squashfs" };

		(void)snprintf(v.type, sizeof(v.type), "%s", types[i]);
		err = (struct error) { 0 };
		assert_true(volume_is_read(&v));
		assert_true(volume_read(&v, &at, &t, &err) < 0);
		assert_memory_equal(err.text, types[i], strlen(types[i]));
		assert_null(t.tree);
	}
	volume_tree_done(&t);
}

static void a_fat_is_read(void **state)
{
	autoclose int fd = open_disk(*state, OFFSET + (40 << 20));
	const struct region at = { .fd = fd, .offset = OFFSET, .size = 40 << 20 };
	struct volume_tree t = VOLUME_TREE_INIT;
	autofree char *file = xasprintf("%s/some file", (char *)*state), *work = NULL;
	struct strv make = { 0 }, copy = { 0 };
	struct error err = { 0 };
	struct volume v;

	if (!is_installed("mkfs.vfat") || !is_installed("mcopy"))
		skip();
	strv_add(&make, "mkfs.vfat");
	strv_add(&make, "-nNAME");
	strv_add(&make, "--offset=2048");
	strv_addf(&make, "/proc/self/fd/%d", fd);
	strv_add(&make, "40960");
	run(&make, fd);
	volume_look(&at, &v);
	assert_string_equal(v.type, "vfat");
	assert_string_equal(v.label, "NAME");
	/* Nothing in it is no failure. */
	assert_int_equal(volume_read(&v, &at, &t, &err), 0);
	assert_int_equal(t.tree->root->nnames, 0);
	volume_tree_done(&t);
	scratch_put(*state, "some file", "text");
	strv_add(&copy, "mcopy");
	strv_addf(&copy, "-i/proc/self/fd/%d@@%lld", fd, (long long)OFFSET);
	strv_add(&copy, file);
	strv_add(&copy, "::/");
	run(&copy, fd);
	assert_int_equal(volume_read(&v, &at, &t, &err), 0);
	has_text(t.tree, "some file", "text");
	assert_int_equal(t.tree->root->number, 1);
	work = xstrdup(t.work.path);
	volume_tree_done(&t);
	assert_int_equal(access(work, F_OK), -1);
	strv_done(&make);
	strv_done(&copy);
}

static void a_squashfs_is_read_wherever_it_lies(void **state)
{
	cleanup(filetree_cleanup) struct filetree *tree = filetree_new();
	autofree char *path = xasprintf("%s/it", (char *)*state), *bytes = NULL;
	struct rootfs_request req = { .tree = tree, .kind = ROOTFS_SQUASHFS, .now_s = 1 };
	struct volume_tree t = VOLUME_TREE_INIT;
	struct output out = OUTPUT_INIT;
	struct region at = { .offset = OFFSET };
	struct error err = { 0 };
	struct volume v;
	int made = -1;

	if (!is_installed("tar2sqfs") || !is_installed("sqfs2tar"))
		skip();
	assert_int_equal(filetree_put_bytes(tree, "etc/x", 0640, xstrdup("text"), 4, when, NULL),
			 0);
	filetree_resolve(tree, "etc", NULL)->uid = 70000;
	assert_int_equal(output_open(path, OUTPUT_PLAIN, &out, NULL), 0);
	req.out = &out;
	filetree_number(tree, 1, 2);
	assert_int_equal(rootfs_make(&req, &made, &at.size, &err), 0);
	at.fd = open_disk(*state, OFFSET + at.size);
	bytes = xcalloc(1, (size_t)at.size);
	assert_true(pread(made, bytes, (size_t)at.size, 0) > 0);
	assert_int_equal(pwrite(at.fd, bytes, (size_t)at.size, OFFSET), at.size);
	volume_look(&at, &v);
	assert_string_equal(v.type, "squashfs");
	assert_int_equal(volume_read(&v, &at, &t, &err), 0);
	has_text(t.tree, "etc/x", "text");
	assert_int_equal(filetree_resolve(t.tree, "etc", NULL)->uid, 70000);
	assert_int_equal(filetree_resolve(t.tree, "etc/x", NULL)->mode, S_IFREG | 0640);
	volume_tree_done(&t);
	output_done(&out);
	(void)close(made);
	(void)close(at.fd);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(nothing_known_is_not_read),
		CASE(a_fat_is_read),
		CASE(a_squashfs_is_read_wherever_it_lies),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
