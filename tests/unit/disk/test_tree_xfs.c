/* tests/unit/disk/test_tree_xfs.c - of our own making; a kernel's are in tests/system. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "../scratch.h"
#include "disk/filetree.h"
#include "disk/region.h"
#include "disk/tree_xfs.h"
#include "disk/xfs.h"
#include "image/tar.h"

#define SIZE (96 << 20)
/* In group 0 the inodes begin at block 8; the log is in group 1 there. */
#define LOG_AT (SIZE / 4 + 8 * 4096)

static const struct timespec when = { .tv_sec = 1700000000, .tv_nsec = 7 };
static const struct timespec early = { .tv_sec = -150000000, .tv_nsec = 5 };
static const uint8_t uuid[16] = { 1 };

static struct region write_fs(const char *dir, struct filetree *t)
{
	autofree char *path = xasprintf("%s/fs", dir);
	struct region at = { .fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644), .size = SIZE };

	assert_true(at.fd >= 0);
	assert_int_equal(ftruncate(at.fd, SIZE), 0);
	assert_int_equal(xfs_write(t, at.fd, SIZE, uuid, 1700000000, NULL), 0);
	return at;
}

static struct file *put(struct filetree *t, const char *name, size_t len)
{
	char *bytes = xmalloc(len + 1);

	for (size_t i = 0; i < len; i++)
		bytes[i] = (char)('a' + i % 26);
	assert_int_equal(filetree_put_bytes(t, name, 0640, bytes, len, when, NULL), 0);
	return filetree_resolve(t, name, NULL);
}

static void put_xattr(struct file *f, const char *name, const void *value, size_t len)
{
	struct tar_xattr x = { xstrdup(name), xmalloc(len + 1), len };

	memcpy(x.value, value, len);
	f->xattrs = xrealloc(f->xattrs, f->nxattrs + 1, sizeof(*f->xattrs));
	f->xattrs[f->nxattrs++] = x;
}

static struct file *put_link(struct filetree *t, const char *name, size_t len)
{
	struct file *f = filetree_add(t, S_IFLNK | 0777);

	f->target = xcalloc(1, len + 1);
	memset(f->target, 'l', len);
	f->mtime = early;
	dir_put(t->root, name, f);
	return f;
}

static void same_bytes(const struct file *a, const struct file *b)
{
	autofree char *x = NULL, *y = NULL;
	size_t n, k;

	assert_int_equal(content_read(&a->content, 1 << 20, 1 << 20, &x, &n, NULL), 0);
	assert_int_equal(content_read(&b->content, 1 << 20, 1 << 20, &y, &k, NULL), 0);
	assert_int_equal(n, k);
	assert_memory_equal(x, y, n);
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
	assert_int_equal(a->nxattrs, b->nxattrs);
	for (size_t i = 0; i < a->nxattrs; i++) {
		assert_string_equal(a->xattrs[i].name, b->xattrs[i].name);
		assert_int_equal(a->xattrs[i].len, b->xattrs[i].len);
		assert_memory_equal(a->xattrs[i].value, b->xattrs[i].value, a->xattrs[i].len);
	}
	if (a->target)
		assert_string_equal(a->target, b->target);
	if (S_ISREG(a->mode))
		same_bytes(a, b);
}

static void same_tree(const struct filetree *t, const struct filetree *back)
{
	assert_int_equal(t->norder, back->norder);
	for (size_t i = 0; i < t->norder; i++) {
		const struct file *a = t->order[i], *b = back->order[i];

		same_file(a, b);
		assert_int_equal(a->nnames, b->nnames);
		for (size_t k = 0; k < a->nnames; k++)
			assert_string_equal(a->names[k].text, b->names[k].text);
	}
}

