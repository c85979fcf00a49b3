/* tests/unit/disk/test_tree_btrfs.c - of mkfs.btrfs's making; a kernel's are in tests/system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <zlib.h>

#include "../scratch.h"
#include "base/strv.h"
#include "disk/filetree.h"
#include "disk/region.h"
#include "disk/tool.h"
#include "disk/tree_btrfs.h"

#define SUPER 65536
#define SIZE  (120 << 20)

/* Of a directory with 300 names, a file with its bytes in the tree, one with an extent, a link. */
static struct region make_fs(const char *dir)
{
	autofree char *path = xasprintf("%s/fs", dir), *link = xasprintf("%s/tree/link", dir),
		      *tree = xasprintf("%s/tree", dir), *many = xasprintf("%s/tree/many", dir);
	struct region at = { .fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644), .size = SIZE };
	struct strv argv = { 0 };
	char large[10001];
	int r;

	memset(large, 'l', sizeof(large) - 1);
	large[sizeof(large) - 1] = '\0';
	assert_true(at.fd >= 0 && ftruncate(at.fd, SIZE) == 0);
	assert_int_equal(mkdir(tree, 0755), 0);
	assert_int_equal(mkdir(many, 0751), 0);
	scratch_put(tree, "small", "text");
	scratch_put(tree, "large", large);
	assert_int_equal(symlink("small", link), 0);
	for (int i = 0; i < 300; i++) {
		autofree char *name = xasprintf("name-%d", i);

		scratch_put(many, name, "");
	}
	strv_add(&argv, "mkfs.btrfs");
	strv_add(&argv, "-q");
	strv_add(&argv, "-n4096");
	strv_add(&argv, "-msingle"); /* of metadata one copy */
	strv_add(&argv, "--rootdir");
	strv_add(&argv, tree);
	strv_add(&argv, path);
	r = tool_run(&argv, NULL, 0, 0, "btrfs-progs", NULL);
	strv_done(&argv);
	if (r == -ENOENT)
		skip();
	assert_int_equal(r, 0);
	return at;
}

static void refused(const struct region *at, int64_t where, char byte, int expected,
		    const char *says)
{
	cleanup(filetree_cleanup) struct filetree *back = filetree_new();
	struct error err = { 0 };
	char before;

	assert_int_equal(pread(at->fd, &before, 1, where), 1);
	assert_int_equal(pwrite(at->fd, &byte, 1, where), 1);
	assert_int_equal(filetree_add_btrfs(back, at, NULL, &err), expected);
	assert_non_null(strstr(err.text, says));
	assert_int_equal(pwrite(at->fd, &before, 1, where), 1);
}

/* Where bytes lie, from a place on, that begin where a block does, or anywhere. */
static off_t find_bytes(const struct region *at, off_t place, const void *what, size_t len,
			size_t step)
{
	autofree char *bytes = xmalloc(1 << 20);

	for (; place < SIZE && (place = lseek(at->fd, place, SEEK_DATA)) >= 0;
	     place += (1 << 20) - 4096) {
		ssize_t n = pread(at->fd, bytes, 1 << 20, place);

		for (size_t i = 0; i + len <= (size_t)n; i += step)
			if (memcmp(bytes + i, what, len) == 0)
				return place + (off_t)i;
	}
	fail_msg("not found");
	return -1;
}

/* The item of the one extent, which is 12288 bytes; there are older copies of it. */
static off_t find_extent(const struct region *at)
{
	const uint64_t numbers[] = { 12288, 0, 12288 };
	off_t place = 0;
	int r;

	do {
		cleanup(filetree_cleanup) struct filetree *back = filetree_new();

		place = find_bytes(at, place, numbers, sizeof(numbers), 1) + 1;
		assert_int_equal(pwrite(at->fd, "\4", 1, place - 30 + 16), 1);
		r = filetree_add_btrfs(back, at, NULL, NULL);
		assert_int_equal(pwrite(at->fd, "\0", 1, place - 30 + 16), 1);
	} while (r == 0);
	return place - 30;
}

/* "large", as if the kernel had compressed it: its extent says so, and holds it by zlib. */
static off_t make_compressed(const struct region *at, char *text, size_t len)
{
	const uint64_t packed = 8192;
	off_t item = find_extent(at);
	autofree char *is = xmalloc(4096), *bytes = xcalloc(1, packed);
	uLongf n = packed;
	off_t place;

	memset(is, 'l', 4096);
	place = find_bytes(at, 0, is, 4096, 4096);
	for (size_t i = 0; i < len; i++)
		text[i] = (char)(i * i % 251);
	assert_int_equal(compress((Bytef *)bytes, &n, (const Bytef *)text, len), Z_OK);
	assert_int_equal(pwrite(at->fd, bytes, packed, place), packed);
	assert_int_equal(pwrite(at->fd, "\1", 1, item + 16), 1);
	assert_int_equal(pwrite(at->fd, &packed, 8, item + 29), 8);
	return item;
}

