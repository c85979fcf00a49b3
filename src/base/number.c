/* src/base/number.c */
#include "base/number.h"

#include <stdio.h>
#include <string.h>

static int digits_parse(const char *s, size_t len, unsigned base, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (len == 0)
		return -EINVAL;
	for (size_t i = 0; i < len; i++) {
		unsigned digit = (unsigned char)s[i] - (unsigned)'0';

		if (digit >= base)
			return -EINVAL;
		if (__builtin_mul_overflow(value, base, &value) ||
		    __builtin_add_overflow(value, digit, &value) || value > max)
			return -ERANGE;
	}
	*ret = value;
	return 0;
}

int number_parse(const char *s, uint64_t max, uint64_t *ret)
{
	return digits_parse(s, strlen(s), 10, max, ret);
}

int number_parse_signed(const char *s, int64_t min, int64_t max, int64_t *ret)
{
	uint64_t value = 0;
	int r;

	if (*s != '-') {
		if (max < 0)
			return -ERANGE;
		r = digits_parse(s, strlen(s), 10, (uint64_t)max, &value);
		if (r == 0 && (int64_t)value < min)
			r = -ERANGE;
		if (r == 0)
			*ret = (int64_t)value;
		return r;
	}
	r = digits_parse(s + 1, strlen(s + 1), 10, INT64_MAX, &value);
	if (r == 0 && (-(int64_t)value < min || -(int64_t)value > max))
		r = -ERANGE;
	if (r == 0)
		*ret = -(int64_t)value;
	return r;
}

int number_parse_octal(const char *s, unsigned max, unsigned *ret)
{
	uint64_t value = 0;
	int r = digits_parse(s, strlen(s), 8, max, &value);

	if (r == 0)
		*ret = (unsigned)value;
	return r;
}

int number_parse_size(const char *s, uint64_t *ret)
{
	static const char units[] = "kmgtp";
	size_t len = strspn(s, "0123456789");
	const char *rest = s + len;
	uint64_t value = 0;
	unsigned shift = 0;
	int r;

	r = digits_parse(s, len, 10, INT64_MAX, &value);
	if (r < 0)
		return r;
	if (*rest) {
		const char *unit = strchr(units, *rest | 0x20);

		if (unit && *unit) {
			shift = 10U * (unsigned)(unit - units + 1);
			rest++;
			if (*rest == 'i' && (rest[1] | 0x20) == 'b')
				rest++;
		}
		if (*rest && (*rest | 0x20) == 'b')
			rest++;
		if (*rest)
			return -EINVAL;
	}
	if (value > (uint64_t)INT64_MAX >> shift)
		return -ERANGE;
	*ret = value << shift;
	return 0;
}

int number_parse_fixed(const char *s, unsigned digits, uint64_t *ret)
{
	size_t whole = strspn(s, "0123456789");
	uint64_t value = 0;
	const char *p;
	int r;

	if (whole == 0 && s[0] != '.')
		return -EINVAL;
	if (whole > 0) {
		r = digits_parse(s, whole, 10, INT64_MAX, &value);
		if (r < 0)
			return r;
	}
	p = s + whole;
	if (*p == '.')
		p++;
	if (p == s + 1 && whole == 0 && !*p)
		return -EINVAL;
	for (unsigned i = 0; i < digits; i++) {
		unsigned digit = 0;

		if (*p >= '0' && *p <= '9')
			digit = (unsigned)(*p++ - '0');
		if (__builtin_mul_overflow(value, 10, &value) ||
		    __builtin_add_overflow(value, digit, &value))
			return -ERANGE;
	}
	p += strspn(p, "0123456789");
	if (*p)
		return -EINVAL;
	*ret = value;
	return 0;
}

void number_format_size(uint64_t bytes, char ret[NUMBER_SIZE_LEN])
{
	static const char *const units[] = { "B", "KiB", "MiB", "GiB", "TiB", "PiB", "EiB" };
	uint64_t whole = bytes;
	unsigned unit = 0, tenth = 0;

	while (whole >= 1024 && unit + 1 < ARRAY_SIZE(units)) {
		tenth = (unsigned)(whole % 1024 * 10 / 1024);
		whole /= 1024;
		unit++;
	}
	if (unit == 0 || whole >= 100)
		(void)snprintf(ret, NUMBER_SIZE_LEN, "%llu%s", (unsigned long long)whole,
			       units[unit]);
	else
		(void)snprintf(ret, NUMBER_SIZE_LEN, "%llu.%u%s", (unsigned long long)whole, tenth,
			       units[unit]);
}
