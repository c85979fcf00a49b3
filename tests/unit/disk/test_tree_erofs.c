/* tests/unit/disk/test_tree_erofs.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "../scratch.h"
#include "disk/erofs.h"
#include "disk/filetree.h"
#include "disk/region.h"
#include "disk/tree_erofs.h"
#include "image/tar.h"

static const struct timespec when = { .tv_sec = 1700000000, .tv_nsec = 7 };
static const uint8_t uuid[16] = { 1 };

static struct region write_fs(const char *dir, struct filetree *t)
{
	autofree char *path = xasprintf("%s/fs", dir);
	struct region at = { .fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644) };

	assert_true(at.fd >= 0);
	assert_int_equal(erofs_write(t, at.fd, uuid, 1, &at.size, NULL), 0);
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

static void same_bytes(const struct file *a, const struct file *b)
{
	autofree char *x = NULL, *y = NULL;
	size_t n, k;

	assert_int_equal(content_read(&a->content, 1 << 20, 1 << 20, &x, &n, NULL), 0);
	assert_int_equal(content_read(&b->content, 1 << 20, 1 << 20, &y, &k, NULL), 0);
	assert_int_equal(n, k);
	assert_memory_equal(x, y, n);
}

static void what_is_written_is_read(void **state)
{
	static const size_t lens[] = { 0, 1, 2048, 2049, 4095, 4096, 4097, 10000 };
	cleanup(filetree_cleanup) struct filetree *t = filetree_new(), *back = filetree_new();
	struct region at;
	struct file *f;

	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		autofree char *name = xasprintf("dir/f%zu", i);

		put(t, name, lens[i]);
	}
	f = put(t, "file", 3);
	f->uid = 70000;
	f->nxattrs = 1;
	f->xattrs = xcalloc(1, sizeof(*f->xattrs));
	f->xattrs[0] = (struct tar_xattr) { xstrdup("user.a"), xstrdup("value"), 5 };
	dir_put(t->root, "again", f);
	f = filetree_add(t, S_IFBLK | 0600);
	f->major = 259;
	f->minor = 70000;
	dir_put(t->root, "large", f);
	for (int i = 0; i < 500; i++) {
		autofree char *name = xasprintf("many/name-%d", i);

		put(t, name, 1);
	}
	at = write_fs(*state, t);
	assert_int_equal(filetree_add_erofs(back, &at, NULL), 0);
	for (size_t i = 0; i < ARRAY_SIZE(lens); i++) {
		autofree char *name = xasprintf("dir/f%zu", i);

		same_bytes(filetree_resolve(t, name, NULL), filetree_resolve(back, name, NULL));
	}
	f = dir_find(back->root, "file");
	assert_ptr_equal(f, dir_find(back->root, "again"));
	assert_int_equal(f->mode, S_IFREG | 0640);
	assert_int_equal(f->uid, 70000);
	assert_int_equal(f->mtime.tv_nsec, 7);
	assert_string_equal(f->xattrs[0].name, "user.a");
	assert_memory_equal(f->xattrs[0].value, "value", 5);
	f = dir_find(back->root, "large");
	assert_int_equal(f->major, 259);
	assert_int_equal(f->minor, 70000);
	assert_int_equal(dir_find(back->root, "many")->nnames, 500);
	(void)close(at.fd);
}

/* What lies behind an inode stays in its block, or goes to one of its own. */
static void links_and_bytes_beside_attributes_come_back(void **state)
{
	static const size_t lens[] = { 1, 60, 2000, 3900, 4000, 4040, 4064, 4090, 4095 };
	static const size_t values[] = { 0, 1, 30, 1000, 3000 };
	cleanup(filetree_cleanup) struct filetree *t = filetree_new(), *back = filetree_new();
	struct region at;

	for (size_t i = 0; i < ARRAY_SIZE(lens) * ARRAY_SIZE(values); i++) {
		size_t len = lens[i % ARRAY_SIZE(lens)], value = values[i / ARRAY_SIZE(lens)];
		autofree char *name = xasprintf("link%zu", i), *file_name = xasprintf("file%zu", i);
		struct file *both[] = { filetree_add(t, S_IFLNK | 0777), put(t, file_name, len) };

		both[0]->target = xcalloc(1, len + 1);
		memset(both[0]->target, 't', len);
		dir_put(t->root, name, both[0]);
		for (size_t k = 0; value && k < 2; k++) {
			both[k]->nxattrs = 1;
			both[k]->xattrs = xcalloc(1, sizeof(*both[k]->xattrs));
			both[k]->xattrs[0] = (struct tar_xattr) { xstrdup("trusted.a"),
								  xcalloc(1, value), value };
		}
	}
	at = write_fs(*state, t);
	assert_int_equal(filetree_add_erofs(back, &at, NULL), 0);
	for (size_t i = 0; i < t->root->nnames; i++) {
		const struct file *f = t->root->names[i].file;
		const struct file *g = dir_find(back->root, t->root->names[i].text);

		if (S_ISLNK(f->mode)) {
			assert_string_equal(g->target, f->target);
			continue; /* of a link's attributes nothing is wanted */
		}
		same_bytes(f, g);
		assert_int_equal(g->nxattrs, f->nxattrs);
		if (f->nxattrs)
			assert_int_equal(g->xattrs[0].len, f->xattrs[0].len);
	}
	(void)close(at.fd);
}

/* Bytes anywhere in it: an answer, and no more than that. */
static void damage_is_told_or_harmless(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	struct region at;
	uint32_t chance = 1;
	int told = 0;

	for (int i = 0; i < 40; i++) {
		autofree char *name = xasprintf("dir%d/file", i);

		put(t, name, 100);
	}
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
		where = 1024 + (off_t)(chance >> 8) % (at.size - 1028);
		assert_int_equal(pread(at.fd, before, sizeof(before), where), sizeof(before));
		assert_int_equal(pwrite(at.fd, bytes, sizeof(bytes), where), sizeof(bytes));
		r = filetree_add_erofs(back, &at, &err);
		assert_true(r == 0 || *err.text);
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
		cmocka_unit_test_setup_teardown(links_and_bytes_beside_attributes_come_back,
						scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(damage_is_told_or_harmless, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