static void compressed(const struct region *at)
{
	cleanup(filetree_cleanup) struct filetree *back = filetree_new();
	autofree char *text = xmalloc(10000), *bytes = NULL;
	const off_t item = make_compressed(at, text, 10000);
	size_t len;

	assert_int_equal(filetree_add_btrfs(back, at, NULL, NULL), 0);
	assert_int_equal(content_read(&dir_find(back->root, "large")->content, 20000, 20000, &bytes,
				      &len, NULL),
			 0);
	assert_int_equal(len, 10000);
	assert_memory_equal(bytes, text, len);
	refused(at, item + 16, 2, -EOPNOTSUPP, "lzo");
	refused(at, item + 16, 4, -EOPNOTSUPP, "not known");
	refused(at, item + 17, 1, -EOPNOTSUPP, "not known");
	refused(at, item + 8 + 2, 9, -EBADMSG, "a compressed part");     /* what it becomes */
	refused(at, item + 29 + 2, 9, -EBADMSG, "");                     /* what it is */
	refused(at, item + 37 + 1, 0x20, -EBADMSG, "a compressed part"); /* where in it */
}

/* One file system for all: mkfs.btrfs waits for the disk. */
static void it_is_read_or_refused(void **state)
{
	cleanup(filetree_cleanup) struct filetree *back = filetree_new();
	struct region at = make_fs(*state);
	autofree char *text = NULL, *large = NULL;
	const struct file *f;
	size_t len;

	assert_int_equal(filetree_add_btrfs(back, &at, NULL, NULL), 0);
	assert_int_equal(back->root->nnames, 4);
	f = dir_find(back->root, "many");
	assert_int_equal(f->mode, S_IFDIR | 0751);
	assert_int_equal(f->nnames, 300);
	f = dir_find(back->root, "small");
	assert_int_equal(content_read(&f->content, 100, 100, &text, &len, NULL), 0);
	assert_string_equal(text, "text");
	f = dir_find(back->root, "large");
	assert_int_equal(content_read(&f->content, 20000, 20000, &large, &len, NULL), 0);
	assert_int_equal(len, 10000);
	assert_int_equal(large[0], 'l');
	assert_int_equal(large[9999], 'l');
	assert_string_equal(dir_find(back->root, "link")->target, "small");
	refused(&at, SUPER + 64, 'x', -EBADMSG, "superblock");
	refused(&at, SUPER + 136, 2, -EOPNOTSUPP, "several devices");
	refused(&at, SUPER + 192, 1, -EOPNOTSUPP, "features");
	refused(&at, SUPER + 96, 1, -EBUSY, "not left cleanly");
	compressed(&at);
	(void)close(at.fd);
}

/* Bytes anywhere in what is used: an answer, and no more than that. */
static void damage_is_told_or_harmless(void **state)
{
	struct region at = make_fs(*state);
	uint32_t chance = 1;
	int told = 0;

	for (int i = 0; i < 2000; i++) {
		cleanup(filetree_cleanup) struct filetree *back = filetree_new();
		struct error err = { 0 };
		char before[4], bytes[4];
		off_t where;
		int r;

		for (size_t k = 0; k < sizeof(bytes); k++) {
			chance = chance * 1664525 + 1013904223;
			bytes[k] = (char)(chance >> 24);
		}
		chance = chance * 1664525 + 1013904223;
		where = lseek(at.fd, (off_t)(chance >> 4) % (SIZE - 4), SEEK_DATA);
		chance = chance * 1664525 + 1013904223;
		where = where < 0 || i % 8 == 0 ? SUPER + (off_t)(chance >> 8) % 1200
						: where + (off_t)(chance >> 8) % 16384;
		if (pread(at.fd, before, sizeof(before), where) != sizeof(before))
			continue;
		assert_int_equal(pwrite(at.fd, bytes, sizeof(bytes), where), sizeof(bytes));
		r = filetree_add_btrfs(back, &at, NULL, &err);
		assert_true(r == 0 || *err.text);
		if (r == 0)
			filetree_number(back, 1, 2);
		told += r < 0;
		assert_int_equal(pwrite(at.fd, before, sizeof(before), where), sizeof(before));
	}
	assert_true(told > 0);
	(void)close(at.fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(it_is_read_or_refused, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(damage_is_told_or_harmless, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
