#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "builder/draft.h"
#include "builder/mode.h"

#include "../scratch.h"

/* Two layers below, and the draft. */
struct bed {
	struct strv lower;
	struct draft draft;
	int fd;
	const char *dir;
};

static void bed_open(struct bed *bed, const char *dir)
{
	autofree char *draft = xasprintf("%s/draft", dir);

	scratch_put(dir, "low/etc/passwd", "root");
	scratch_put(dir, "low/usr/lib/x", "x");
	scratch_put(dir, "high/etc/hosts", "h");
	assert_int_equal(dir_make_at(AT_FDCWD, draft, 0755, NULL), 0);
	bed->lower = (struct strv) { 0 };
	strv_addf(&bed->lower, "%s/high", dir);
	strv_addf(&bed->lower, "%s/low", dir);
	bed->dir = dir;
	bed->fd = scratch_open(draft);
	draft_init(&bed->draft, bed->fd, &bed->lower);
}

static void bed_done(struct bed *bed)
{
	draft_done(&bed->draft);
	(void)close(bed->fd);
	strv_done(&bed->lower);
}

static void link_to(const char *dir, const char *name, const char *target)
{
	autofree char *path = xasprintf("%s/%s", dir, name);

	assert_int_equal(symlink(target, path), 0);
}

static void paths_are_resolved_inside(void **state)
{
	static const char *const cases[][2] = {
		{ "/", "" },
		{ "/etc/passwd", "etc/passwd" },
		{ "a/./b/../c", "a/c" },
		{ "/../../etc", "etc" },
		{ "/lib/x", "usr/lib/x" },
		{ "/out/etc", "etc" },
		{ "/abs/new/file", "usr/lib/new/file" },
		{ "/lib/../y", "usr/y" },
		{ "/nowhere/z", "not/there/z" },
	};
	struct bed bed;

	bed_open(&bed, *state);
	link_to(*state, "low/lib", "usr/lib");
	link_to(*state, "high/out", "../../../..");
	link_to(*state, "high/abs", "/usr/lib");
	link_to(*state, "high/nowhere", "not/there");
	link_to(*state, "high/loop", "loop");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		autofree char *got = NULL;

		assert_int_equal(draft_resolve(&bed.draft, cases[i][0], true, &got, NULL), 0);
		assert_string_equal(got, cases[i][1]);
	}
	{
		autofree char *got = NULL;
		struct error err = { 0 };

		assert_int_equal(draft_resolve(&bed.draft, "/loop/x", true, &got, &err), -ELOOP);
		assert_int_equal(draft_resolve(&bed.draft, "/lib", false, &got, NULL), 0);
		assert_string_equal(got, "lib");
	}
	bed_done(&bed);
}

static void directories_come_up_as_they_are_below(void **state)
{
	autofree char *low = xasprintf("%s/low/usr", (char *)*state);
	const struct timespec old[2] = { { .tv_sec = 1000 }, { .tv_sec = 1000 } };
	struct bed bed;
	struct stat st;
	bool is_new;

	bed_open(&bed, *state);
	assert_int_equal(chmod(low, 0711), 0);
	assert_int_equal(utimensat(AT_FDCWD, low, old, 0), 0);
	assert_int_equal(
		draft_make_dir(&bed.draft, "usr/new/deep", getuid(), getgid(), &is_new, NULL), 0);
	assert_true(is_new);
	assert_int_equal(draft_make_dir(&bed.draft, "usr", getuid(), getgid(), &is_new, NULL), 0);
	assert_false(is_new);
	assert_int_equal(draft_finish(&bed.draft, NULL), 0);
	assert_int_equal(fstatat(bed.fd, "usr", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0711);
	assert_int_equal(st.st_mtim.tv_sec, 1000);
	assert_int_equal(fstatat(bed.fd, "usr/new/deep", &st, 0), 0);
	assert_int_equal(st.st_mode & 07777, 0755);
	bed_done(&bed);
}

static void what_is_there_decides(void **state)
{
	const struct draft_looks looks = { .uid = (int64_t)getuid(), .gid = (int64_t)getgid() };
	struct error err = { 0 };
	struct bed bed;

	bed_open(&bed, *state);
	assert_int_equal(draft_make_dir(&bed.draft, "etc/passwd", 0, 0, NULL, &err), -ENOTDIR);
	assert_int_equal(draft_make_dir(&bed.draft, "etc", getuid(), getgid(), NULL, NULL), 0);
	assert_int_equal(draft_write(&bed.draft, "etc/hosts", "new", 3, &looks, NULL), 0);
	assert_int_equal(draft_write(&bed.draft, "etc/hosts", "newer", 5, &looks, NULL), 0);
	assert_int_equal(draft_write(&bed.draft, "usr", "x", 1, &looks, &err), -EISDIR);
	assert_string_equal(err.text, "/usr is a directory, which no file replaces");
	bed_done(&bed);
	{
		autofree char *text = scratch_get(*state, "draft/etc/hosts");
		autofree char *below = scratch_get(*state, "high/etc/hosts");

		assert_string_equal(text, "newer");
		assert_string_equal(below, "h");
	}
}

static void copy(struct bed *bed, int from, const char *name, const char *to,
		 const struct draft_looks *looks)
{
	struct draft_source source = { .dir = from, .name = name };

	assert_int_equal(fstatat(from, name, &source.st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(draft_copy(&bed->draft, to, &source, looks, NULL), 0);
}

static void entries_are_copied(void **state)
{
	struct draft_mode mode = { .is_number = true, .number = 0640 };
	struct draft_looks looks = { .uid = -1, .gid = -1 };
	struct bed bed;
	struct stat a, b;
	int from;

	bed_open(&bed, *state);
	scratch_put(*state, "from/a", "text");
	link_to(*state, "from/link", "/etc/passwd");
	from = scratch_open(*state);
	assert_int_equal(linkat(from, "from/a", from, "from/b", 0), 0);
	copy(&bed, from, "from/a", "a", &looks);
	copy(&bed, from, "from/b", "b", &looks);
	copy(&bed, from, "from/link", "link", &looks);
	assert_int_equal(fstatat(bed.fd, "a", &a, 0), 0);
	assert_int_equal(fstatat(bed.fd, "b", &b, 0), 0);
	assert_int_equal(a.st_ino, b.st_ino);
	assert_int_equal(fstatat(bed.fd, "link", &b, AT_SYMLINK_NOFOLLOW), 0);
	assert_true(S_ISLNK(b.st_mode));
	looks.mode = &mode;
	scratch_put(*state, "from/c", "c");
	copy(&bed, from, "from/c", "c", &looks);
	assert_int_equal(fstatat(bed.fd, "c", &b, 0), 0);
	assert_int_equal(b.st_mode & 07777, 0640);
	(void)close(from);
	bed_done(&bed);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(paths_are_resolved_inside, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(directories_come_up_as_they_are_below,
						scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(what_is_there_decides, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(entries_are_copied, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests_name("builder/draft", tests, NULL, NULL);
}
