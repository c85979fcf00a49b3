/* tests/unit/disk/test_identity.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/alloc.h"
#include "disk/filetree.h"
#include "disk/identity.h"

static void same_tree_and_date_same_numbers(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	char a[UUID_TEXT_LEN + 1], b[UUID_TEXT_LEN + 1];
	const struct timespec when = { .tv_sec = 1 };
	struct identity one, two;

	(void)state;
	filetree_number(t, 2, 11);
	assert_int_equal(identity_choose(t, true, 5, &one, NULL), 0);
	assert_int_equal(identity_choose(t, true, 5, &two, NULL), 0);
	identity_text(&one, "root", a);
	identity_text(&two, "root", b);
	assert_string_equal(a, b);
	assert_int_equal(a[14], '4'); /* the version */
	identity_text(&one, "disk", b);
	assert_string_not_equal(a, b);
	assert_int_equal(identity_choose(t, true, 6, &two, NULL), 0);
	identity_text(&two, "root", b);
	assert_string_not_equal(a, b);
	assert_non_null(filetree_make_dir(t, "more", when));
	filetree_number(t, 2, 11);
	assert_int_equal(identity_choose(t, true, 5, &two, NULL), 0);
	identity_text(&two, "root", b);
	assert_string_not_equal(a, b);
}

static void by_chance_no_two_are_alike(void **state)
{
	cleanup(filetree_cleanup) struct filetree *t = filetree_new();
	struct identity one, two;
	uint8_t a[16], b[16];

	(void)state;
	filetree_number(t, 2, 11);
	assert_int_equal(identity_choose(t, false, 5, &one, NULL), 0);
	assert_int_equal(identity_choose(t, false, 5, &two, NULL), 0);
	identity_uuid(&one, "root", a);
	identity_uuid(&two, "root", b);
	assert_memory_not_equal(a, b, sizeof(a));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(same_tree_and_date_same_numbers),
		cmocka_unit_test(by_chance_no_two_are_alike),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
