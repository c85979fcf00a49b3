/* tests/unit/base/test_number.c */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "base/number.h"

static void plain_numbers(void **state)
{
	static const struct {
		const char *text;
		uint64_t max;
		int r;
		uint64_t value;
	} cases[] = {
		{ "0", 10, 0, 0 },
		{ "10", 10, 0, 10 },
		{ "007", 10, 0, 7 },
		{ "11", 10, -ERANGE, 0 },
		{ "18446744073709551615", UINT64_MAX, 0, UINT64_MAX },
		{ "18446744073709551616", UINT64_MAX, -ERANGE, 0 },
		{ "99999999999999999999999", UINT64_MAX, -ERANGE, 0 },
		{ "", 10, -EINVAL, 0 },
		{ "-1", 10, -EINVAL, 0 },
		{ "+1", 10, -EINVAL, 0 },
		{ " 1", 10, -EINVAL, 0 },
		{ "1 ", 10, -EINVAL, 0 },
		{ "1a", 10, -EINVAL, 0 },
		{ "0x1", 10, -EINVAL, 0 },
		{ "1.", 10, -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = 0;

		assert_int_equal(number_parse(cases[i].text, cases[i].max, &value), cases[i].r);
		assert_int_equal(value, cases[i].value);
	}
}

static void signed_numbers(void **state)
{
	static const struct {
		const char *text;
		int64_t min, max;
		int r;
		int64_t value;
	} cases[] = {
		{ "-5", -5, 5, 0, -5 },
		{ "5", -5, 5, 0, 5 },
		{ "-0", -5, 5, 0, 0 },
		{ "-6", -5, 5, -ERANGE, 0 },
		{ "6", -5, 5, -ERANGE, 0 },
		{ "4", 5, 9, -ERANGE, 0 },
		{ "-1", 5, 9, -ERANGE, 0 },
		{ "1", -9, -5, -ERANGE, 0 },
		{ "--5", -5, 5, -EINVAL, 0 },
		{ "-", -5, 5, -EINVAL, 0 },
		{ "", -5, 5, -EINVAL, 0 },
		{ "- 5", -5, 5, -EINVAL, 0 },
		{ "9223372036854775807", INT64_MIN, INT64_MAX, 0, INT64_MAX },
		{ "9223372036854775808", INT64_MIN, INT64_MAX, -ERANGE, 0 },
		{ "-9223372036854775807", INT64_MIN, INT64_MAX, 0, -INT64_MAX },
		{ "-9223372036854775809", INT64_MIN, INT64_MAX, -ERANGE, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		int64_t value = 0;

		assert_int_equal(
			number_parse_signed(cases[i].text, cases[i].min, cases[i].max, &value),
			cases[i].r);
		assert_int_equal(value, cases[i].value);
	}
}

static void octal_numbers(void **state)
{
	static const struct {
		const char *text;
		int r;
		unsigned value;
	} cases[] = {
		{ "755", 0, 0755 },      { "0755", 0, 0755 }, { "7777", 0, 07777 },
		{ "10000", -ERANGE, 0 }, { "8", -EINVAL, 0 }, { "", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		unsigned value = 0;

		assert_int_equal(number_parse_octal(cases[i].text, 07777, &value), cases[i].r);
		assert_int_equal(value, cases[i].value);
	}
}

static void sizes(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t value;
	} cases[] = {
		{ "512", 0, 512 },
		{ "512b", 0, 512 },
		{ "64k", 0, 65536 },
		{ "64K", 0, 65536 },
		{ "64kb", 0, 65536 },
		{ "64KiB", 0, 65536 },
		{ "2g", 0, 2ULL << 30 },
		{ "1t", 0, 1ULL << 40 },
		{ "8191p", 0, 8191ULL << 50 },
		{ "8192p", -ERANGE, 0 },
		{ "9223372036854775807", 0, INT64_MAX },
		{ "9223372036854775808", -ERANGE, 0 },
		{ "", -EINVAL, 0 },
		{ "k", -EINVAL, 0 },
		{ "-1", -EINVAL, 0 },
		{ "1.5g", -EINVAL, 0 },
		{ "1x", -EINVAL, 0 },
		{ "1kk", -EINVAL, 0 },
		{ "1kib1", -EINVAL, 0 },
		{ "1ki", -EINVAL, 0 },
		{ "1 k", -EINVAL, 0 },
		{ "1iB", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = 0;

		assert_int_equal(number_parse_size(cases[i].text, &value), cases[i].r);
		assert_int_equal(value, cases[i].value);
	}
}

static void fractions(void **state)
{
	static const struct {
		const char *text;
		int r;
		uint64_t value;
	} cases[] = {
		{ "1.5", 0, 1500 },     { "1", 0, 1000 },     { ".5", 0, 500 },
		{ "1.", 0, 1000 },      { "0.0001", 0, 0 },   { "1.23456", 0, 1234 },
		{ "", -EINVAL, 0 },     { ".", -EINVAL, 0 },  { "1.5x", -EINVAL, 0 },
		{ "1..5", -EINVAL, 0 }, { "-1", -EINVAL, 0 }, { "1e3", -EINVAL, 0 },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		uint64_t value = 0;

		assert_int_equal(number_parse_fixed(cases[i].text, 3, &value), cases[i].r);
		assert_int_equal(value, cases[i].value);
	}
}

static void a_fraction_has_a_limit(void **state)
{
	uint64_t value = 0;

	(void)state;
	assert_int_equal(number_parse_fixed("18446744073.709551615", 9, &value), 0);
	assert_int_equal(value, UINT64_MAX);
	assert_int_equal(number_parse_fixed("18446744073.709551616", 9, &value), -ERANGE);
}

static void sizes_for_people(void **state)
{
	static const struct {
		uint64_t bytes;
		const char *text;
	} cases[] = {
		{ 0, "0B" },
		{ 1023, "1023B" },
		{ 1024, "1.0KiB" },
		{ 1536, "1.5KiB" },
		{ 100 * 1024, "100KiB" },
		{ 1ULL << 20, "1.0MiB" },
		{ 5ULL << 40, "5.0TiB" },
		{ UINT64_MAX, "15.9EiB" },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[NUMBER_SIZE_LEN];

		number_format_size(cases[i].bytes, text);
		assert_string_equal(text, cases[i].text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain_numbers),    cmocka_unit_test(signed_numbers),
		cmocka_unit_test(octal_numbers),    cmocka_unit_test(sizes),
		cmocka_unit_test(fractions),        cmocka_unit_test(a_fraction_has_a_limit),
		cmocka_unit_test(sizes_for_people),
	};

	return cmocka_run_group_tests_name("base/number", tests, NULL, NULL);
}
