/* src/base/text.c */
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* The length of the character at p, 0 if it is none that may be shown (Unicode, table 3-7). */
static size_t character(const unsigned char *p)
{
	size_t len = *p < 0x80   ? 1
		     : *p < 0xc2 ? 0
		     : *p < 0xe0 ? 2
		     : *p < 0xf0 ? 3
		     : *p < 0xf5 ? 4
				 : 0;
	uint32_t code = len < 2 ? *p : *p & (0x7fU >> len);

	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3fU);
	}
	if (code < 0x20 || (code >= 0x7f && code < 0xa0))
		return 0;
	if ((len == 3 && code < 0x800) || (len == 4 && (code < 0x10000 || code > 0x10ffff)))
		return 0;
	return code >= 0xd800 && code < 0xe000 ? 0 : len;
}

void text_clean(char *text)
{
	while (*text) {
		size_t len = character((const unsigned char *)text);

		if (len == 0)
			*text = '?';
		text += len ? len : 1;
	}
}
