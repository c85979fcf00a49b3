/* tests/unit/disk/test_xfs.c - what the kernel reads back is in tests/system; here are the books.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../scratch.h"
#include "base/strv.h"
#include "disk/filetree.h"
#include "disk/tool.h"
#include "disk/xfs.h"
#include "image/tar.h"

static const struct timespec when = { .tv_sec = 1700000000, .tv_nsec = 5 };
static const uint8_t uuid[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static int write_fs(const char *dir, struct filetree *t, int64_t size)
{
	autofree char *path = xasprintf("%s/fs", dir);
	autoclose int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	return xfs_write(t, fd, size, uuid, 1700000000, NULL);
}

static void expect_sound(const char *dir)
{
	struct strv argv = { 0 };
	struct error err = { 0 };
	int r;

	strv_add(&argv, "xfs_repair");
	strv_add(&argv, "-n");
	strv_add(&argv, "-f");
	strv_addf(&argv, "%s/fs", dir);
	r = tool_run(&argv, NULL, 0, 0, "xfsprogs", &err);
	strv_done(&argv);
	if (r == -ENOENT)
		skip();
	assert_string_equal(err.text, "");
	assert_int_equal(r, 0);
}

static void put(struct filetree *t, const char *name)
{
	assert_int_equal(filetree_put_bytes(t, name, 0644, xstrdup("x"), 1, when, NULL), 0);
}

/* So many that directories need a tree of hashes, and inodes a tree of chunks. */
static void many_files(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();

	for (int i = 0; i < 18000; i++) {
		autofree char *name = xasprintf("dir%d/a-name-of-some-length-%d", i % 3, i);

		put(t, name);
	}
	assert_int_equal(write_fs(*state, t, 256 << 20), 0);
	expect_sound(*state);
}

/* Each form of a directory, on both sides of its bounds. */
static void directories_of_every_size(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();

	for (int n = 1; n < 700; n += n < 140 ? 1 : 13)
		for (int i = 0; i < n; i++) {
			autofree char *name = xasprintf("dir%d/name-%d", n, i);

			put(t, name);
		}
	assert_int_equal(write_fs(*state, t, 512 << 20), 0);
	expect_sound(*state);
}

/* A file goes on in the next group; what is full has no free run. */
static void files_across_groups(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	char *bytes = xcalloc(1, 60 << 20);

	memset(bytes, 'x', 60 << 20);
	assert_int_equal(filetree_put_bytes(t, "a", 0644, bytes, 60 << 20, when, NULL), 0);
	put(t, "b");
	assert_int_equal(write_fs(*state, t, 80 << 20), 0);
	expect_sound(*state);
	assert_int_equal(write_fs(*state, t, 66 << 20), -ENOSPC);
}

static void attributes_in_a_block(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	struct file *f;

	put(t, "f");
	f = dir_find(t->root, "f");
	f->nxattrs = 2;
	f->xattrs = xcalloc(2, sizeof(*f->xattrs));
	f->xattrs[0] = (struct tar_xattr) { xstrdup("user.a"), xcalloc(1, 2000), 2000 };
	f->xattrs[1] = (struct tar_xattr) { xstrdup("user.b"), xcalloc(1, 300), 300 };
	assert_int_equal(write_fs(*state, t, 128 << 20), 0);
	expect_sound(*state);
	free(f->xattrs[1].value);
	f->xattrs[1].value = xcalloc(1, f->xattrs[1].len = 3000);
	assert_int_equal(write_fs(*state, t, 128 << 20), -EFBIG);
}

/* A target beside attributes in the inode, on both sides of what there is room for. */
static void links_beside_attributes(void **state)
{
	static const size_t lens[] = { 1, 250, 290, 300, 310, 320, 330, 335, 336, 337, 1023 };
	static const size_t values[] = { 0, 1, 30, 200, 1000 };
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	struct file *f;

	for (size_t i = 0; i < ARRAY_SIZE(lens); i++)
		for (size_t k = 0; k < ARRAY_SIZE(values); k++) {
			autofree char *name = xasprintf("link-%zu-%zu", lens[i], values[k]);

			f = filetree_add(t, S_IFLNK | 0777);
			f->target = xcalloc(1, lens[i] + 1);
			memset(f->target, 't', lens[i]);
			dir_put(t->root, name, f);
			if (values[k] == 0)
				continue;
			f->nxattrs = 1;
			f->xattrs = xcalloc(1, sizeof(*f->xattrs));
			f->xattrs[0] = (struct tar_xattr) { xstrdup("trusted.a"),
							    xcalloc(1, values[k]), values[k] };
		}
	assert_int_equal(write_fs(*state, t, 128 << 20), 0);
	expect_sound(*state);
	f = filetree_add(t, S_IFLNK | 0777);
	f->target = xcalloc(1, 1025);
	memset(f->target, 't', 1024);
	dir_put(t->root, "too-long", f);
	assert_int_equal(write_fs(*state, t, 128 << 20), -ENAMETOOLONG);
}

static void times_beyond_what_it_holds(void **state)
{
	static const int64_t times[] = { INT64_MIN,   -(INT64_C(1) << 31) - 1,
					 -1,          INT64_C(16299260424),
					 16299260425, INT64_MAX };
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();

	for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
		autofree char *name = xasprintf("f%zu", i);

		put(t, name);
		dir_find(t->root, name)->mtime = (struct timespec) { times[i], 999999999 };
	}
	assert_int_equal(write_fs(*state, t, 128 << 20), 0);
	expect_sound(*state);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(many_files, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(directories_of_every_size, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(files_across_groups, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(attributes_in_a_block, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(links_beside_attributes, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(times_beyond_what_it_holds, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
