/* tests/unit/image/test_source.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include "../scratch.h"
#include "image/source.h"

/* A file with text, or a symbolic link (to set) or a hard one (hard set). */
struct member {
	const char *name, *text, *to, *hard;
};

static void write_archive(const char *dir, const struct member *members, bool gzip)
{
	autofree char *path = xasprintf("%s/archive", dir);
	struct archive *a = archive_write_new();

	(void)archive_write_set_format_ustar(a);
	if (gzip)
		(void)archive_write_add_filter_gzip(a);
	assert_int_equal(archive_write_open_filename(a, path), ARCHIVE_OK);
	for (; members->name; members++) {
		struct archive_entry *entry = archive_entry_new();
		size_t len = members->text ? strlen(members->text) : 0;

		archive_entry_set_pathname(entry, members->name);
		archive_entry_set_filetype(entry, members->to ? AE_IFLNK : AE_IFREG);
		archive_entry_set_perm(entry, 0644);
		archive_entry_set_size(entry, (int64_t)len);
		if (members->to)
			archive_entry_set_symlink(entry, members->to);
		if (members->hard)
			archive_entry_set_hardlink(entry, members->hard);
		assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
		if (len)
			assert_int_equal(archive_write_data(a, members->text, len), len);
		archive_entry_free(entry);
	}
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	(void)archive_write_free(a);
}

static int open_archive(const char *dir, struct source **ret)
{
	autofree char *path = xasprintf("%s/archive", dir);
	autoclose int tmp = scratch_open(dir);

	return source_open(path, tmp, -1, ret, NULL);
}

static void check(const struct source *s, const char *name, const char *text)
{
	autofree char *got = NULL;
	size_t len = 0;

	assert_int_equal(source_read(s, name, 100, &got, &len, NULL), 0);
	assert_string_equal(got, text);
	assert_int_equal(len, strlen(text));
}

static void members_are_found_through_links(void **state)
{
	static const struct member members[] = {
		{ "./a/layer.tar", "old", NULL, NULL },
		{ "a/layer.tar", "first", NULL, NULL },
		{ "b/layer.tar", NULL, "../a/layer.tar", NULL },
		{ "c/layer.tar", NULL, NULL, "b/layer.tar" },
		{ "manifest.json", "[]", NULL, NULL },
		{ NULL, NULL, NULL, NULL },
	};

	for (int gzip = 0; gzip < 2; gzip++) {
		cleanup(source_cleanup) struct source *s = NULL;

		write_archive(*state, members, gzip);
		assert_int_equal(open_archive(*state, &s), 0);
		check(s, "manifest.json", "[]");
		check(s, "a/layer.tar", "first");
		check(s, "b/layer.tar", "first");
		check(s, "./c/layer.tar", "first");
		assert_true(source_has(s, "manifest.json"));
		assert_false(source_has(s, "index.json"));
		assert_false(source_has(s, "../manifest.json"));
	}
}

static void links_to_outside_and_circles_end(void **state)
{
	static const struct {
		struct member members[4];
		int open, read;
	} cases[] = {
		{ { { "a", NULL, "/etc/passwd", NULL } }, 0, -ENOENT },
		{ { { "a", NULL, "../etc/passwd", NULL } }, -EBADMSG, 0 },
		{ { { "a", NULL, NULL, "../../etc/passwd" } }, -EBADMSG, 0 },
		{ { { "../a", "x", NULL, NULL } }, -EBADMSG, 0 },
		{ { { "a", NULL, "b", NULL }, { "b", NULL, "a", NULL } }, 0, -ENOENT },
		{ { { "a", NULL, "a", NULL } }, 0, -ENOENT },
		{ { { NULL, NULL, NULL, NULL } }, -EBADMSG, 0 },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		cleanup(source_cleanup) struct source *s = NULL;
		autofree char *text = NULL;
		size_t len;

		write_archive(*state, cases[i].members, false);
		assert_int_equal(open_archive(*state, &s), cases[i].open);
		if (cases[i].open == 0)
			assert_int_equal(source_read(s, "a", 100000, &text, &len, NULL),
					 cases[i].read);
	}
}

static void a_document_has_a_limit(void **state)
{
	static const struct member members[] = {
		{ "a", "12345", NULL, NULL },
		{ NULL, NULL, NULL, NULL },
	};
	cleanup(source_cleanup) struct source *s = NULL;
	autofree char *text = NULL;
	size_t len;

	write_archive(*state, members, false);
	assert_int_equal(open_archive(*state, &s), 0);
	assert_int_equal(source_read(s, "a", 4, &text, &len, NULL), -EFBIG);
	assert_int_equal(source_read(s, "a", 5, &text, &len, NULL), 0);
}

static void a_directory_is_not_left(void **state)
{
	const char *dir = *state;
	autofree char *layout = xasprintf("%s/layout", dir);
	autofree char *link = xasprintf("%s/layout/link", dir);
	autofree char *inner = xasprintf("%s/layout/inner", dir);
	autofree char *pipe = xasprintf("%s/layout/pipe", dir), *text = NULL;
	cleanup(source_cleanup) struct source *s = NULL;
	autoclose int tmp = scratch_open(dir);
	size_t len;

	scratch_put(dir, "layout/blobs/a", "text");
	scratch_put(dir, "secret", "secret");
	assert_int_equal(symlink("../secret", link), 0);
	assert_int_equal(symlink("blobs/a", inner), 0);
	assert_int_equal(mkfifo(pipe, 0600), 0);
	assert_int_equal(source_open(layout, tmp, -1, &s, NULL), 0);
	check(s, "blobs/a", "text");
	check(s, "inner", "text");
	assert_int_equal(source_read(s, "link", 100, &text, &len, NULL), -EXDEV);
	assert_int_equal(source_read(s, "../secret", 100, &text, &len, NULL), -EXDEV);
	assert_int_equal(source_read(s, "pipe", 100, &text, &len, NULL), -EBADMSG);
	assert_int_equal(source_read(s, "blobs", 100, &text, &len, NULL), -EBADMSG);
	assert_int_equal(source_read(s, "nope", 100, &text, &len, NULL), -ENOENT);
}

static void what_is_no_archive_is_refused(void **state)
{
	cleanup(source_cleanup) struct source *s = NULL;

	assert_int_equal(open_archive(*state, &s), -ENOENT);
	scratch_put(*state, "archive", "this is no archive at all, but it is long enough");
	assert_int_equal(open_archive(*state, &s), -EBADMSG);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(members_are_found_through_links), CASE(links_to_outside_and_circles_end),
		CASE(a_document_has_a_limit),          CASE(a_directory_is_not_left),
		CASE(what_is_no_archive_is_refused),
	};

	return cmocka_run_group_tests_name("image/source", tests, NULL, NULL);
}
