/* src/base/text.c */
#include "base/text.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/* How long the character is that begins with this byte, 0 if none does (Unicode, table 3-7). */
static size_t length(unsigned char first)
{
	static const struct {
		unsigned char below;
		size_t len;
	} ranges[] = { { 0x80, 1 }, { 0xc2, 0 }, { 0xe0, 2 }, { 0xf0, 3 }, { 0xf5, 4 } };

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (first < ranges[i].below)
			return ranges[i].len;
	return 0;
}

/* What is not seen, or turns what stands beside it around. */
static bool is_unseen(uint32_t code)
{
	static const struct {
		uint32_t first, last;
	} ranges[] = {
		{ 0xad, 0xad },     { 0x61c, 0x61c },   { 0x180e, 0x180e },
		{ 0x200b, 0x200f }, { 0x2028, 0x202e }, { 0x2060, 0x206f },
		{ 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0xe0000, 0xe007f },
	};

	for (size_t i = 0; i < sizeof(ranges) / sizeof(ranges[0]); i++)
		if (code >= ranges[i].first && code <= ranges[i].last)
			return true;
	return false;
}

/* The length of the character at p, of which left bytes can be read; 0: it is no UTF-8 (no form
 * that is longer than need be, no half of a pair).
 */
static size_t decode(const unsigned char *p, size_t left, uint32_t *ret)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	size_t len = length(*p);
	uint32_t code = len < 2 ? *p : *p & (0x7fU >> len);

	if (len > left)
		return 0;
	for (size_t i = 1; i < len; i++) {
		if ((p[i] & 0xc0) != 0x80)
			return 0;
		code = code << 6 | (p[i] & 0x3fU);
	}
	*ret = code;
	return code >= least[len] && code <= 0x10ffff && (code < 0xd800 || code >= 0xe000) ? len
											   : 0;
}

static bool may_be_shown(uint32_t code)
{
	return code >= 0x20 && (code < 0x7f || code >= 0xa0) && !is_unseen(code);
}

void text_clean(char *text)
{
	size_t left = strlen(text), len;

	for (; left > 0; text += len, left -= len) {
		uint32_t code = 0;

		len = decode((const unsigned char *)text, left, &code);
		if (len == 0 || !may_be_shown(code)) {
			*text = '?';
			len = 1;
		}
	}
}

size_t text_utf8_len(const char *bytes, size_t len)
{
	size_t at = 0, n;
	uint32_t code;

	while (at < len && (n = decode((const unsigned char *)bytes + at, len - at, &code)) > 0)
		at += n;
	return at;
}

bool text_has_word(const char *words, const char *text)
{
	size_t len = strlen(text);

	for (const char *at = words; at && *at; at += strspn(at, " ")) {
		size_t n = strcspn(at, " ");

		if (n == len && memcmp(at, text, n) == 0)
			return true;
		at += n;
	}
	return false;
}
