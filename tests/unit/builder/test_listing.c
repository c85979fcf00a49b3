#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#include "builder/ignore.h"
#include "builder/listing.h"

#include "../scratch.h"

static void tree_new(const char *dir)
{
	static const char *const files[] = { "a.c", "b.c", "sub/c.c", "sub/deep/d.h", "out/o" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		scratch_put(dir, files[i], files[i]);
}

/* "item{entry entry} item{...}" */
static char *list_text(const char *dir, const char *source, const char *rules)
{
	struct ignore ignore = { NULL, 0, 0 };
	struct listing list = { NULL, 0, 0, 0 };
	struct error err = { 0 };
	struct listing_request req = { .root = scratch_open(dir),
				       .ignore = &ignore,
				       .what = "the context" };
	char *got = xstrdup("");

	assert_int_equal(ignore_parse(rules, strlen(rules), &ignore, NULL), 0);
	if (listing_add(&list, &req, source, &err) < 0) {
		free(got);
		got = xstrdup(err.text);
	}
	for (size_t i = 0; i < list.n; i++)
		for (size_t k = 0; k < list.items[i].n; k++) {
			char *longer = xasprintf("%s%s:%s ", got, list.items[i].name,
						 list.items[i].entries[k].path);

			free(got);
			got = longer;
		}
	listing_done(&list);
	ignore_done(&ignore);
	(void)close(req.root);
	return got;
}

static void sources_are_found(void **state)
{
	static const struct {
		const char *source, *rules, *list;
	} cases[] = {
		{ "a.c", "", "a.c:a.c " },
		{ "/a.c", "", "a.c:a.c " },
		{ "../../a.c", "", "a.c:a.c " },
		{ "*.c", "", "a.c:a.c b.c:b.c " },
		{ "*/*.c", "", "c.c:c.c " },
		{ "sub", "", "sub: sub:c.c sub:deep sub:deep/d.h sub:deep/up " },
		{ "s*", "", "sub: sub:c.c sub:deep sub:deep/d.h sub:deep/up " },
		{ "sub/", "sub/deep", "sub: sub:c.c " },
		{ ".", "*\n!sub/deep", ": :sub :sub/deep :sub/deep/d.h :sub/deep/up " },
		{ ".", "*\n!sub/no", ": " },
		{ ".", "out\nsub", ": :a.c :b.c " },
		{ "*.c", "a.c", "b.c:b.c " },
		{ "inside", "", "inside:a.c " },
		{ "outside", "", "outside: not found in the context" },
		{ "up", "", "up:a.c " },
		{ "dir", "", "dir: dir:d.h dir:up " },
		{ "dir/up", "", "up:c.c " },
		{ "no", "", "no: not found in the context" },
		{ "a.c", "*.c", "a.c: the context has it, but an ignore file leaves it out" },
		{ "*.x", "", "*.x: not found in the context" },
	};

	tree_new(*state);
	assert_int_equal(chdir(*state), 0);
	assert_int_equal(symlink("a.c", "inside"), 0);
	assert_int_equal(symlink("/etc/passwd", "outside"), 0);
	assert_int_equal(symlink("../../../../a.c", "up"), 0);
	assert_int_equal(symlink("sub/deep", "dir"), 0);
	assert_int_equal(symlink("../c.c", "sub/deep/up"), 0);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		bool links = strcmp(cases[i].source, ".") == 0;
		autofree char *rules = xasprintf("%s%s", cases[i].rules,
						 links ? "\ninside\noutside\nup\ndir" : "");
		autofree char *got = list_text(*state, cases[i].source, rules);

		assert_string_equal(got, cases[i].list);
	}
	assert_int_equal(chdir("/"), 0);
}

static void digest_of(const char *dir, char ret[DIGEST_HEX_LEN + 1])
{
	struct listing list = { NULL, 0, 0, 0 };
	const struct listing_request req = { .root = scratch_open(dir), .what = "the context" };

	assert_int_equal(listing_add(&list, &req, ".", NULL), 0);
	assert_int_equal(listing_digest(&list, &req, ret, NULL), 0);
	listing_done(&list);
	(void)close(req.root);
}

static void the_digest_is_of_what_matters(void **state)
{
	char first[DIGEST_HEX_LEN + 1], second[DIGEST_HEX_LEN + 1];
	autofree char *path = xasprintf("%s/a.c", (char *)*state);
	const struct timespec times[2] = { { .tv_sec = 5 }, { .tv_sec = 5 } };

	tree_new(*state);
	digest_of(*state, first);
	assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
	digest_of(*state, second);
	assert_string_equal(first, second);
	assert_int_equal(chmod(path, 0600), 0);
	digest_of(*state, second);
	assert_string_not_equal(first, second);
	assert_int_equal(chmod(path, 0644), 0);
	scratch_put(*state, "a.c", "A.c");
	digest_of(*state, second);
	assert_string_not_equal(first, second);
}

/* Only where they are copied along. */
static void attributes_count_if_asked(void **state)
{
	char texts[4][DIGEST_HEX_LEN + 1];
	autofree char *file = xasprintf("%s/a.c", (char *)*state);

	tree_new(*state);
	for (size_t i = 0; i < 4; i++) {
		struct listing list = { NULL, 0, 0, 0 };
		const struct listing_request req = { .root = scratch_open(*state),
						     .attributes_count = i != 3,
						     .what = "the context" };

		if (i == 1 && setxattr(file, "user.one", "1", 1, 0) < 0)
			skip();
		if (i == 2)
			assert_int_equal(setxattr(*state, "user.two", "", 0, 0), 0);
		assert_int_equal(listing_add(&list, &req, ".", NULL), 0);
		assert_int_equal(listing_digest(&list, &req, texts[i], NULL), 0);
		listing_done(&list);
		(void)close(req.root);
	}
	assert_string_not_equal(texts[0], texts[1]);
	assert_string_not_equal(texts[1], texts[2]);
	assert_string_equal(texts[0], texts[3]);
}

static void changes_are_found_by_path(void **state)
{
	struct listing list = { NULL, 0, 0, 0 };
	const struct listing_request req = { .root = scratch_open(*state), .what = "the context" };
	autofree char *file = NULL, *dir = NULL;

	tree_new(*state);
	assert_int_equal(listing_add(&list, &req, ".", NULL), 0);
	assert_null(listing_find_changed(&list, true));
	scratch_put(*state, "brand-new", "x");
	assert_null(listing_find_changed(&list, false));
	dir = listing_find_changed(&list, true);
	assert_string_equal(dir, "");
	scratch_put(*state, "a.c", "much longer than before");
	file = listing_find_changed(&list, false);
	assert_string_equal(file, "a.c");
	listing_done(&list);
	(void)close(req.root);
}

static void what_was_just_written_has_no_stamp(void **state)
{
	struct listing list = { NULL, 0, 0, 0 };
	const struct listing_request req = { .root = scratch_open(*state), .what = "the context" };
	char stamp[DIGEST_HEX_LEN + 1];

	tree_new(*state);
	assert_int_equal(listing_add(&list, &req, ".", NULL), 0);
	assert_false(listing_stamp(&list, stamp));
	listing_done(&list);
	(void)close(req.root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(sources_are_found, scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(the_digest_is_of_what_matters, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(changes_are_found_by_path, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(attributes_count_if_asked, scratch_setup,
						scratch_teardown),
		cmocka_unit_test_setup_teardown(what_was_just_written_has_no_stamp, scratch_setup,
						scratch_teardown),
	};

	return cmocka_run_group_tests_name("builder/listing", tests, NULL, NULL);
}
