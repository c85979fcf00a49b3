/* src/base/clock.c */
#include "base/clock.h"

#include <stdio.h>
#include <string.h>
#include <time.h>

#define NS_PER_S 1000000000LL

int64_t clock_from_timespec(const struct timespec *ts)
{
	return ts->tv_sec * NS_PER_S + ts->tv_nsec;
}

int64_t clock_now_ns(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_REALTIME, &ts);
	return clock_from_timespec(&ts);
}

int64_t clock_monotonic_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000LL + ts.tv_nsec / 1000000;
}

void clock_format(int64_t ns, char ret[CLOCK_TEXT_LEN])
{
	time_t s = ns / NS_PER_S;
	long rest = (long)(ns % NS_PER_S);
	struct tm tm;
	size_t len;

	if (rest < 0) {
		rest += NS_PER_S;
		s--;
	}
	ret[0] = '\0';
	if (!gmtime_r(&s, &tm) || tm.tm_year + 1900 > 9999 || tm.tm_year + 1900 < 0)
		return;
	len = strftime(ret, CLOCK_TEXT_LEN, "%Y-%m-%dT%H:%M:%S", &tm);
	(void)snprintf(ret + len, CLOCK_TEXT_LEN - len, ".%09ldZ", rest);
}

static int two_digits(const char *s, int max, int *ret)
{
	if (s[0] < '0' || s[0] > '9' || s[1] < '0' || s[1] > '9')
		return -EINVAL;
	*ret = (s[0] - '0') * 10 + (s[1] - '0');
	return *ret <= max ? 0 : -EINVAL;
}

static int offset_parse(const char *s, int64_t *ret_s)
{
	int h, m;

	if ((*s == 'Z' || *s == 'z') && s[1] == '\0') {
		*ret_s = 0;
		return 0;
	}
	if ((*s != '+' && *s != '-') || strlen(s) != 6 || s[3] != ':' ||
	    two_digits(s + 1, 23, &h) < 0 || two_digits(s + 4, 59, &m) < 0)
		return -EINVAL;
	*ret_s = (*s == '-' ? -1 : 1) * (h * 3600LL + m * 60LL);
	return 0;
}

int clock_parse(const char *text, int64_t *ret_ns)
{
	int century, year, month, day, hour, minute, second;
	int64_t fraction = 0, scale = NS_PER_S, offset, ns;
	struct tm tm = { 0 };

	if (strnlen(text, 20) < 20 || text[4] != '-' || text[7] != '-' ||
	    (text[10] | 0x20) != 't' || text[13] != ':' || text[16] != ':')
		return -EINVAL;
	if (two_digits(text, 99, &century) < 0 || two_digits(text + 2, 99, &year) < 0 ||
	    two_digits(text + 5, 12, &month) < 0 || two_digits(text + 8, 31, &day) < 0 ||
	    two_digits(text + 11, 23, &hour) < 0 || two_digits(text + 14, 59, &minute) < 0 ||
	    two_digits(text + 17, 60, &second) < 0 || month == 0 || day == 0)
		return -EINVAL;
	text += 19;
	if (*text == '.') {
		if (text[1] < '0' || text[1] > '9')
			return -EINVAL;
		for (text++; *text >= '0' && *text <= '9'; text++) {
			scale /= 10;
			fraction += (*text - '0') * scale;
		}
	}
	if (offset_parse(text, &offset) < 0)
		return -EINVAL;
	tm.tm_year = century * 100 + year - 1900;
	tm.tm_mon = month - 1;
	tm.tm_mday = day;
	tm.tm_hour = hour;
	tm.tm_min = minute;
	tm.tm_sec = second;
	if (__builtin_mul_overflow((int64_t)timegm(&tm) - offset, NS_PER_S, &ns) ||
	    __builtin_add_overflow(ns, fraction, &ns))
		return -EINVAL;
	*ret_ns = ns;
	return 0;
}

void clock_format_age(int64_t ns, char ret[32])
{
	static const struct {
		const char *name;
		int64_t seconds, upto;
	} units[] = {
		{ "second", 1, 60 },
		{ "minute", 60, 3600 },
		{ "hour", 3600, 48 * 3600 },
		{ "day", 86400, 1209600 },
		{ "week", 604800, 5184000 },
		{ "month", 2592000, 63072000 },
		{ "year", 31536000, INT64_MAX },
	};
	int64_t s = ns > 0 ? ns / NS_PER_S : 0;
	size_t u = 0;

	if (s == 0) {
		(void)snprintf(ret, 32, "less than a second");
		return;
	}
	while (s >= units[u].upto)
		u++;
	s /= units[u].seconds;
	(void)snprintf(ret, 32, "%lld %s%s", (long long)s, units[u].name, s == 1 ? "" : "s");
}
