/* tests/unit/disk/test_filetree.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "disk/filetree.h"

static const struct timespec when = { .tv_sec = 1 };

static struct file *put_link(struct filetree *t, struct file *dir, const char *name,
			     const char *target)
{
	struct file *f = filetree_add(t, S_IFLNK | 0777);

	f->target = xstrdup(target);
	dir_put(dir, name, f);
	return f;
}

static void links_stay_inside(void **state)
{
	static const struct {
		const char *path, *real;
	} cases[] = {
		{ "usr/lib/x", "usr/lib/x" },
		{ "/lib/x", "usr/lib/x" },
		{ "lib/../lib/x", "usr/lib/x" },
		{ "../../../lib/x", "usr/lib/x" },
		{ "up/lib/x", "usr/lib/x" },
		{ "", "" },
		{ "loop", NULL },
		{ "usr/lib/x/y", NULL },
		{ "nowhere", NULL },
	};
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();

	(void)state;
	assert_int_equal(filetree_put_bytes(t, "usr/lib/x", 0644, xstrdup("x"), 1, when, NULL), 0);
	put_link(t, t->root, "lib", "usr/lib");
	put_link(t, t->root, "up", "../../..");
	put_link(t, t->root, "loop", "/loop");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *real = NULL;
		struct file *f = filetree_resolve(t, cases[i].path, &real);

		assert_int_equal(f != NULL, cases[i].real != NULL);
		if (f)
			assert_string_equal(real, cases[i].real);
	}
}

static void names_are_sorted_and_replaced(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	struct file *a = filetree_add(t, S_IFREG | 0644), *b = filetree_add(t, S_IFREG | 0600);

	(void)state;
	dir_put(t->root, "b", a);
	dir_put(t->root, "a", a);
	dir_put(t->root, "c", a);
	dir_put(t->root, "b", b);
	assert_int_equal(t->root->nnames, 3);
	assert_string_equal(t->root->names[0].text, "a");
	assert_ptr_equal(dir_find(t->root, "b"), b);
	dir_drop(t->root, "a");
	dir_drop(t->root, "nothing");
	assert_int_equal(t->root->nnames, 2);
	assert_null(dir_find(t->root, "a"));
}

/* Whatever their order and what goes on between: each is found, and a numbering has them sorted. */
static void many_names_are_found_and_sorted(void **state)
{
	static const size_t n = 20000, steps[] = { 1, 7919, 19999 };

	(void)state;
	for (size_t s = 0; s < ARRAY_SIZE(steps); s++) {
		cleanup(filetree_cleanup) struct filetree *t = filetree_new();
		struct file *a = filetree_add(t, S_IFREG | 0644), *b = filetree_add(t, S_IFREG);
		char name[16];

		for (size_t i = 0; i < n; i++) {
			(void)snprintf(name, sizeof(name), "%05zu", i * steps[s] % n);
			dir_put(t->root, name, a);
			dir_put(t->root, name, b);
			assert_ptr_equal(dir_find(t->root, name), b);
			if (i % 5 == 4)
				dir_drop(t->root, name);
		}
		assert_int_equal(t->root->nnames, n - n / 5);
		filetree_number(t, 1, 2);
		for (size_t i = 1; i < t->root->nnames; i++)
			assert_true(strcmp(t->root->names[i - 1].text, t->root->names[i].text) < 0);
	}
}

static void numbers_and_links_are_counted(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	struct file *dir, *file;

	(void)state;
	dir = filetree_make_dir(t, "d/e", when);
	file = filetree_add(t, S_IFREG | 0644);
	dir_put(dir, "one", file);
	dir_put(t->root, "two", file);
	(void)filetree_add(t, S_IFREG | 0644); /* no name leads to it */
	filetree_number(t, 2, 11);
	assert_int_equal(t->norder, 4);
	assert_int_equal(t->root->number, 2);
	assert_int_equal(t->root->links, 3);
	assert_int_equal(file->links, 2);
	assert_int_equal(dir->links, 2);
	assert_int_equal(dir->parent, dir_find(t->root, "d")->number);
	for (size_t i = 1; i < t->norder; i++)
		assert_int_equal(t->order[i]->number, 10 + i);
	filetree_number(t, 1, 2);
	assert_int_equal(t->norder, 4);
	assert_int_equal(file->links, 2);
}

