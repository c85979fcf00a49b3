/* tests/unit/disk/test_tree_ext4.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "../scratch.h"
#include "disk/ext4.h"
#include "disk/filetree.h"
#include "disk/reading.h"
#include "disk/tree_ext4.h"

static void write_fs(const char *path, struct filetree *t)
{
	autoclose int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct ext4_request req = { .fd = fd, .now_s = 1700000000, .label = "test" };

	assert_int_equal(ext4_fit(t, &req, 1 << 20, &req.size, NULL), 0);
	assert_int_equal(ftruncate(fd, req.size), 0);
	assert_int_equal(ext4_write(t, &req, NULL), 0);
}

static struct file *add(struct filetree *t, struct file *dir, const char *name, mode_t mode)
{
	struct file *f = filetree_add(t, mode);

	dir_put(dir, name, f);
	return f;
}

static int read_back(const struct disk *d, struct filetree *t, struct error *err)
{
	return filetree_add_ext4(t, d->fs, d->fd, 0, err);
}

static void same_file(const struct file *a, const struct file *b)
{
	assert_int_equal(a->mode, b->mode);
	assert_int_equal(a->uid, b->uid);
	assert_int_equal(a->gid, b->gid);
	assert_int_equal(a->mtime.tv_sec, b->mtime.tv_sec);
	assert_int_equal(a->mtime.tv_nsec, b->mtime.tv_nsec);
	assert_int_equal(a->major, b->major);
	assert_int_equal(a->minor, b->minor);
}

/* What the writing half wrote; links of both kinds, devices of both, times of all ages. */
static void a_tree_comes_back(void **state)
{
	static const int64_t seconds[] = { -2147483648, -1,         0,          2147483647,
					   2147483648,  4294967295, 4294967296, 15032385535 };
	cleanup(filetree_cleanup) struct filetree *t = filetree_new(), *back = filetree_new();
	cleanup(disk_cleanup) struct disk *d = NULL;
	autofree char *path = xasprintf("%s/fs", (char *)*state);
	struct file *f;

	for (size_t i = 0; i < ARRAY_SIZE(seconds); i++) {
		autofree char *name = xasprintf("file%zu", i);

		f = add(t, t->root, name, S_IFREG | 06751);
		f->uid = 70000 + (uint32_t)i;
		f->gid = 4000000000U;
		f->mtime = (struct timespec) { seconds[i], 999999999 - (long)i };
	}
	dir_put(t->root, "again", dir_find(t->root, "file1"));
	add(t, t->root, "short", S_IFLNK | 0777)->target = xstrdup("file1");
	add(t, t->root, "long", S_IFLNK | 0777)->target = xasprintf("%0300d", 7);
	f = add(t, t->root, "tty", S_IFCHR | 0620);
	f->major = 5;
	f = add(t, t->root, "large", S_IFBLK | 0600);
	f->major = 259;
	f->minor = 70000;
	f = add(t, add(t, t->root, "dir", S_IFDIR | 01777), "pipe", S_IFIFO | 0644);
	write_fs(path, t);
	assert_int_equal(disk_open(path, 0, &d, NULL), 0);
	assert_int_equal(disk_read(d, NULL), 0);
	assert_int_equal(read_back(d, back, NULL), 0);
	assert_int_equal(back->root->nnames, t->root->nnames);
	for (size_t i = 0; i < t->root->nnames; i++)
		same_file(t->root->names[i].file, back->root->names[i].file);
	assert_ptr_equal(dir_find(back->root, "again"), dir_find(back->root, "file1"));
	assert_string_equal(dir_find(back->root, "short")->target, "file1");
	assert_string_equal(dir_find(back->root, "long")->target,
			    dir_find(t->root, "long")->target);
	assert_true(S_ISFIFO(dir_find(dir_find(back->root, "dir"), "pipe")->mode));
}

/* Bytes anywhere in the books of a file system: an answer, and no more than that. */
static void damage_is_told_or_harmless(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	autofree char *path = xasprintf("%s/fs", (char *)*state);
	const struct timespec when = { .tv_sec = 1700000000 };
	uint32_t chance = 1;
	int told = 0;

	for (int i = 0; i < 200; i++) {
		autofree char *name = xasprintf("dir%d/file", i);

		assert_int_equal(filetree_put_bytes(t, name, 0644, xasprintf("%05000d", i), 5000,
						    when, NULL),
				 0);
	}
	write_fs(path, t);
	for (int i = 0; i < 300; i++) {
		cleanup(filetree_cleanup) struct filetree *back = filetree_new();
		autoclose int fd = open(path, O_RDWR | O_CLOEXEC);
		struct error err = { 0 };
		struct disk *d = NULL;
		char before[16], bytes[16];
		off_t at;
		int r;

		for (size_t k = 0; k < sizeof(bytes); k++) {
			chance = chance * 1664525 + 1013904223;
			bytes[k] = (char)(chance >> 24);
		}
		chance = chance * 1664525 + 1013904223;
		at = 1024 + (off_t)(chance >> 8) % (1 << 20);
		assert_int_equal(pread(fd, before, sizeof(before), at), sizeof(before));
		assert_int_equal(pwrite(fd, bytes, sizeof(bytes), at), sizeof(bytes));
		r = disk_open(path, 0, &d, &err);
		if (r == 0)
			r = disk_read(d, &err);
		if (r == 0)
			r = read_back(d, back, &err);
		assert_true(r == 0 || *err.text);
		told += r < 0;
		disk_close(d);
		assert_int_equal(pwrite(fd, before, sizeof(before), at), sizeof(before));
	}
	assert_true(told > 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_tree_comes_back, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(damage_is_told_or_harmless, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
