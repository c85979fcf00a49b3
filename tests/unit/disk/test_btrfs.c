/* tests/unit/disk/test_btrfs.c - what the kernel reads back is in tests/system; here are the books,
 * as btrfs's own program checks them, and what our reader sees.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "../scratch.h"
#include "base/strv.h"
#include "disk/btrfs.h"
#include "disk/filetree.h"
#include "disk/region.h"
#include "disk/tool.h"
#include "disk/tree_btrfs.h"
#include "image/tar.h"

#define MIB (1LL << 20)

static const struct timespec when = { .tv_sec = 1700000000, .tv_nsec = 5 };
static const uint8_t uuid[16] = { 1, 2, 3, 4, 5, 6, 7, 8, 9 };

static int write_fs(const char *dir, struct filetree *t, int64_t size)
{
	autofree char *path = xasprintf("%s/fs", dir);
	autoclose int fd = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	struct error err = { 0 };
	int r;

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, size), 0);
	r = btrfs_write(t, fd, size, uuid, 1700000000, &err);
	assert_true((r < 0) == (*err.text != '\0'));
	return r;
}

/* Of the size that it says it takes, with that much more. */
static int64_t write_fitting(const char *dir, struct filetree *t, int64_t more)
{
	int64_t size = 0;

	assert_int_equal(btrfs_fit(t, more, &size, NULL), 0);
	assert_int_equal(size % MIB, 0);
	assert_int_equal(write_fs(dir, t, size), 0);
	return size;
}

static void expect_sound(const char *dir)
{
	struct strv argv = { 0 };
	struct error err = { 0 };
	int r;

	strv_add(&argv, "btrfs");
	strv_add(&argv, "check");
	strv_add(&argv, "--check-data-csum");
	strv_addf(&argv, "%s/fs", dir);
	r = tool_run(&argv, NULL, 0, 0, "btrfs-progs", &err);
	strv_done(&argv);
	if (r == -ENOENT)
		skip();
	assert_string_equal(err.text, "");
	assert_int_equal(r, 0);
}

static struct filetree *read_back(const char *dir, int *ret_fd)
{
	autofree char *path = xasprintf("%s/fs", dir);
	struct region at = { .fd = open(path, O_RDONLY | O_CLOEXEC) };
	struct filetree *back = filetree_new();
	struct error err = { 0 };
	struct stat st;

	assert_true(at.fd >= 0 && fstat(at.fd, &st) == 0);
	at.size = st.st_size;
	assert_int_equal(filetree_add_btrfs(back, &at, NULL, &err), 0);
	assert_string_equal(err.text, "");
	*ret_fd = at.fd;
	return back;
}

static void put(struct filetree *t, const char *name)
{
	assert_int_equal(filetree_put_bytes(t, name, 0644, xstrdup("x"), 1, when, NULL), 0);
}

static void put_large(struct filetree *t, const char *name, size_t len, char byte)
{
	char *bytes = xmalloc(len + 1);

	memset(bytes, byte, len);
	assert_int_equal(filetree_put_bytes(t, name, 0644, bytes, len, when, NULL), 0);
}

static void an_empty_one(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();

	assert_true(write_fitting(*state, t, 0) <= 128 * MIB);
	expect_sound(*state);
	assert_int_equal(write_fs(*state, t, 30 * MIB), -ENOSPC);
}

/* So many that trees have three levels. */
static void many_files(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	cleanup(filetree_cleanup) struct filetree *back = NULL;
	int fd;

	for (int i = 0; i < 70000; i++) {
		autofree char *name = xasprintf("dir%d/a-name-of-some-length-%d", i % 3, i);

		put(t, name);
	}
	write_fitting(*state, t, 0);
	expect_sound(*state);
	back = read_back(*state, &fd);
	assert_int_equal(dir_find(back->root, "dir0")->nnames, 23334);
	(void)close(fd);
}

/* More names of one file than an item holds, of the greatest length, in two directories. */
static void many_names_of_one_file(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	cleanup(filetree_cleanup) struct filetree *back = NULL;
	const struct file *f;
	int fd;

	put(t, "a/first");
	put(t, "b/other");
	for (int i = 0; i < 200; i++) {
		autofree char *name = xasprintf("%0255d", i);
		struct file *dir = dir_find(t->root, i % 4 ? "a" : "b");

		dir_put(dir, name, dir_find(dir_find(t->root, "a"), "first"));
	}
	write_fitting(*state, t, 0);
	expect_sound(*state);
	back = read_back(*state, &fd);
	filetree_number(back, 1, 2);
	f = dir_find(dir_find(back->root, "a"), "first");
	assert_int_equal(f->links, 201);
	assert_int_equal(dir_find(back->root, "a")->nnames, 151);
	(void)close(fd);
}