static void put_some_of_all(struct filetree *t)
{
	static const unsigned char acl[] = { 2,    0,    0, 0, 1,    0,    7,    0,   0xff, 0xff,
					     0xff, 0xff, 2, 0, 5,    0,    77,   0,   0,    0,
					     4,    0,    5, 0, 0xff, 0xff, 0xff, 0xff };
	static const size_t lens[] = { 0, 1, 4095, 4096, 4097, 10000 };
	char long_value[2000];
	struct file *f;

	memset(long_value, 'v', sizeof(long_value));
	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		autofree char *name = xasprintf("dir/f%zu", i);

		put(t, name, lens[i]);
	}
	f = put(t, "file", 3);
	f->uid = 70000;
	put_xattr(f, "security.capability", "\1\0\0\2", 4);
	put_xattr(f, "system.posix_acl_access", acl, sizeof(acl));
	put_xattr(f, "trusted.t", "", 0);
	put_xattr(f, "user.a", "value", 5);
	dir_put(t->root, "again", f);
	f = put(t, "other", 3);
	put_xattr(f, "user.long", long_value, sizeof(long_value));
	f = filetree_add(t, S_IFBLK | 0600);
	f->major = 259;
	f->minor = 70000;
	dir_put(t->root, "large", f);
	dir_put(t->root, "pipe", filetree_add(t, S_IFIFO | 0600));
	put_link(t, "link", 10);
	put_link(t, "long-link", 1000);
	/* Directories of one block, with a leaf, with a tree. */
	for (int i = 0; i < 3000; i++) {
		autofree char *name = xasprintf("%s/name-%d",
						i < 60    ? "some"
						: i < 360 ? "more"
							  : "many",
						i);

		put(t, name, 0);
	}
}

static void what_is_written_is_read(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new(), *back = filetree_new();
	struct region at;

	put_some_of_all(t);
	at = write_fs(*state, t);
	assert_int_equal(filetree_add_xfs(back, &at, NULL), 0);
	filetree_number(back, 1, 2);
	same_tree(t, back);
	assert_ptr_equal(dir_find(back->root, "file"), dir_find(back->root, "again"));
	(void)close(at.fd);
}

static void refused(const struct region *at, int64_t where, const char *bytes, size_t len,
		    int expected, const char *says)
{
	cleanup(filetree_cleanup) struct filetree *back = filetree_new();
	struct error err = { 0 };
	char before[8];

	assert_int_equal(pread(at->fd, before, len, where), len);
	assert_int_equal(pwrite(at->fd, bytes, len, where), len);
	assert_int_equal(filetree_add_xfs(back, at, &err), expected);
	assert_non_null(strstr(err.text, says));
	assert_int_equal(pwrite(at->fd, before, len, where), len);
}

static void what_is_not_read_is_told(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	struct region at = write_fs(*state, t);

	refused(&at, 0, "x", 1, -EBADMSG, "superblock");
	refused(&at, 101, "\xb4", 1, -EOPNOTSUPP, "version 4");
	refused(&at, 219, "\x19", 1, -EBADMSG, "it says so");
	refused(&at, 218, "\x01", 1, -EOPNOTSUPP, "features");
	refused(&at, 48, "\0\0\0\0\0\0\0\0", 8, -EOPNOTSUPP, "log lies on another device");
	/* Not unmounted; a record of two operations. */
	refused(&at, LOG_AT + 512 + 9, "\0", 1, -EBUSY, "not left cleanly");
	refused(&at, LOG_AT + 43, "\2", 1, -EBUSY, "not left cleanly");
	refused(&at, LOG_AT, "\0\0\0\0", 4, -EBUSY, "not left cleanly");
	(void)close(at.fd);
}

/* Bytes anywhere in what is used of group 0 (heads, inodes, directories): an answer, no more. */
static void damage_is_told_or_harmless(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	struct region at;
	uint32_t chance = 1;
	int told = 0;

	for (int i = 0; i < 100; i++) {
		autofree char *name = xasprintf("dir%d/file-%d", i % 3 ? 0 : i, i);
		struct file *f = put(t, name, 100);

		put_xattr(f, "user.a", "value", i % 2 ? 5 : 0);
	}
	put_link(t, "long-link", 1000);
	at = write_fs(*state, t);
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
		where = i % 8 ? 32768 + (off_t)(chance >> 8) % (300 << 10)
			      : (off_t)(chance >> 8) % 256;
		assert_int_equal(pread(at.fd, before, sizeof(before), where), sizeof(before));
		assert_int_equal(pwrite(at.fd, bytes, sizeof(bytes), where), sizeof(bytes));
		r = filetree_add_xfs(back, &at, &err);
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
		cmocka_unit_test_setup_teardown(what_is_written_is_read, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(what_is_not_read_is_told, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(damage_is_told_or_harmless, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
