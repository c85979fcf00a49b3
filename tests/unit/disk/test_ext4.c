/* tests/unit/disk/test_ext4.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "../scratch.h"
#include "base/strv.h"
#include "disk/ext4.h"
#include "disk/filetree.h"
#include "disk/reading.h"
#include "disk/tool.h"

static const struct timespec when = { .tv_sec = 1700000000 };

static void write_fs(const char *dir, struct filetree *t, int64_t size)
{
	autofree char *path = xasprintf("%s/fs", dir);
	autoclose int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct ext4_request req = { .fd = fd, .now_s = 1700000000, .label = "test" };

	assert_int_equal(ext4_fit(t, &req, 1 << 20, &req.size, NULL), 0);
	req.size = MAX(req.size, size);
	assert_int_equal(ftruncate(fd, req.size), 0);
	assert_int_equal(ext4_write(t, &req, NULL), 0);
}

static int count_names(void *data, const struct disk_entry *e, struct error *err)
{
	(void)err;
	assert_true(S_ISDIR(e->mode) || e->size == 0);
	++*(int *)data;
	return 0;
}

/* What libext2fs's reading half gives back, of a directory of many blocks and in a larger one. */
static void names_come_back(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	cleanup(disk_cleanup) struct disk *d = NULL;
	autofree char *path = xasprintf("%s/fs", (char *)*state);
	struct disk_entry e = { .target = NULL };
	int n = 0;

	for (int i = 0; i < 5000; i++) {
		autofree char *name = xasprintf("many/a-name-of-some-length-%d", i);

		assert_int_equal(filetree_put_bytes(t, name, 0644, xstrdup(""), 0, when, NULL), 0);
	}
	write_fs(*state, t, 600LL << 20);
	assert_int_equal(disk_open(path, 0, &d, NULL), 0);
	assert_int_equal(disk_read(d, NULL), 0);
	assert_string_equal(d->volume.label, "test");
	assert_int_equal(disk_find(d, "/many", &e, NULL), 0);
	assert_int_equal(disk_list(d, e.number, count_names, &n, NULL), 0);
	assert_int_equal(n, 5000);
	n = 0;
	assert_int_equal(disk_find(d, "/", &e, NULL), 0);
	assert_int_equal(disk_list(d, e.number, count_names, &n, NULL), 0);
	assert_int_equal(n, 2); /* and lost+found */
	assert_int_equal(disk_find(d, "/nothing", &e, NULL), -ENOENT);
}

static void too_small_is_said(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	autofree char *path = xasprintf("%s/fs", (char *)*state);
	autoclose int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
	struct ext4_request req = { .fd = fd, .size = 8 << 20, .now_s = 1 };
	struct error err = { 0 };

	assert_int_equal(
		filetree_put_bytes(t, "large", 0644, xcalloc(1, 20 << 20), 20 << 20, when, NULL),
		0);
	assert_int_equal(ftruncate(fd, req.size), 0);
	assert_int_equal(ext4_write(t, &req, &err), -ENOSPC);
	assert_non_null(strstr(err.text, "full"));
}

static void a_time_beyond_what_it_holds_is_the_nearest(void **state)
{
	static const struct {
		int64_t time, kept;
	} cases[] = {
		{ 0, 0 },
		{ -1, -1 },
		{ 1700000000, 1700000000 },
		{ INT64_C(1) << 31, INT64_C(1) << 31 },
		{ INT64_C(1) << 32, INT64_C(1) << 32 },
		{ 15032385535, 15032385535 },
		{ 15032385536, 15032385535 },
		{ INT64_MAX, 15032385535 },
		{ -(INT64_C(1) << 31), -(INT64_C(1) << 31) },
		{ -(INT64_C(1) << 31) - 1, -(INT64_C(1) << 31) },
		{ INT64_MIN, -(INT64_C(1) << 31) },
	};
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	cleanup(disk_cleanup) struct disk *d = NULL;
	autofree char *path = xasprintf("%s/fs", (char *)*state);
	struct filetree *back = NULL;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *name = xasprintf("f%zu", i);

		assert_int_equal(filetree_put_bytes(t, name, 0644, xstrdup(""), 0,
						    (struct timespec) { cases[i].time, 5 }, NULL),
				 0);
	}
	write_fs(*state, t, 8 << 20);
	assert_int_equal(disk_open(path, 0, &d, NULL), 0);
	assert_int_equal(disk_read_tree(d, &back, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *name = xasprintf("f%zu", i);

		assert_true(dir_find(back->root, name)->mtime.tv_sec == cases[i].kept);
	}
}

/* e2fsck's own word for it. */
static void a_file_with_too_many_names_is_refused(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	struct file *f = filetree_add(t, S_IFREG | 0644);
	struct ext4_request req = { .fd = -1, .label = "test", .size = 100 << 20 };
	struct error err = { 0 };

	(void)state;
	for (int i = 0; i <= 65000; i++) {
		autofree char *name = xasprintf("%d", i);

		dir_put(t->root, name, f);
	}
	assert_int_equal(ext4_write(t, &req, &err), -EMLINK);
	assert_string_equal(err.text, "0 has 65001 names, and an ext4 takes 65000 of one file");
}

static void links_of_every_size_are_sound(void **state)
{
	static const size_t lens[] = { 1, 58, 59, 60, 61, 1024, 4095 };
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	struct strv argv = { 0 };
	struct error err = { 0 };
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		autofree char *name = xasprintf("link-%zu", lens[i]);
		struct file *f = filetree_add(t, S_IFLNK | 0777);

		f->target = xcalloc(1, lens[i] + 1);
		memset(f->target, 't', lens[i]);
		dir_put(t->root, name, f);
	}
	write_fs(*state, t, 8 << 20);
	strv_add(&argv, "e2fsck");
	strv_add(&argv, "-f");
	strv_add(&argv, "-n");
	strv_addf(&argv, "%s/fs", (char *)*state);
	r = tool_run(&argv, NULL, 0, 0, "e2fsprogs", &err);
	strv_done(&argv);
	if (r == -ENOENT)
		skip();
	assert_string_equal(err.text, "");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(names_come_back, scratch_setup, scratch_teardown),
		cmocka_unit_test(a_file_with_too_many_names_is_refused),
		cmocka_unit_test_setup_teardown(too_small_is_said, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(a_time_beyond_what_it_holds_is_the_nearest,
						scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(links_of_every_size_are_sound, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
