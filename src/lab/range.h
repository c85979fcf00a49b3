/* src/lab/range.h - "h[1-200]": one word for many names. */
#ifndef LAB_RANGE_H
#define LAB_RANGE_H

#include <stddef.h>

#include "base/macros.h"

#define RANGE_TEXT_MAX 80

struct range {
	char before[RANGE_TEXT_MAX], after[RANGE_TEXT_MAX];
	unsigned first, width; /* width: digits, of h[01-20] */
	size_t n;              /* 1 and is_plain for a word without brackets */
	int is_plain;
};

/* "h1", "h[1-200]", "h[1-9]:eth0".  -EINVAL: brackets that are none, -E2BIG: more than max names.
 */
int range_parse(const char *text, size_t max, struct range *ret) must_check;
void range_name(const struct range *range, size_t i, char ret[RANGE_TEXT_MAX * 2 + 16]);

#endif
