/* src/cmd/moment.c */
#include "cmd/moment.h"

#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/number.h"

/* "90s", "10m", "2h", "1d": that long ago. */
static int parse_ago(const char *text, int64_t *ret_ns)
{
	static const struct {
		char unit;
		int64_t seconds;
	} units[] = { { 's', 1 }, { 'm', 60 }, { 'h', 3600 }, { 'd', 86400 } };
	size_t len = strlen(text);
	char digits[16];
	uint64_t n;

	if (len < 2 || len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, text, len - 1);
	digits[len - 1] = '\0';
	if (number_parse(digits, 1000000, &n) < 0)
		return -EINVAL;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++) {
		if (units[i].unit != text[len - 1])
			continue;
		*ret_ns = clock_now_ns() - (int64_t)n * units[i].seconds * 1000000000;
		return 0;
	}
	return -EINVAL;
}

/* Seconds since 1970, or a day or a minute of this place's time. */
static int parse_moment(const char *text, int64_t *ret_ns)
{
	static const char *const forms[] = { "%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S" };
	uint64_t seconds;

	if (number_parse(text, INT64_MAX / 1000000000, &seconds) == 0) {
		*ret_ns = (int64_t)seconds * 1000000000;
		return 0;
	}
	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		struct tm tm = { .tm_isdst = -1 };
		const char *end = strptime(text, forms[i], &tm);

		if (!end || *end)
			continue;
		tm.tm_isdst = -1;
		*ret_ns = (int64_t)mktime(&tm) * 1000000000;
		return 0;
	}
	return -EINVAL;
}

int moment_parse(const char *option, const char *text, int64_t *ret_ns, struct error *err)
{
	if (clock_parse(text, ret_ns) == 0 || parse_ago(text, ret_ns) == 0 ||
	    parse_moment(text, ret_ns) == 0)
		return 0;
	return error_set(
		err, -EINVAL,
		"%s '%s': expected 2026-11-23T12:00:00Z, 2026-11-23, seconds since 1970, or "
		"90s, 10m, 2h, 1d",
		option, text);
}
