/* tests/unit/engine/test_supply.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/json.h"
#include "base/strv.h"
#include "engine/supply.h"

static void names_are_known_or_refused(void **state)
{
	static const struct {
		const char *list;
		int r;
	} cases[] = {
		{ "tmp", 0 },        { "tmp,passwd", 0 },       { "tmp,", 0 },
		{ "tm", -EINVAL },   { "tmpx", -EINVAL },       { "tmp,,passwd", -EINVAL },
		{ ",tmp", -EINVAL }, { "tmp passwd", -EINVAL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strv lists = { 0 };

		strv_add(&lists, cases[i].list);
		if (supply_check(&lists, NULL) != cases[i].r)
			fail_msg("%s", cases[i].list);
		strv_done(&lists);
	}
}

static void a_list_is_searched_by_whole_words(void **state)
{
	struct strv lists = { 0 };

	(void)state;
	strv_add(&lists, "tmp");
	strv_add(&lists, "passwd,tzdata");
	assert_true(supply_is_asked(&lists, "tzdata"));
	assert_true(supply_is_asked(&lists, "tmp"));
	assert_false(supply_is_asked(&lists, "tm"));
	assert_false(supply_is_asked(&lists, "resolver"));
	strv_done(&lists);
}

static void last_words_tell_what_is_lacking(void **state)
{
	static const struct {
		const char *words, *asked, *named;
	} cases[] = {
		{ "x509: certificate signed by unknown authority", "", "--with ca-certificates" },
		{ "Unknown Time Zone Europe/Berlin", "", "--with tzdata" },
		{ "open /tmp/x: no such file", "", "--with tmp" },
		{ "open /tmp/x: no such file", "tmp", NULL },
		{ "segmentation fault", "", NULL },
		{ "", "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct strv asked = { 0 }, lines = { 0 };

		strv_add(&asked, cases[i].asked);
		supply_diagnose(cases[i].words, -1, &asked, &lines);
		assert_int_equal(lines.n, cases[i].named ? 1 : 0);
		if (cases[i].named)
			assert_non_null(strstr(lines.items[0], cases[i].named));
		strv_done(&asked);
		strv_done(&lines);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_are_known_or_refused),
		cmocka_unit_test(a_list_is_searched_by_whole_words),
		cmocka_unit_test(last_words_tell_what_is_lacking),
	};

	return cmocka_run_group_tests_name("engine/supply", tests, NULL, NULL);
}
