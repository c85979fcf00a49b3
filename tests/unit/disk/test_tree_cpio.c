/* tests/unit/disk/test_tree_cpio.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>

#include "../scratch.h"
#include "disk/filetree.h"
#include "disk/initramfs.h"
#include "disk/region.h"
#include "disk/tree_cpio.h"

static const struct timespec when = { .tv_sec = 1700000000 };

static struct filetree *make_tree(void)
{
	struct filetree *t = filetree_new();
	struct file *f;

	assert_int_equal(filetree_put_bytes(t, "d/file", 04750, xstrdup("hello"), 5, when, NULL),
			 0);
	f = filetree_resolve(t, "d/file", NULL);
	f->uid = 70000;
	dir_put(t->root, "same", f);
	assert_int_equal(filetree_put_bytes(t, "d/e/empty", 0600, xstrdup(""), 0, when, NULL), 0);
	f = filetree_add(t, S_IFLNK | 0777);
	f->target = xstrdup("../../same");
	dir_put(filetree_resolve(t, "d/e", NULL), "link", f);
	f = filetree_add(t, S_IFBLK | 0660);
	f->major = 259;
	f->minor = 70000;
	dir_put(t->root, "device", f);
	return t;
}

/* As initramfs.h writes it, 100 bytes into a file. */
static struct region write_it(const char *dir, struct content *c)
{
	cleanup(filetree_cleanup) struct filetree *t = make_tree();
	autofree char *path = xasprintf("%s/cpio", dir), *bytes = NULL;
	struct region at = { .fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), .offset = 100 };
	size_t len = 0;

	assert_int_equal(initramfs_write(t, at.fd, c, NULL), 0);
	assert_int_equal(content_read(c, 1 << 20, 1 << 20, &bytes, &len, NULL), 0);
	assert_int_equal(pwrite(at.fd, bytes, len, 100), len);
	at.size = (int64_t)len;
	return at;
}

static void what_is_written_is_read(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	struct content c = { .fd = -1 };
	struct region at = write_it(*state, &c);
	autofree char *bytes = NULL;
	const struct file *f;
	size_t len;

	assert_int_equal(filetree_add_cpio(t, &at, NULL), 0);
	f = filetree_resolve(t, "d/file", NULL);
	assert_non_null(f);
	assert_ptr_equal(f, dir_find(t->root, "same"));
	assert_int_equal(f->mode, S_IFREG | 04750);
	assert_int_equal(f->uid, 70000);
	assert_int_equal(f->mtime.tv_sec, when.tv_sec);
	assert_int_equal(content_read(&f->content, 100, 100, &bytes, &len, NULL), 0);
	assert_string_equal(bytes, "hello");
	assert_ptr_equal(f, filetree_resolve(t, "d/e/link", NULL));
	assert_int_equal(filetree_resolve(t, "d/e/empty", NULL)->content.size, 0);
	f = dir_find(t->root, "device");
	assert_true(S_ISBLK(f->mode) && f->major == 259 && f->minor == 70000);
	content_done(&c);
	(void)close(at.fd);
}

static void cut_short_it_is_refused(void **state)
{
	struct content c = { .fd = -1 };
	struct region at = write_it(*state, &c);

	for (at.size -= 12; at.size > 0; at.size -= 7) {
		cleanup(filetree_cleanup) struct filetree *t = filetree_new();
		struct error err = { 0 };

		assert_int_equal(filetree_add_cpio(t, &at, &err), -EBADMSG);
		assert_non_null(strstr(err.text, "damaged"));
	}
	content_done(&c);
	(void)close(at.fd);
}

/* Names never lead out of the tree. */
static void hostile_names(void **state)
{
	static const char *const names[] = { "../x", "a/..", "..", ".", "a//", "a/../../../x" };

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		cleanup(filetree_cleanup) struct filetree *t = filetree_new();
		autofree char *path = xasprintf("%s/%zu", (char *)*state, i), *text = NULL;
		struct region at = { .fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600),
				     .size = 300 };
		size_t len = strlen(names[i]) + 1;

		text = xasprintf("070701%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%08X%s", 1,
				 S_IFREG | 0644, 0, 0, 1, 0, 0, 0, 0, 0, 0, (unsigned)len, 0,
				 names[i]);
		assert_true(pwrite(at.fd, text, strlen(text), 0) > 0);
		assert_int_equal(ftruncate(at.fd, 300), 0);
		assert_int_equal(filetree_add_cpio(t, &at, NULL), -EBADMSG);
		assert_null(filetree_resolve(t, "..", NULL) == t->root ? NULL : t->root);
		(void)close(at.fd);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(what_is_written_is_read, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(cut_short_it_is_refused, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(hostile_names, scratch_setup, scratch_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
