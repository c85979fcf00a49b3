/* src/builder/mode.c */
#include "builder/mode.h"

#include <ctype.h>
#include <string.h>
#include <sys/stat.h>

#include "base/number.h"

#define ALL_BITS 07777

static int bad(const char *text, struct error *err)
{
	return error_set(err, -EINVAL,
			 "mode '%.100s' is neither a number like 0755 nor a text like u=rwX,go=rX",
			 text);
}

/* "ugoa" in front. */
static const char *read_who(const char *p, mode_t *ret)
{
	*ret = 0;
	for (; *p && strchr("ugoa", *p); p++)
		*ret |= *p == 'u' ? 04700 : *p == 'g' ? 02070 : *p == 'o' ? 01007 : ALL_BITS;
	if (*ret == 0)
		*ret = ALL_BITS;
	return p;
}

static const char *read_bits(const char *p, struct mode_change *c)
{
	if (*p && strchr("ugo", *p)) {
		c->copy = *p;
		return p + 1;
	}
	for (; *p && strchr("rwxXst", *p); p++) {
		c->bits |= *p == 'r'   ? 0444
			   : *p == 'w' ? 0222
			   : *p == 'x' ? 0111
			   : *p == 's' ? 06000
			   : *p == 't' ? 01000
				       : 0;
		c->x_if_any |= *p == 'X';
	}
	return p;
}

static int read_clause(const char **at, struct draft_mode *ret, const char *text, struct error *err)
{
	mode_t who;
	const char *p = read_who(*at, &who);

	if (!*p || !strchr("=+-", *p))
		return bad(text, err);
	while (*p && strchr("=+-", *p)) {
		struct mode_change *c = &ret->changes[ret->n];

		if (ret->n++ == sizeof(ret->changes) / sizeof(ret->changes[0]) - 1)
			return bad(text, err);
		*c = (struct mode_change) { .who = who, .op = *p };
		p = read_bits(p + 1, c);
	}
	if (*p && *p != ',')
		return bad(text, err);
	*at = p + (*p == ',');
	return *p == ',' && !p[1] ? bad(text, err) : 0;
}

int mode_parse(const char *text, struct draft_mode *ret, struct error *err)
{
	struct draft_mode mode = { .n = 0 };
	const char *at = text;
	unsigned number;
	int r = 0;

	if (isdigit((unsigned char)*text)) {
		if (number_parse_octal(text, ALL_BITS, &number) < 0)
			return bad(text, err);
		*ret = (struct draft_mode) { .is_number = true, .number = number };
		return 0;
	}
	if (!*text)
		return bad(text, err);
	while (r == 0 && *at)
		r = read_clause(&at, &mode, text, err);
	if (r == 0)
		*ret = mode;
	return r;
}

static mode_t copied(char from, mode_t old)
{
	mode_t bits = (from == 'u' ? old >> 6 : from == 'g' ? old >> 3 : old) & 07;

	return bits | bits << 3 | bits << 6;
}

mode_t mode_apply(const struct draft_mode *mode, mode_t old)
{
	mode_t now = old & ALL_BITS;

	if (mode->is_number)
		return mode->number;
	for (size_t i = 0; i < mode->n; i++) {
		const struct mode_change *c = &mode->changes[i];
		mode_t bits = c->copy ? copied(c->copy, now) : c->bits;

		if (c->x_if_any && (S_ISDIR(old) || (now & 0111)))
			bits |= 0111;
		bits &= c->who;
		/* A directory keeps its set-id bits unless they are named, as with chmod(1). */
		if (c->op == '=')
			now = (now & ~(c->who & (S_ISDIR(old) ? 01777 : ALL_BITS))) | bits;
		else
			now = c->op == '+' ? now | bits : now & ~bits;
	}
	return now;
}
