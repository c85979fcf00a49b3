/* tests/unit/image/test_staged.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <archive.h>
#include <archive_entry.h>
#include <sys/stat.h>

#include "../scratch.h"
#include "image/staged.h"

#define TAR_MAX 65536
#define A64     "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

struct tar {
	char bytes[TAR_MAX];
	size_t len;
	char hex[DIGEST_HEX_LEN + 1];
};

/* NAME=TEXT a file, NAME/ a directory, NAME>TARGET a hard link; the array ends with NULL. */
static void tar_make(struct tar *t, const char *const *members)
{
	struct archive *a = archive_write_new();

	(void)archive_write_set_format_ustar(a);
	(void)archive_write_set_bytes_in_last_block(a, 1);
	assert_int_equal(archive_write_open_memory(a, t->bytes, sizeof(t->bytes), &t->len),
			 ARCHIVE_OK);
	for (; *members; members++) {
		autofree char *name = xstrdup(*members);
		struct archive_entry *entry = archive_entry_new();
		char *mark = strpbrk(name, "=>"), kind = mark ? *mark : '/';
		const char *text = mark ? mark + 1 : "";

		if (mark)
			*mark = '\0';
		archive_entry_set_pathname(entry, name);
		archive_entry_set_filetype(entry, kind == '/' ? AE_IFDIR : AE_IFREG);
		archive_entry_set_perm(entry, 0755);
		archive_entry_set_mtime(entry, 1000000, 0);
		archive_entry_set_size(entry, kind == '=' ? (int64_t)strlen(text) : 0);
		archive_entry_set_uid(entry, getuid());
		archive_entry_set_gid(entry, getgid());
		if (kind == '>')
			archive_entry_set_hardlink(entry, text);
		assert_int_equal(archive_write_header(a, entry), ARCHIVE_OK);
		if (kind == '=')
			assert_int_equal(archive_write_data(a, text, strlen(text)), strlen(text));
		archive_entry_free(entry);
	}
	assert_int_equal(archive_write_close(a), ARCHIVE_OK);
	(void)archive_write_free(a);
	digest_bytes(t->bytes, t->len, t->hex);
}

static struct staged *stage(const char *dir, const struct tar *t)
{
	autofree char *tmp = xasprintf("%s/tmp/mine", dir);
	static int fds[2];
	struct staged *s = NULL;

	assert_int_equal(dir_make_at(AT_FDCWD, tmp, 0700, NULL), 0);
	fds[0] = scratch_open(dir);
	fds[1] = scratch_open(tmp);
	assert_int_equal(staged_begin(fds[0], fds[1], &s, NULL), 0);
	for (size_t at = 0; at < t->len; at += 700)
		assert_int_equal(staged_put(s, t->bytes + at, MIN(700U, t->len - at), NULL), 0);
	staged_end(s);
	return s;
}

static void check_file(struct staged *s, const struct tar *t)
{
	autofree char *got = xmalloc(TAR_MAX + 1);
	int fd = -1;

	assert_int_equal(staged_file(s, &fd, NULL), 0);
	assert_int_equal(pread(fd, got, TAR_MAX + 1, 0), t->len);
	assert_memory_equal(got, t->bytes, t->len);
	(void)close(fd);
}

static int entries(const char *dir, const char *name)
{
	autofree char *path = xasprintf("%s/%s", dir, name);
	struct stat st = { 0 };

	return stat(path, &st) < 0 ? -1 : (int)st.st_nlink - 2;
}

static void a_layer_is_told_by_its_first_header(void **state)
{
	static const char *const members[] = { "a=text", NULL };
	unsigned char head[STAGED_HEAD] = "{\"layers\":[]}";
	struct tar t = { .len = 0 };

	(void)state;
	assert_false(staged_is_layer(head));
	tar_make(&t, members);
	memcpy(head, t.bytes, sizeof(head));
	assert_true(staged_is_layer(head));
}

