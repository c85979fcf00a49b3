/* tests/unit/disk/test_reading.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <unistd.h>

#include "../scratch.h"
#include "base/strv.h"
#include "disk/erofs.h"
#include "disk/ext4.h"
#include "disk/filetree.h"
#include "disk/reading.h"

#define EXT4_SIZE (8LL << 20)

static const struct timespec when = { .tv_sec = 1700000000 };
static const struct identity id = { .seed = "5eed" };

static struct filetree *make_tree(void)
{
	struct filetree *t = filetree_new();
	struct file *f;

	assert_int_equal(filetree_put_bytes(t, "etc/name", 0640, xstrdup("hello"), 5, when, NULL),
			 0);
	assert_int_equal(filetree_put_bytes(t, "etc/empty", 0600, xstrdup(""), 0, when, NULL), 0);
	f = filetree_add(t, S_IFLNK | 0777);
	f->target = xstrdup("../../etc/name");
	dir_put(t->root, "link", f);
	f = filetree_add(t, S_IFLNK | 0777);
	f->target = xstrdup("loop");
	dir_put(t->root, "loop", f);
	f = filetree_resolve(t, "etc/name", NULL);
	f->uid = 70000;
	return t;
}

static int open_file(const char *path)
{
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	return fd;
}

static void write_ext4(struct filetree *t, int fd, int64_t offset)
{
	const struct ext4_request req = {
		.fd = fd, .offset = offset, .size = EXT4_SIZE, .label = "it", .now_s = 1700000000
	};

	assert_int_equal(ftruncate(fd, offset + EXT4_SIZE), 0);
	assert_int_equal(ext4_write(t, &req, NULL), 0);
}

static void write_erofs(struct filetree *t, int fd)
{
	static const uint8_t uuid[16] = { 1 };
	int64_t size = 0;

	assert_int_equal(erofs_write(t, fd, uuid, 1, &size, NULL), 0);
}

static int note(void *data, const struct disk_entry *e, struct error *err)
{
	(void)err;
	strv_add(data, e->name);
	return 0;
}

static void holds_the_files(struct disk *d, const char *dir)
{
	struct disk_entry e = { .target = NULL };
	struct strv names = { 0 };
	struct error err = { 0 };
	autofree char *path = xasprintf("%s/out", dir), *text = NULL;
	int to;

	assert_int_equal(disk_read(d, &err), 0);
	assert_int_equal(disk_read(d, &err), 0);
	assert_int_equal(disk_find(d, "/etc/name", &e, &err), 0);
	assert_string_equal(e.name, "name");
	assert_int_equal(e.mode, S_IFREG | 0640);
	assert_int_equal(e.uid, 70000);
	assert_int_equal(e.size, 5);
	assert_int_equal(e.mtime_s, when.tv_sec);
	to = open_file(path);
	assert_int_equal(disk_copy_out(d, e.number, to, &err), 0);
	(void)close(to);
	text = scratch_get(dir, "out");
	assert_string_equal(text, "hello");
	disk_entry_done(&e);
	/* Not further up than the disk's root. */
	assert_int_equal(disk_find(d, "/link", &e, &err), 0);
	assert_int_equal(e.size, 5);
	disk_entry_done(&e);
	assert_int_equal(disk_find(d, "/", &e, &err), 0);
	assert_true(S_ISDIR(e.mode));
	assert_int_equal(disk_list(d, e.number, note, &names, &err), 0);
	for (size_t i = 1; i < names.n; i++)
		assert_true(strcmp(names.items[i - 1], names.items[i]) < 0);
	assert_true(strv_has(&names, "etc"));
	assert_true(strv_has(&names, "link"));
	assert_false(strv_has(&names, ".."));
	strv_done(&names);
	disk_entry_done(&e);
	assert_int_equal(disk_find(d, "/nothing", &e, &err), -ENOENT);
	assert_string_equal(err.text, "/nothing is not on the disk");
	assert_int_equal(disk_find(d, "/etc/name/x", &e, &err), -ENOENT);
	assert_true(disk_find(d, "/loop", &e, &err) < 0);
}

static void a_file_system_without_a_table_is_the_root(void **state)
{
	for (int erofs = 0; erofs < 2; erofs++) {
		cleanup(filetree_cleanup) struct filetree *t = make_tree();
		cleanup(disk_cleanup) struct disk *d = NULL;
		autofree char *path = xasprintf("%s/disk%d", (char *)*state, erofs);
		struct error err = { 0 };
		int fd = open_file(path);

		if (erofs)
			write_erofs(t, fd);
		else
			write_ext4(t, fd, 0);
		(void)close(fd);
		assert_int_equal(disk_open(path, 0, &d, &err), 0);
		assert_int_equal(d->nparts, 0);
		assert_string_equal(d->volume.type, erofs ? "erofs" : "ext4");
		holds_the_files(d, *state);
		if (!erofs)
			assert_string_equal(d->volume.label, "it");
	}
}

