/* tests/unit/image/test_alias.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "../scratch.h"
#include "image/alias.h"

#define A64 "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B64 "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"
#define X   A64 B64
#define Y   B64 A64

static void a_name_leads_to_its_blob_as_long_as_that_is_there(void **state)
{
	const char *dir = *state;
	autoclose int root = scratch_open(dir);
	char got[DIGEST_HEX_LEN + 1] = "";

	assert_false(alias_get(root, X, got));
	alias_prune(root); /* nothing to do, and no directory */
	scratch_put(dir, "blobs/sha256/" A64, "one");
	scratch_put(dir, "blobs/sha256/" B64, "two");
	assert_int_equal(alias_set(root, X, A64, NULL), 0);
	assert_int_equal(alias_set(root, Y, A64, NULL), 0);
	assert_int_equal(alias_set(root, Y, B64, NULL), 0); /* another one */
	assert_true(alias_get(root, X, got));
	assert_string_equal(got, A64);
	assert_true(alias_get(root, Y, got));
	assert_string_equal(got, B64);
	assert_int_equal(unlinkat(root, "blobs/sha256/" A64, 0), 0);
	assert_false(alias_get(root, X, got));
	alias_prune(root);
	assert_int_equal(faccessat(root, "blobs/sha512/" X, F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(faccessat(root, "blobs/sha512/" Y, F_OK, AT_SYMLINK_NOFOLLOW), 0);
}

static void what_is_no_name_of_ours_is_none(void **state)
{
	static const char *const targets[] = { "/etc/passwd", "../sha256/" B64 "b",
					       "../sha256/../x", "../sha256/", B64 };
	const char *dir = *state;
	autoclose int root = scratch_open(dir);
	char got[DIGEST_HEX_LEN + 1];

	scratch_put(dir, "blobs/sha256/" B64, "two");
	scratch_put(dir, "blobs/sha512/" X, "a file");
	assert_false(alias_get(root, X, got));
	for (size_t i = 0; i < ARRAY_SIZE(targets); i++) {
		assert_int_equal(unlinkat(root, "blobs/sha512/" X, 0), 0);
		assert_int_equal(symlinkat(targets[i], root, "blobs/sha512/" X), 0);
		assert_false(alias_get(root, X, got));
	}
	/* What a kill left between two steps of ours goes, though it leads somewhere. */
	assert_int_equal(symlinkat("../sha256/" B64, root, "blobs/sha512/" A64), 0);
	alias_prune(root);
	assert_int_equal(faccessat(root, "blobs/sha512/" A64, F_OK, AT_SYMLINK_NOFOLLOW), -1);
	assert_int_equal(faccessat(root, "blobs/sha512/" X, F_OK, AT_SYMLINK_NOFOLLOW), -1);
}

static void a_digest_says_where_its_blob_is(void **state)
{
	autofree char *one = alias_path("sha256:" A64), *two = alias_path("sha512:" X);

	(void)state;
	assert_string_equal(one, "blobs/sha256/" A64);
	assert_string_equal(two, "blobs/sha512/" X);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(a_name_leads_to_its_blob_as_long_as_that_is_there,
						scratch_setup, scratch_teardown),
		cmocka_unit_test_setup_teardown(what_is_no_name_of_ours_is_none, scratch_setup,
						scratch_teardown),
		cmocka_unit_test(a_digest_says_where_its_blob_is),
	};

	return cmocka_run_group_tests_name("image/alias", tests, NULL, NULL);
}