static void it_is_taken_over_once_and_is_a_file_for_others(void **state)
{
	static const char *const members[] = { "etc/",           "etc/a=one",     "etc/b=two",
					       "etc/.wh.never=", "etc/.wh.gone=", NULL };
	const char *dir = *state;
	autofree char *below = xasprintf("%s/lower", dir);
	autofree char *place = xasprintf("%s/tmp/" A64, dir), *text = NULL;
	autofree char *moved = xasprintf("%s/layers/" A64, dir);
	cleanup(staged_cleanup) struct staged *s = NULL;
	struct staged_layer found = { .size = 0 };
	autoclose int to = -1;
	struct strv lower = { 0 };
	struct tar t = { .len = 0 };
	struct stat st;

	if (getuid() != 0)
		skip(); /* whiteouts are devices */
	tar_make(&t, members);
	s = stage(dir, &t);
	assert_int_equal(staged_look(s, &found, NULL), 1);
	assert_string_equal(found.diff_id, t.hex);
	assert_int_equal(found.tar_size, t.len);
	assert_int_equal(found.size, 6);
	assert_int_equal(found.whiteouts->n, 2);
	check_file(s, &t);
	scratch_put(dir, "lower/etc/gone", "");
	strv_add(&lower, below);
	assert_int_equal(dir_ensure_at(AT_FDCWD, place, 0700, &to, NULL), 0);
	assert_int_equal(staged_take(s, to, A64, &lower, NULL), 1);
	strv_done(&lower);
	assert_int_equal(staged_take(s, to, A64, &lower, NULL), 0);
	assert_int_equal(staged_look(s, &found, NULL), 0);
	assert_int_equal(entries(dir, "tmp/mine"), 0);
	text = scratch_get(dir, "tmp/" A64 "/diff/etc/b");
	assert_string_equal(text, "two");
	assert_int_equal(fstatat(to, "diff/etc/gone", &st, AT_SYMLINK_NOFOLLOW), 0);
	assert_int_equal(fstatat(to, "diff/etc/never", &st, AT_SYMLINK_NOFOLLOW), -1);
	check_file(s, &t); /* out of its taker's place, and out of that which comes then */
	scratch_put(dir, "layers/other", "");
	assert_int_equal(rename(place, moved), 0);
	check_file(s, &t);
}

static void what_needs_more_than_a_tree_becomes_a_file(void **state)
{
	static const char *const cases[][5] = {
		{ "a=one", "link>below/file", "z=end", NULL },
		{ "a=one", "deep/file=two", "z=end", NULL },
		{ "a=one", "b=two", "a=three", "z=end", NULL },
	};
	const char *dir = *state;

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct staged_layer found = { .size = 0 };
		struct tar t = { .len = 0 };
		struct staged *s;

		tar_make(&t, cases[i]);
		s = stage(dir, &t);
		assert_int_equal(staged_look(s, &found, NULL), 0);
		check_file(s, &t);
		check_file(s, &t);
		assert_int_equal(entries(dir, "tmp/mine"), 0);
		staged_free(s);
	}
}

/* Nobody may ever ask for it; who does is told, and the archive around it was read on. */
static void what_is_wrong_is_told_to_who_asks(void **state)
{
	static const char *const members[] = { "../../outside=text", "b=two", NULL };
	const char *dir = *state;
	cleanup(staged_cleanup) struct staged *s = NULL;
	struct staged_layer found = { .size = 0 };
	struct error err = { 0 };
	struct tar t = { .len = 0 };
	int fd = -1;

	tar_make(&t, members);
	s = stage(dir, &t);
	assert_int_equal(staged_look(s, &found, &err), -EBADMSG);
	assert_non_null(strstr(err.text, "outside"));
	assert_int_equal(staged_file(s, &fd, NULL), -EBADMSG);
	assert_int_equal(entries(dir, "tmp/mine"), 0);
	assert_int_equal(entries(dir, "outside"), -1);
}

#define CASE(fn) cmocka_unit_test_setup_teardown(fn, scratch_setup, scratch_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		CASE(a_layer_is_told_by_its_first_header),
		CASE(it_is_taken_over_once_and_is_a_file_for_others),
		CASE(what_needs_more_than_a_tree_becomes_a_file),
		CASE(what_is_wrong_is_told_to_who_asks),
	};

	(void)umask(022);
	return cmocka_run_group_tests_name("image/staged", tests, NULL, NULL);
}