/* Their hashes are the same, so they share an item. */
static void names_with_one_hash(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	cleanup(filetree_cleanup) struct filetree *back = NULL;
	int fd;

	put(t, "2032408-name");
	put(t, "1343832-name");
	write_fitting(*state, t, 0);
	expect_sound(*state);
	back = read_back(*state, &fd);
	assert_int_equal(back->root->nnames, 2);
	(void)close(fd);
}

/* Across the copy of the superblock at 64 MiB, in more extents than one, around holes. */
static void large_files_and_holes(void **state)
{
	static const int64_t places[] = { 4096 * 3 + 5, 9 * MIB, 200 * MIB };
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	cleanup(filetree_cleanup) struct filetree *back = NULL;
	autofree char *source = xasprintf("%s/source", (char *)*state);
	int fd = open(source, O_RDWR | O_CREAT | O_CLOEXEC, 0644), read_fd;
	autofree char *text = NULL;
	struct file *f;
	size_t len;

	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, "abcdef", 6, 100), 6);
	put_large(t, "large", 150 << 20, 'l');
	put_large(t, "inline", 2048, 'i');
	put_large(t, "block", 2049, 'b');
	put_large(t, "none", 0, 'n');
	f = filetree_add(t, S_IFREG | 0644);
	f->content = (struct content) { .kind = CONTENT_PIECES, .fd = fd, .size = 1LL << 40 };
	for (size_t i = 0; i < ARRAY_SIZE(places); i++)
		content_add_piece(&f->content, places[i], 100 + (int64_t)i, 3);
	dir_put(t->root, "holes", f);
	f = filetree_add(t, S_IFREG | 0600);
	f->content = (struct content) { .kind = CONTENT_PIECES, .fd = fd, .size = 5 * MIB };
	dir_put(t->root, "hole", f);
	write_fitting(*state, t, 100 * MIB);
	expect_sound(*state);
	back = read_back(*state, &read_fd);
	f = dir_find(back->root, "holes");
	assert_int_equal(f->content.size, 1LL << 40);
	assert_int_equal(f->content.n, 3);
	assert_int_equal(f->content.pieces[0].at, 12288);
	f = dir_find(back->root, "block");
	assert_int_equal(content_read(&f->content, 4096, 4096, &text, &len, NULL), 0);
	assert_int_equal(len, 2049);
	assert_int_equal(text[2048], 'b');
	assert_int_equal(dir_find(back->root, "hole")->content.size, 5 * MIB);
	(void)close(read_fd);
	(void)close(fd);
}

static void add_xattr(struct file *f, const char *name, size_t len)
{
	f->xattrs = xrealloc(f->xattrs, f->nxattrs + 1, sizeof(*f->xattrs));
	f->xattrs[f->nxattrs++] = (struct tar_xattr) { xstrdup(name), xcalloc(1, len + 1), len };
}

static void files_of_each_kind(void **state)
{
	static const mode_t modes[] = { S_IFCHR | 0620, S_IFBLK | 06660, S_IFIFO | 0600,
					S_IFSOCK | 0755 };
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	cleanup(filetree_cleanup) struct filetree *back = NULL;
	struct file *f;
	int fd;

	for (size_t i = 0; i < ARRAY_SIZE(modes); i++) {
		autofree char *name = xasprintf("kind-%zu", i);

		f = filetree_add(t, modes[i]);
		f->major = 259;
		f->minor = 70000;
		f->uid = 4000000000U;
		f->gid = 7;
		f->mtime = (struct timespec) { -5, 999999999 };
		dir_put(t->root, name, f);
	}
	f = filetree_add(t, S_IFLNK | 0777);
	f->target = xcalloc(1, 4096);
	memset(f->target, 't', 4095);
	dir_put(t->root, "link", f);
	put(t, "attributes");
	add_xattr(dir_find(t->root, "attributes"), "user.a", 16000);
	add_xattr(dir_find(t->root, "attributes"), "security.capability", 20);
	write_fitting(*state, t, 0);
	expect_sound(*state);
	back = read_back(*state, &fd);
	f = dir_find(back->root, "kind-1");
	assert_int_equal(f->mode, modes[1]);
	assert_int_equal(f->major, 259);
	assert_int_equal(f->minor, 70000);
	assert_int_equal(f->uid, 4000000000U);
	assert_int_equal(f->mtime.tv_sec, -5);
	assert_int_equal(f->mtime.tv_nsec, 999999999);
	assert_int_equal(strlen(dir_find(back->root, "link")->target), 4095);
	assert_int_equal(dir_find(back->root, "attributes")->nxattrs, 2);
	(void)close(fd);
	add_xattr(dir_find(t->root, "attributes"), "user.b", 16300);
	assert_int_equal(write_fs(*state, t, 200 * MIB), -EFBIG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(an_empty_one, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(many_files, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(many_names_of_one_file, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(names_with_one_hash, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(large_files_and_holes, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(files_of_each_kind, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
