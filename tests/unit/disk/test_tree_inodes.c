/* tests/unit/disk/test_tree_inodes.c - a file system of two tables: what each inode is, and which
 * names there are.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "disk/filetree.h"
#include "disk/tree_inodes.h"
#include "image/tar.h"

struct entry {
	uint64_t dir;
	const char *name;
	size_t len;
	uint64_t number;
};
#define NAME(dir, text, number)                                                                    \
	{                                                                                          \
		dir, text, sizeof(text) - 1, number                                                \
	}

struct table {
	mode_t modes[8]; /* by number; 0: none */
	struct entry entries[8];
};

static int read_one(struct inodes *g, uint64_t number, struct file *f)
{
	const struct table *table = g->data;

	f->mode = number < ARRAY_SIZE(table->modes) ? table->modes[number] : 0;
	if (S_ISREG(f->mode))
		f->content.size = 10;
	return 0;
}

static int list(struct inodes *g, uint64_t number, struct file *dir)
{
	const struct table *table = g->data;
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(table->entries); i++) {
		const struct entry *e = &table->entries[i];

		if (e->name && e->dir == number)
			r = inodes_name(g, dir, e->name, e->len, e->number);
	}
	return r;
}

static const struct inodes_kind kind = { .mender = "fsck.it", .read = read_one, .list = list };

static int read_table(const struct table *table, struct filetree *t, struct error *err)
{
	struct inodes g = {
		.kind = &kind, .data = table, .at = { .fd = -1 }, .tree = t, .err = err
	};

	return inodes_read(&g, 1);
}

static void an_inode_is_one_file_whatever_its_names(void **state)
{
	static const struct table table = {
		.modes = { 0, S_IFDIR | 0755, S_IFDIR | 0700, S_IFREG | 0600, S_IFSOCK | 0600 },
		.entries = { NAME(1, ".", 1), NAME(1, "..", 1), NAME(1, "d", 2), NAME(2, "..", 1),
			     NAME(1, "a", 3), NAME(2, "b", 3), NAME(1, "s", 4), NAME(2, "s2", 4) },
	};
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();

	(void)state;
	assert_int_equal(read_table(&table, t, NULL), 0);
	assert_int_equal(t->root->nnames, 2);
	assert_ptr_equal(dir_find(t->root, "a"), filetree_resolve(t, "d/b", NULL));
	assert_null(filetree_resolve(t, "d/s2", NULL));
}

static void what_cannot_be_is_damage(void **state)
{
	static const struct {
		struct table table;
		const char *what;
	} cases[] = {
		{ { { 0, S_IFREG | 0644 }, { { 0 } } }, "it has no root directory" },
		{ { { 0 }, { { 0 } } }, "it has no root directory" },
		{ { { 0, S_IFDIR, S_IFDIR }, { NAME(1, "d", 2), NAME(1, "e", 2) } },
		  "a directory has two names" },
		{ { { 0, S_IFDIR, S_IFDIR }, { NAME(1, "d", 2), NAME(2, "up", 1) } },
		  "a directory has two names" },
		{ { { 0, S_IFDIR, S_IFDIR }, { NAME(1, "d", 2), NAME(2, "self", 2) } },
		  "a directory has two names" },
		{ { { 0, S_IFDIR, S_IFREG }, { NAME(1, "f", 2), NAME(1, "f", 2) } },
		  "a name in a directory" },
		{ { { 0, S_IFDIR, S_IFREG }, { NAME(1, "", 2) } }, "a name in a directory" },
		{ { { 0, S_IFDIR, S_IFREG }, { NAME(1, "a/b", 2) } }, "a name in a directory" },
		{ { { 0, S_IFDIR, S_IFREG }, { NAME(1, "a\0b", 2) } }, "a name in a directory" },
		{ { { 0, S_IFDIR }, { NAME(1, "f", 2) } }, "a name leads to no file" },
		{ { { 0, S_IFDIR }, { NAME(1, "f", UINT64_MAX) } }, "a name leads to no file" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(filetree_cleanup) struct filetree *t = filetree_new();
		struct error err = { 0 };

		assert_int_equal(read_table(&cases[i].table, t, &err), -EBADMSG);
		assert_non_null(strstr(err.text, cases[i].what));
		assert_non_null(strstr(err.text, "fsck.it"));
	}
}

static void pieces_ascend_and_lie_inside(void **state)
{
	static const struct {
		int64_t at, from, len;
		bool is_fine;
	} cases[] = {
		{ 0, 0, 10, true },
		{ 0, 96, 4, true },
		{ 4, 0, 4, true },
		{ 4, 0, INT64_MAX, true },   /* cut to the file */
		{ 8, INT64_MAX, 10, false }, /* of which 2 count */
		{ 10, INT64_MAX, 10, true }, /* behind the end */
		{ 100, -1, 10, true },       /* the same */
		{ 0, 97, 4, false },
		{ 0, -1, 4, false },
		{ -1, 0, 4, false },
		{ 0, 0, -1, false },
		{ TAR_SIZE_MAX + 1, 0, 1, false },
	};
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	const struct inodes g = { .kind = &kind, .at = { .fd = -1, .offset = 1000, .size = 100 } };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct file *f = filetree_add(t, S_IFREG);
		int r;

		f->content.size = 10;
		r = inodes_piece(&g, f, cases[i].at, cases[i].from, cases[i].len);
		assert_int_equal(r, cases[i].is_fine ? 0 : -EBADMSG);
		for (size_t k = 0; k < f->content.n; k++) {
			const struct piece *p = &f->content.pieces[k];

			assert_true(p->len > 0 && p->at + p->len <= 10);
			assert_int_equal(p->from, 1000 + cases[i].from);
		}
		if (r == 0 && f->content.n) /* nothing may come before it any more */
			assert_int_equal(inodes_piece(&g, f, cases[i].at, 0, 1), -EBADMSG);
	}
}

