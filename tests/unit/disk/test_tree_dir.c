/* tests/unit/disk/test_tree_dir.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/un.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../scratch.h"
#include "disk/filetree.h"
#include "disk/tree_dir.h"
#include "image/tar.h"

static void need_root(void)
{
	if (geteuid() != 0)
		skip();
}

static int open_below(const char *dir, const char *name)
{
	autofree char *path = xasprintf("%s/%s", dir, name);

	return scratch_open(path);
}

static void has_text(const struct filetree *t, const char *path, const char *want)
{
	const struct file *f = filetree_resolve(t, path, NULL);
	autofree char *text = NULL;
	size_t len;

	assert_non_null(f);
	assert_int_equal(content_read(&f->content, 1U << 20, 1U << 20, &text, &len, NULL), 0);
	assert_string_equal(text, want);
}

static void a_directory_is_taken_as_it_is(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	const struct sockaddr_un name = { .sun_family = AF_UNIX, .sun_path = "sock" };
	autoclose int dir = -1, sock = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	const struct file *f;

	scratch_put(*state, "a/one", "1");
	scratch_put(*state, "b/two", "2");
	dir = scratch_open(*state);
	assert_int_equal(fchmodat(dir, "a/one", 04711, 0), 0);
	assert_int_equal(fchmodat(dir, "b", 01777, 0), 0);
	assert_int_equal(linkat(dir, "a/one", dir, "b/same", 0), 0);
	assert_int_equal(symlinkat("/not/there", dir, "link"), 0);
	assert_int_equal(mkfifoat(dir, "pipe", 0600), 0);
	assert_int_equal(fchdir(dir), 0);
	assert_int_equal(bind(sock, (const struct sockaddr *)&name, sizeof(name)), 0);
	assert_int_equal(filetree_add_dir(t, dir, NULL), 0);
	assert_int_equal(chdir("/"), 0);
	f = filetree_resolve(t, "a/one", NULL);
	assert_int_equal(f->mode, S_IFREG | 04711);
	assert_int_equal(f->uid, geteuid());
	assert_ptr_equal(filetree_resolve(t, "b/same", NULL), f);
	assert_int_equal(dir_find(t->root, "b")->mode, S_IFDIR | 01777);
	has_text(t, "b/two", "2");
	assert_string_equal(dir_find(t->root, "link")->target, "/not/there");
	assert_true(S_ISFIFO(dir_find(t->root, "pipe")->mode));
	assert_null(dir_find(t->root, "sock"));
	/* Its looks are those of the directory itself. */
	assert_int_equal(t->root->mode, S_IFDIR | 0700);
}

static void put_whiteout(int dir, const char *name)
{
	assert_int_equal(mknodat(dir, name, S_IFCHR, makedev(0, 0)), 0);
}

static void layers_lie_over_one_another_as_an_overlay(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	autoclose int lower = -1, upper = -1, hides = -1;
	struct file *kept;

	need_root();
	scratch_put(*state, "lower/etc/gone", "x");
	scratch_put(*state, "lower/etc/kept", "kept");
	scratch_put(*state, "lower/opaque/below", "x");
	scratch_put(*state, "lower/was-dir/below", "x");
	scratch_put(*state, "lower/was-file", "x");
	scratch_put(*state, "lower/whole/x/y", "x");
	scratch_put(*state, "upper/etc/new", "new");
	scratch_put(*state, "upper/opaque/above", "above");
	scratch_put(*state, "upper/was-dir", "file");
	scratch_put(*state, "upper/was-file/now", "dir");
	lower = open_below(*state, "lower");
	upper = open_below(*state, "upper");
	hides = open_below(*state, "upper/opaque");
	assert_int_equal(fchownat(upper, "etc", 7, 8, 0), 0);
	put_whiteout(upper, "etc/gone");
	put_whiteout(upper, "whole");
	put_whiteout(upper, "never-was");
	if (fsetxattr(hides, "trusted.overlay.opaque", "y", 1, 0) < 0)
		skip();
	assert_int_equal(filetree_add_dir(t, lower, NULL), 0);
	kept = filetree_resolve(t, "etc/kept", NULL);
	assert_int_equal(filetree_add_dir(t, upper, NULL), 0);
	assert_null(filetree_resolve(t, "etc/gone", NULL));
	assert_ptr_equal(filetree_resolve(t, "etc/kept", NULL), kept);
	has_text(t, "etc/kept", "kept");
	has_text(t, "etc/new", "new");
	assert_int_equal(dir_find(t->root, "etc")->uid, 7);
	assert_null(filetree_resolve(t, "opaque/below", NULL));
	has_text(t, "opaque/above", "above");
	assert_int_equal(dir_find(t->root, "opaque")->nxattrs, 0);
	has_text(t, "was-dir", "file");
	has_text(t, "was-file/now", "dir");
	assert_null(dir_find(t->root, "whole"));
	assert_null(dir_find(t->root, "never-was"));
}

/* One that was written anew above is no longer the file that others below are. */
static void a_name_that_is_replaced_leaves_its_others(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	autoclose int lower = -1, upper = -1;

	scratch_put(*state, "lower/a", "old");
	scratch_put(*state, "upper/a", "new");
	lower = open_below(*state, "lower");
	upper = open_below(*state, "upper");
	assert_int_equal(linkat(lower, "a", lower, "b", 0), 0);
	assert_int_equal(filetree_add_dir(t, lower, NULL), 0);
	assert_ptr_equal(dir_find(t->root, "a"), dir_find(t->root, "b"));
	assert_int_equal(filetree_add_dir(t, upper, NULL), 0);
	has_text(t, "a", "new");
	has_text(t, "b", "old");
	filetree_number(t, 1, 2);
	assert_int_equal(dir_find(t->root, "b")->links, 1);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_directory_is_taken_as_it_is),
		CASE(layers_lie_over_one_another_as_an_overlay),
		CASE(a_name_that_is_replaced_leaves_its_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
