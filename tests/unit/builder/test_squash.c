#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "../scratch.h"
#include "base/strv.h"
#include "builder/squash.h"
#include "image/incoming.h"
#include "image/lower.h"
#include "private_mount.h"

static void put(const char *dir, const char *name)
{
	scratch_put(dir, name, name);
}

static char *below(const char *dir, const char *name)
{
	return xasprintf("%s/%s", dir, name);
}

static void white_out(const char *dir, const char *name)
{
	autofree char *path = below(dir, name);

	assert_int_equal(mknod(path, S_IFCHR, makedev(0, 0)), 0);
}

/* '-': nothing there, 'w': a whiteout, 'd', 'o': an opaque directory, 'f', 'l'. */
static char kind_of(const char *dir, const char *name)
{
	autofree char *path = below(dir, name);
	autoclose int fd = -1;
	struct stat st;

	if (lstat(path, &st) < 0)
		return '-';
	if (is_whiteout(&st))
		return 'w';
	if (!S_ISDIR(st.st_mode))
		return S_ISLNK(st.st_mode) ? 'l' : 'f';
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd >= 0 && is_opaque(fd) ? 'o' : 'd';
}

/* base, and over it what becomes one: one, two, three. */
static void make_layers(const char *dir)
{
	autofree char *opaque = below(dir, "two/opaque"), *target = below(dir, "one/link");
	autofree char *added = below(dir, "one/added"), *again = below(dir, "one/again");
	autofree char *mode = below(dir, "three/mode"), *owned = below(dir, "two/kept-dir");

	put(dir, "base/kept");
	put(dir, "base/gone");
	put(dir, "base/kept-dir/file");
	put(dir, "base/opaque/below");
	put(dir, "base/was-dir/below");
	put(dir, "base/was-file");
	put(dir, "base/back");
	put(dir, "base/dir-gone/x/y");
	put(dir, "one/added");
	assert_int_equal(link(added, again), 0);
	put(dir, "one/mode");
	put(dir, "one/passing");
	put(dir, "one/opaque/between");
	put(dir, "one/was-file/now/deep");
	put(dir, "one/was-dir");
	put(dir, "one/new-dir/x");
	assert_int_equal(symlink("/anywhere", target), 0);
	put(dir, "two/opaque/above");
	put(dir, "two/kept-dir/more");
	assert_int_equal(chown(owned, 12, 13), 0);
	assert_int_equal(setxattr(opaque, "trusted.overlay.opaque", "y", 1, 0), 0);
	white_out(dir, "two/gone");
	white_out(dir, "two/passing");
	white_out(dir, "two/back");
	white_out(dir, "two/dir-gone");
	white_out(dir, "two/new-dir");
	put(dir, "two/link/x");
	put(dir, "three/back");
	put(dir, "three/mode");
	assert_int_equal(chmod(mode, 04755), 0);
	put(dir, "three/dir-gone/z");
}

static void several_layers_say_as_one_what_they_said(void **state)
{
	static const struct {
		const char *name;
		char kind;
	} cases[] = {
		{ "kept", '-' },          { "gone", 'w' },         { "added", 'f' },
		{ "again", 'f' },         { "passing", '-' },      { "opaque", 'o' },
		{ "opaque/above", 'f' },  { "opaque/below", '-' }, { "opaque/between", '-' },
		{ "was-dir", 'f' },       { "was-file", 'o' },     { "was-file/now/deep", 'f' },
		{ "link", 'd' },          { "link/x", 'f' },       { "back", 'f' },
		{ "new-dir", '-' },       { "dir-gone", 'o' },     { "dir-gone/z", 'f' },
		{ "dir-gone/x", '-' },    { "kept-dir", 'd' },     { "kept-dir/more", 'f' },
		{ "kept-dir/file", '-' }, { "mode", 'f' },
	};
	static const char *const names[] = { "three", "two", "one", "base" };
	cleanup(incoming_done) struct incoming in = INCOMING_INIT;
	autofree char *store = below(*state, "store"), *diff = NULL, *path = NULL, *again = NULL;
	autoclose int root = -1;
	struct strv lower = { 0 };
	struct error err = { 0 };
	struct stat st, other;

	if (!may_mount)
		skip();
	make_layers(*state);
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		strv_addf(&lower, "%s/%s", (char *)*state, names[i]);
	assert_int_equal(mkdir(store, 0700), 0);
	root = scratch_open(store);
	assert_int_equal(incoming_begin(store, root, &in, NULL), 0);
	assert_int_equal(squash_layers(&in, "it", &lower, 1, &err), 0);
	diff = xasprintf("%s/%s/it/diff", store, in.tmp_name);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		if (kind_of(diff, cases[i].name) != cases[i].kind)
			fail_msg("%s: %c, not %c", cases[i].name, kind_of(diff, cases[i].name),
				 cases[i].kind);
	path = below(diff, "added");
	again = below(diff, "again");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(stat(again, &other), 0);
	assert_true(st.st_ino == other.st_ino);
	free(path);
	path = below(diff, "mode");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode, S_IFREG | 04755);
	free(path);
	path = below(diff, "kept-dir");
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_uid, 12);
	strv_done(&lower);
}

/* Without a base nothing has to be hidden. */
static void over_nothing_there_are_no_whiteouts(void **state)
{
	cleanup(incoming_done) struct incoming in = INCOMING_INIT;
	autofree char *store = below(*state, "store"), *diff = NULL;
	autoclose int root = -1;
	struct strv lower = { 0 };

	if (!may_mount)
		skip();
	put(*state, "one/gone");
	put(*state, "one/kept");
	put(*state, "two/new");
	white_out(*state, "two/gone");
	white_out(*state, "two/never-was");
	strv_addf(&lower, "%s/two", (char *)*state);
	strv_addf(&lower, "%s/one", (char *)*state);
	assert_int_equal(mkdir(store, 0700), 0);
	root = scratch_open(store);
	assert_int_equal(incoming_begin(store, root, &in, NULL), 0);
	assert_int_equal(squash_layers(&in, "it", &lower, 0, NULL), 0);
	diff = xasprintf("%s/%s/it/diff", store, in.tmp_name);
	assert_int_equal(kind_of(diff, "kept"), 'f');
	assert_int_equal(kind_of(diff, "new"), 'f');
	assert_int_equal(kind_of(diff, "gone"), '-');
	assert_int_equal(kind_of(diff, "never-was"), '-');
	strv_done(&lower);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, private_setup, private_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(several_layers_say_as_one_what_they_said),
		CASE(over_nothing_there_are_no_whiteouts),
	};

	return cmocka_run_group_tests_name("builder/squash", tests, NULL, NULL);
}