static void bytes_and_targets_have_a_bound(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	struct file *f = filetree_add(t, S_IFREG), *link = filetree_add(t, S_IFLNK);
	autoclose int fd = memfd_create("disk", MFD_CLOEXEC);
	struct error err = { 0 };
	const struct inodes g = { .kind = &kind, .err = &err, .at = { .fd = fd, .size = 10 } };
	autofree char *text = NULL;

	(void)state;
	assert_int_equal(write(fd, "0123456789", 10), 10);
	f->content.size = 10;
	assert_int_equal(inodes_piece(&g, f, 4, 2, 3), 0);
	assert_int_equal(inodes_bytes(&g, f, 9, &text, "a thing"), -EBADMSG);
	assert_non_null(strstr(err.text, "a thing"));
	assert_null(text);
	assert_int_equal(inodes_bytes(&g, f, 10, &text, "a thing"), 0);
	assert_memory_equal(text,
			    "\0\0\0\0"
			    "234"
			    "\0\0\0",
			    11);
	assert_int_equal(inodes_target(&g, link, xstrdup(""), 0), -EBADMSG);
	free(link->target);
	assert_int_equal(inodes_target(&g, link, xstrdup("ab"), 3), -EBADMSG);
	free(link->target);
	assert_int_equal(inodes_target(&g, link, xstrdup("ab"), 2), 0);
}

static void attributes_are_those_that_images_have(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	struct file *f = filetree_add(t, S_IFREG);

	(void)state;
	inodes_xattr(f, "security.", "selinux", 7, "y", 1);
	assert_int_equal(f->nxattrs, 0);
	inodes_xattr(f, "user.", "name+more", 4, "a\0b", 3);
	assert_int_equal(f->nxattrs, 1);
	assert_string_equal(f->xattrs[0].name, "user.name");
	assert_int_equal(f->xattrs[0].len, 3);
	assert_memory_equal(f->xattrs[0].value, "a\0b", 3);
	inodes_xattr(f, "user.", "empty", 5, "", 0);
	for (int i = 0; i < TAR_XATTRS_MAX; i++) {
		autofree char *name = xasprintf("n%d", i);

		inodes_xattr(f, "user.", name, strlen(name), "", 0);
	}
	assert_int_equal(f->nxattrs, TAR_XATTRS_MAX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_inode_is_one_file_whatever_its_names),
		cmocka_unit_test(what_cannot_be_is_damage),
		cmocka_unit_test(pieces_ascend_and_lie_inside),
		cmocka_unit_test(bytes_and_targets_have_a_bound),
		cmocka_unit_test(attributes_are_those_that_images_have),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