static void a_file_in_the_way(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	struct error err = { 0 };

	(void)state;
	assert_int_equal(filetree_put_bytes(t, "a", 0644, xstrdup(""), 0, when, NULL), 0);
	assert_null(filetree_make_dir(t, "a/b", when));
	assert_int_equal(filetree_put_bytes(t, "a/b", 0644, xstrdup(""), 0, when, &err), -ENOTDIR);
	assert_string_equal(err.text, "cannot put /a/b into the disk: a file is in the way");
}

/* As mkdir -p in the machine: no directory is ever called '.' or '..', and a link stays one. */
static void missing_directories_are_made_where_the_path_leads(void **state)
{
	static const struct {
		const char *path, *real;
	} cases[] = {
		{ "x/./y", "x/y" },   { "m/../n/o", "n/o" },    { "run-link/app", "run/app" },
		{ "up-link/z", "z" }, { "../../p//q/", "p/q" }, { ".", "" },
	};
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();

	(void)state;
	put_link(t, t->root, "run-link", "/run");
	put_link(t, t->root, "up-link", "not-there/..");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *real = NULL;
		const struct file *dir = filetree_make_dir(t, cases[i].path, when);

		assert_non_null(dir);
		assert_ptr_equal(filetree_resolve(t, cases[i].path, &real), dir);
		assert_string_equal(real, cases[i].real);
	}
	assert_true(S_ISLNK(dir_find(t->root, "run-link")->mode));
	for (size_t i = 0; i < t->n; i++) {
		assert_null(dir_find(t->files[i], "."));
		assert_null(dir_find(t->files[i], ".."));
	}
}

/* Behind the deepest that a path can name there is nothing, again and again. */
static void too_long_a_path_makes_nothing(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	char name[FILE_NAME_MAX + 2] = "", deep[5001];
	size_t n;

	(void)state;
	memset(name, 'n', FILE_NAME_MAX + 1);
	assert_null(filetree_make_dir(t, name, when));
	assert_int_equal(t->n, 1);
	for (size_t i = 0; i < sizeof(deep) - 1; i++)
		deep[i] = i % 2 ? '/' : 'd';
	deep[sizeof(deep) - 1] = '\0';
	assert_null(filetree_make_dir(t, deep, when));
	n = t->n;
	assert_null(filetree_make_dir(t, deep, when));
	assert_true(t->n <= n + 1);
	put_link(t, t->root, "loop", "loop");
	assert_null(filetree_make_dir(t, "loop/x", when));
	assert_true(S_ISLNK(dir_find(t->root, "loop")->mode));
}

static int note_path(void *data, const struct file *f, const char *path)
{
	(void)f;
	buf_addf(data, "%s ", path);
	return strcmp(path, "d/b") == 0 ? 7 : 0;
}

static void a_walk_goes_by_breadth_until_it_is_stopped(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	struct buf b = BUF_INIT(1000);
	const struct file *dir = filetree_make_dir(t, "d/a/deep", when);

	(void)state;
	dir_put(t->root, "e", filetree_add(t, S_IFREG | 0644));
	assert_non_null(dir);
	assert_int_equal(filetree_walk(t, note_path, &b), 0);
	assert_string_equal(buf_text(&b), "d e d/a d/a/deep ");
	dir_put(dir_find(t->root, "d"), "b", filetree_add(t, S_IFREG | 0644));
	buf_done(&b);
	b = BUF_INIT(1000);
	assert_int_equal(filetree_walk(t, note_path, &b), 7);
	assert_string_equal(buf_text(&b), "d e d/a d/b ");
	buf_done(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(links_stay_inside),
		cmocka_unit_test(names_are_sorted_and_replaced),
		cmocka_unit_test(many_names_are_found_and_sorted),
		cmocka_unit_test(numbers_and_links_are_counted),
		cmocka_unit_test(a_file_in_the_way),
		cmocka_unit_test(missing_directories_are_made_where_the_path_leads),
		cmocka_unit_test(too_long_a_path_makes_nothing),
		cmocka_unit_test(a_walk_goes_by_breadth_until_it_is_stopped),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
