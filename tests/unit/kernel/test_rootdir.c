/* tests/unit/kernel/test_rootdir.c - a hostile tree below DIR/root, a secret beside it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <sys/stat.h>

#include "../scratch.h"
#include "kernel/rootdir.h"

struct tree {
	char *dir; /* the scratch directory */
	char *path;
	struct rootdir root;
};

static int setup(void **state)
{
	struct tree *t = xnew(struct tree);
	void *dir = NULL;

	assert_int_equal(scratch_setup(&dir), 0);
	t->dir = dir;
	t->path = xasprintf("%s/root", t->dir);
	scratch_put(t->dir, "secret", "secret");
	scratch_put(t->path, "etc/file", "inside");
	scratch_put(t->path, "secret", "inside");
	t->root = (struct rootdir) { .fd = open(t->path, O_PATH | O_CLOEXEC), .path = t->path };
	assert_true(t->root.fd >= 0);
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct tree *t = *state;
	void *dir = t->dir;

	(void)close(t->root.fd);
	free(t->path);
	free(t);
	return scratch_teardown(&dir);
}

static void put_link(const struct tree *t, const char *name, const char *target)
{
	autofree char *path = xasprintf("%s/%s", t->path, name);

	(void)unlink(path);
	assert_int_equal(symlink(target, path), 0);
}

/* Whether fd is the file NAME of the host's view. */
static bool is_file(int fd, const char *dir, const char *name)
{
	autofree char *path = xasprintf("%s/%s", dir, name);
	struct stat one, other;

	return fstat(fd, &one) == 0 && stat(path, &other) == 0 && one.st_ino == other.st_ino &&
	       one.st_dev == other.st_dev;
}

static void no_path_leads_outside(void **state)
{
	static const char *const paths[] = {
		"/secret",          "secret",   "../secret", "/../../secret",
		"etc/../../secret", "//secret", "./secret",
	};
	static const char *const links[] = {
		"/secret", "../secret", "../../../../../../secret", "etc/../../secret", "./secret",
	};
	const struct tree *t = *state;

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		autoclose int fd = -1;

		assert_int_equal(rootdir_open(&t->root, paths[i], ROOTDIR_PLAIN, &fd), 0);
		assert_true(is_file(fd, t->path, "secret"));
	}
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		autoclose int fd = -1, made = -1;

		put_link(t, "link", links[i]);
		assert_int_equal(rootdir_open(&t->root, "link", ROOTDIR_PLAIN, &fd), 0);
		assert_true(is_file(fd, t->path, "secret"));
		assert_int_equal(rootdir_make(&t->root, "/link", true, ROOTDIR_PLAIN, &made, NULL),
				 0);
		assert_true(is_file(made, t->path, "secret"));
	}
}

static void where_links_are_refused_there_is_none(void **state)
{
	const struct tree *t = *state;
	int fd = -1;

	put_link(t, "link", "etc");
	put_link(t, "dangling", "nowhere");
	assert_int_equal(rootdir_open(&t->root, "link/file", ROOTDIR_NO_SYMLINKS, &fd), -ELOOP);
	assert_int_equal(rootdir_make(&t->root, "link/new", true, ROOTDIR_NO_SYMLINKS, &fd, NULL),
			 -ELOOP);
	assert_int_equal(rootdir_make(&t->root, "dangling", true, ROOTDIR_NO_SYMLINKS, &fd, NULL),
			 -ELOOP);
	assert_int_equal(rootdir_open(&t->root, "nothing", ROOTDIR_PLAIN, &fd), -ENOENT);
	assert_int_equal(fd, -1);
}

/* A link through /proc/self/... would be a way out that no path shows. */
static void magic_links_are_refused(void **state)
{
	const struct rootdir root = { .fd = open("/", O_PATH | O_CLOEXEC), .path = "/" };
	int fd = -1;

	(void)state;
	assert_int_equal(rootdir_open(&root, "/proc/self/cwd/.", ROOTDIR_PLAIN, &fd), -ELOOP);
	assert_int_equal(rootdir_open(&root, "/proc/self/stat", ROOTDIR_NO_XDEV, &fd), -EXDEV);
	(void)close(root.fd);
}

static void what_is_missing_is_made_inside(void **state)
{
	static const struct {
		const char *link, *target, *path; /* link NULL: none */
		bool file;
		const char *made;
	} cases[] = {
		{ NULL, NULL, "/a/b/c", false, "a/b/c" },
		{ NULL, NULL, "a2//b/./c/", false, "a2/b/c" },
		{ NULL, NULL, "/f/g/file", true, "f/g/file" },
		{ NULL, NULL, "/etc", false, "etc" },
		{ NULL, NULL, "/", false, "." },
		{ "resolv", "../run/resolv", "/resolv", true, "run/resolv" },
		{ "abs", "/run2/x", "/abs", true, "run2/x" },
		{ "up", "../../../../outside", "/up", true, "outside" },
		{ "updir", "../../../outdir", "/updir/sub/file", true, "outdir/sub/file" },
		{ "one", "two", "/one", true, "two" },
	};
	const struct tree *t = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autoclose int fd = -1;
		int r;

		if (cases[i].link)
			put_link(t, cases[i].link, cases[i].target);
		r = rootdir_make(&t->root, cases[i].path, cases[i].file, ROOTDIR_PLAIN, &fd, NULL);
		if (r < 0 || !is_file(fd, t->path, cases[i].made))
			fail_msg("%s: %d", cases[i].path, r);
		assert_false(is_file(fd, t->dir, "outside"));
	}
}

static void what_cannot_be_made_is_refused(void **state)
{
	static const struct {
		const char *path;
		bool file;
		int r;
	} cases[] = {
		{ "/etc", true, -EISDIR },          { "/etc/file", false, -ENOTDIR },
		{ "/etc/file/x", false, -ENOTDIR }, { "/new/../../x", true, -EINVAL },
		{ "/loop", true, -ELOOP },          { "/grow", true, -ELOOP },
	};
	const struct tree *t = *state;

	put_link(t, "loop", "loop");
	put_link(t, "grow", "grow/x");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct error err = { 0 };
		int fd = -1;

		assert_int_equal(rootdir_make(&t->root, cases[i].path, cases[i].file, ROOTDIR_PLAIN,
					      &fd, &err),
				 cases[i].r);
		assert_int_equal(fd, -1);
		assert_non_null(strstr(err.text, cases[i].path));
	}
}

static void a_path_has_a_depth(void **state)
{
	const struct tree *t = *state;
	char path[2 * 300 + 1] = "";
	int fd = -1;

	for (size_t i = 0; i < 300; i++)
		memcpy(path + 2 * i, "/d", 3);
	assert_int_equal(rootdir_make(&t->root, path, false, ROOTDIR_PLAIN, &fd, NULL),
			 -ENAMETOOLONG);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(no_path_leads_outside),
		CASE(where_links_are_refused_there_is_none),
		cmocka_unit_test(magic_links_are_refused),
		CASE(what_is_missing_is_made_inside),
		CASE(what_cannot_be_made_is_refused),
		CASE(a_path_has_a_depth),
	};

	(void)umask(022);
	return cmocka_run_group_tests_name("kernel/rootdir", tests, NULL, NULL);
}