static void the_partition_that_says_so_is_the_root(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = make_tree(), *empty = filetree_new();
	cleanup(disk_cleanup) struct disk *d = NULL, *other = NULL, *none = NULL;
	autofree char *path = xasprintf("%s/disk", (char *)*state);
	struct filetree *tree = NULL;
	struct error err = { 0 };
	struct layout l;
	int fd = open_file(path);

	layout_begin(&l, TABLE_GPT, &id);
	(void)layout_add(&l, PARTITION_SWAP, "swap", 1 << 20);
	(void)layout_add(&l, PARTITION_ROOT, "root", EXT4_SIZE);
	(void)layout_add(&l, PARTITION_DATA, "data", 2 * EXT4_SIZE);
	assert_int_equal(ftruncate(fd, partition_disk_size(l.end)), 0);
	assert_int_equal(partition_write(fd, &l, &err), 0);
	write_ext4(t, fd, l.parts[1].offset);
	write_ext4(empty, fd, l.parts[2].offset);
	assert_int_equal(ftruncate(fd, partition_disk_size(l.end)), 0);
	assert_int_equal(partition_move_tail(fd, &err), 0);
	(void)close(fd);
	assert_int_equal(disk_open(path, 0, &d, &err), 0);
	assert_int_equal(d->nparts, 3);
	assert_int_equal(d->root, 1);
	assert_int_equal(d->esp, -1);
	holds_the_files(d, *state);
	assert_int_equal(disk_read_tree(d, &tree, &err), 0);
	assert_non_null(filetree_resolve(tree, "etc/name", NULL));
	/* One that is asked for. */
	assert_int_equal(disk_open(path, 3, &other, &err), 0);
	assert_int_equal(disk_read_tree(other, &tree, &err), 0);
	assert_null(filetree_resolve(tree, "etc/name", NULL));
	assert_int_equal(disk_open(path, 4, &none, &err), -ENOENT);
	assert_non_null(strstr(err.text, "it has no partition 4, but 3 of them"));
	assert_int_equal(disk_open(path, -1, &none, &err), -ENOENT);
	assert_int_equal(disk_open(path, 1, &none, &err), 0);
	assert_int_equal(disk_read(none, &err), -ENOENT);
	assert_string_equal(err.text, "its partition 1 holds no known file system");
}

static void what_is_no_disk_is_refused(void **state)
{
	static const char *const names[] = { "empty", "text", "short", "dir" };
	autofree char *dir = xasprintf("%s/dir", (char *)*state);

	scratch_put(*state, "empty", "");
	scratch_put(*state, "text", "no disk at all, and not even a sector long");
	scratch_put(*state, "short", "\xeb");
	assert_int_equal(mkdir(dir, 0700), 0);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		autofree char *path = xasprintf("%s/%s", (char *)*state, names[i]);
		struct error err = { 0 };
		struct disk *d = NULL;

		assert_true(disk_open(path, 0, &d, &err) < 0);
		assert_null(d);
		assert_non_null(strstr(err.text, names[i]));
	}
}

/* Bytes anywhere in an ext4 or erofs: an answer, and no more than that. */
static void damage_is_told_or_harmless(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = make_tree();
	autofree char *path = xasprintf("%s/disk", (char *)*state);
	uint32_t chance = 1;
	int fd = open_file(path);

	write_ext4(t, fd, 0);
	for (int i = 0; i < 150; i++) {
		cleanup(disk_cleanup) struct disk *d = NULL;
		struct disk_entry e = { .target = NULL };
		struct strv names = { 0 };
		struct error err = { 0 };
		char before[4], bytes[4];
		off_t where;

		for (size_t k = 0; k < sizeof(bytes); k++) {
			chance = chance * 1664525 + 1013904223;
			bytes[k] = (char)(chance >> 24);
		}
		chance = chance * 1664525 + 1013904223;
		where = 1024 + (off_t)((chance >> 8) % (i % 2 ? 100 : 200 << 10));
		assert_int_equal(pread(fd, before, sizeof(before), where), sizeof(before));
		assert_int_equal(pwrite(fd, bytes, sizeof(bytes), where), sizeof(bytes));
		if (disk_open(path, 0, &d, &err) == 0 && disk_read(d, &err) == 0 &&
		    disk_find(d, "/etc", &e, &err) == 0)
			ignore_result(disk_list(d, e.number, note, &names, &err));
		disk_entry_done(&e);
		strv_done(&names);
		assert_int_equal(pwrite(fd, before, sizeof(before), where), sizeof(before));
	}
	(void)close(fd);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_file_system_without_a_table_is_the_root),
		CASE(the_partition_that_says_so_is_the_root),
		CASE(what_is_no_disk_is_refused),
		CASE(damage_is_told_or_harmless),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
