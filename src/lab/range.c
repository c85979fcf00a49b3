/* src/lab/range.c */
#include "lab/range.h"

#include <stdio.h>
#include <string.h>

#include "base/number.h"

static int take_number(const char *from, const char *to, uint64_t *ret)
{
	char digits[12];
	size_t len = (size_t)(to - from);

	if (len == 0 || len >= sizeof(digits))
		return -EINVAL;
	memcpy(digits, from, len);
	digits[len] = '\0';
	return number_parse(digits, 1000000, ret);
}

int range_parse(const char *text, size_t max, struct range *ret)
{
	const char *open = strchr(text, '['), *close = strchr(text, ']');
	const char *dash = open ? strchr(open, '-') : NULL;
	struct range range = { .n = 1, .is_plain = 1 };
	uint64_t first, last;

	if (strlen(text) >= RANGE_TEXT_MAX)
		return -EINVAL;
	if (!open && !close) {
		(void)snprintf(range.before, sizeof(range.before), "%s", text);
		*ret = range;
		return 0;
	}
	if (!open || !close || !dash || dash > close || strpbrk(close + 1, "[]") ||
	    take_number(open + 1, dash, &first) < 0 || take_number(dash + 1, close, &last) < 0 ||
	    last < first)
		return -EINVAL;
	if (last - first >= max)
		return -E2BIG;
	(void)snprintf(range.before, sizeof(range.before), "%.*s", (int)(open - text), text);
	(void)snprintf(range.after, sizeof(range.after), "%s", close + 1);
	range.first = (unsigned)first;
	range.width = open[1] == '0' ? (unsigned)(dash - open - 1) : 1;
	range.n = (size_t)(last - first + 1);
	range.is_plain = 0;
	*ret = range;
	return 0;
}

void range_name(const struct range *range, size_t i, char ret[RANGE_TEXT_MAX * 2 + 16])
{
	if (range->is_plain)
		(void)snprintf(ret, RANGE_TEXT_MAX * 2 + 16, "%s", range->before);
	else
		(void)snprintf(ret, RANGE_TEXT_MAX * 2 + 16, "%s%0*u%s", range->before,
			       (int)range->width, range->first + (unsigned)i, range->after);
}
