/* tests/unit/base/test_clock.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/clock.h"

static void times_are_read_and_written(void **state)
{
	static const struct {
		const char *text;
		int64_t ns;
		const char *formatted;
	} cases[] = {
		{ "1970-01-01T00:00:00Z", 0, "1970-01-01T00:00:00.000000000Z" },
		{ "1970-01-01t00:00:01.5z", 1500000000, "1970-01-01T00:00:01.500000000Z" },
		{ "1970-01-01T01:00:00+01:00", 0, "1970-01-01T00:00:00.000000000Z" },
		{ "1969-12-31T23:30:00-00:30", 0, "1970-01-01T00:00:00.000000000Z" },
		{ "1969-12-31T23:59:59.25Z", -750000000, "1969-12-31T23:59:59.250000000Z" },
		{ "2024-02-29T12:00:00.123456789Z", 1709208000123456789,
		  "2024-02-29T12:00:00.123456789Z" },
		{ "2262-04-11T23:47:16.854775807Z", INT64_MAX, "2262-04-11T23:47:16.854775807Z" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[CLOCK_TEXT_LEN];
		int64_t ns = -1;

		assert_int_equal(clock_parse(cases[i].text, &ns), 0);
		assert_int_equal(ns, cases[i].ns);
		clock_format(ns, text);
		assert_string_equal(text, cases[i].formatted);
	}
}

static void what_is_no_time_is_refused(void **state)
{
	static const char *const cases[] = {
		"",
		"2026",
		"2026-01-01T00:00:00",
		"2026-01-01 00:00:00Z",
		"2026-00-01T00:00:00Z",
		"2026-13-01T00:00:00Z",
		"2026-01-00T00:00:00Z",
		"2026-01-32T00:00:00Z",
		"2026-01-01T24:00:00Z",
		"2026-01-01T00:60:00Z",
		"2026-01-01T00:00:61Z",
		"2026-01-01T00:00:00.Z",
		"2026-01-01T00:00:00ZZ",
		"2026-01-01T00:00:00+1:00",
		"2026-01-01T00:00:00+0100",
		"-026-01-01T00:00:00Z",
		"2262-04-11T23:47:16.854775808Z",
		"9999-12-31T23:59:59Z",
		"0001-01-01T00:00:00Z",
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t ns;

		if (clock_parse(cases[i], &ns) != -EINVAL)
			fail_msg("'%s' is taken", cases[i]);
	}
}

static void ages_are_said_in_words(void **state)
{
	static const struct {
		int64_t s;
		const char *text;
	} cases[] = {
		{ -5, "less than a second" },
		{ 0, "less than a second" },
		{ 1, "1 second" },
		{ 59, "59 seconds" },
		{ 60, "1 minute" },
		{ 3600, "1 hour" },
		{ 47 * 3600, "47 hours" },
		{ 48 * 3600, "2 days" },
		{ 14 * 86400, "2 weeks" },
		{ 60 * 86400, "2 months" },
		{ 730 * 86400, "2 years" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[32];

		clock_format_age(cases[i].s * 1000000000, text);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(times_are_read_and_written),
		cmocka_unit_test(what_is_no_time_is_refused),
		cmocka_unit_test(ages_are_said_in_words),
	};

	return cmocka_run_group_tests_name("base/clock", tests, NULL, NULL);
}
