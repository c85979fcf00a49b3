/* src/builder/pattern.c
 *
 * A pattern is a row of steps, and matching follows all ways through them at once: state i means
 * that the steps before i have been taken.
 */
#include "builder/pattern.h"

#include <string.h>

#include "base/alloc.h"

enum step_kind {
	STEP_BYTE,
	STEP_ONE,  /* ? */
	STEP_SOME, /* * */
	STEP_CLASS,
	STEP_DIRS, /* ** with more behind: nothing, or all up to some slash */
	STEP_ALL,  /* ** at the end, or before a plain end: anything */
};

struct pattern_step {
	enum step_kind kind;
	unsigned char byte;
	bool set[256]; /* STEP_CLASS */
};

static int bad(const char *text, struct error *err)
{
	return error_set(err, -EINVAL, "pattern '%.200s': syntax error", text);
}

/* One character of a class, with or without an escape.  0: the class ends here, which it must not.
 */
static unsigned char class_byte(const char **at)
{
	const char *p = *at;

	if (*p == '\\')
		p++;
	else if (*p == ']' || *p == '-')
		return 0;
	*at = *p ? p + 1 : p;
	return (unsigned char)*p;
}

/* Behind the "[". */
static int parse_class(const char *text, const char **at, struct pattern_step *ret,
		       struct error *err)
{
	bool inverted = **at == '^';
	bool any = false;

	*at += inverted;
	memset(ret->set, inverted, sizeof(ret->set));
	while (**at != ']' || !any) {
		unsigned char from = class_byte(at), to = from;

		if (!from)
			return bad(text, err);
		if (**at == '-') {
			++*at;
			to = class_byte(at);
			if (to < from)
				return bad(text, err);
		}
		memset(ret->set + from, !inverted, (size_t)(to - from) + 1);
		any = true;
	}
	++*at;
	ret->kind = STEP_CLASS;
	ret->set[0] = false;
	return 0;
}

/* At a star.  "**" before a slash takes that along; ".md" behind a "**" that starts the pattern may
 * end any name.
 */
static void parse_stars(const char *text, const char **at, enum pattern_flags flags,
			struct pattern_step *ret)
{
	const char *p = *at + 1;

	ret->kind = STEP_SOME;
	if ((flags & PATTERN_DEEP) && *p == '*') {
		p++;
		ret->kind = *p == '/' ? STEP_DIRS : STEP_ALL;
		p += *p == '/';
		if (!*p)
			ret->kind = STEP_ALL;
		else if (*at != text || !pattern_is_plain(p))
			ret->kind = STEP_DIRS;
	}
	*at = p;
}

static int parse_step(const char *text, const char **at, enum pattern_flags flags,
		      struct pattern_step *ret, struct error *err)
{
	char c = **at;

	if (c == '*') {
		parse_stars(text, at, flags, ret);
		return 0;
	}
	++*at;
	ret->kind = c == '?' ? STEP_ONE : STEP_BYTE;
	if (c == '[')
		return parse_class(text, at, ret, err);
	if (c == '\\') {
		c = **at;
		if (!c)
			return bad(text, err);
		++*at;
	}
	ret->byte = (unsigned char)c;
	return 0;
}

int pattern_parse(const char *text, enum pattern_flags flags, struct pattern *ret,
		  struct error *err)
{
	struct pattern p = { NULL, 0 };
	const char *at = text;
	size_t room = 0;
	int r = 0;

	if (strlen(text) > PATTERN_LEN_MAX)
		return error_set(err, -EINVAL, "a pattern is longer than %d bytes",
				 PATTERN_LEN_MAX);
	while (r == 0 && *at) {
		VEC_GROW(p.steps, p.n, room);
		p.steps[p.n] = (struct pattern_step) { .kind = STEP_BYTE };
		r = parse_step(text, &at, flags, &p.steps[p.n++], err);
	}
	if (r < 0) {
		pattern_done(&p);
		return r;
	}
	*ret = p;
	return 0;
}

void pattern_done(struct pattern *p)
{
	free(p->steps);
	*p = (struct pattern) { NULL, 0 };
}

bool pattern_is_plain(const char *text)
{
	return !text[strcspn(text, "*?[\\")];
}

/* matching */

#define AT     1 /* before this step */
#define INSIDE 2 /* in the middle of what a STEP_DIRS takes */

/* Steps that may take nothing lead on by themselves. */
static void follow(const struct pattern *p, unsigned char *states)
{
	for (size_t i = 0; i < p->n; i++) {
		enum step_kind kind = p->steps[i].kind;

		if ((states[i] & AT) &&
		    (kind == STEP_SOME || kind == STEP_DIRS || kind == STEP_ALL))
			states[i + 1] |= AT;
	}
}

static void take_inside(unsigned char *next, size_t i, unsigned char c)
{
	next[i] |= INSIDE;
	if (c == '/')
		next[i + 1] |= AT;
}

static void take(const struct pattern_step *step, size_t i, unsigned char state, unsigned char c,
		 unsigned char *next)
{
	switch (step->kind) {
	case STEP_BYTE:
		next[i + 1] |= step->byte == c ? AT : 0;
		return;
	case STEP_ONE:
		next[i + 1] |= c != '/' ? AT : 0;
		return;
	case STEP_CLASS:
		next[i + 1] |= step->set[c] ? AT : 0;
		return;
	case STEP_SOME:
		next[i] |= c != '/' ? AT : 0;
		return;
	case STEP_ALL:
		next[i] |= AT;
		return;
	case STEP_DIRS:
		if (state)
			take_inside(next, i, c);
		return;
	}
}

static bool is_bytes_until(const struct pattern *p, const char *path, size_t len, bool *ret)
{
	size_t i;

	for (i = 0; i < p->n && p->steps[i].kind == STEP_BYTE; i++)
		if (i >= len || p->steps[i].byte != (unsigned char)path[i]) {
			*ret = false;
			return true;
		}
	*ret = i == len;
	return i == p->n;
}

bool pattern_matches(const struct pattern *p, const char *path, size_t len)
{
	unsigned char states[PATTERN_LEN_MAX + 2], next[PATTERN_LEN_MAX + 2];
	bool result;

	/* Most patterns are plain, and most others differ in their first letters. */
	if (len > PATTERN_LEN_MAX)
		return false;
	if (is_bytes_until(p, path, len, &result))
		return result;
	memset(states, 0, p->n + 1);
	states[0] = AT;
	for (size_t k = 0; k < len; k++) {
		follow(p, states);
		memset(next, 0, p->n + 1);
		for (size_t i = 0; i < p->n; i++)
			if (states[i])
				take(&p->steps[i], i, states[i], (unsigned char)path[k], next);
		memcpy(states, next, p->n + 1);
	}
	follow(p, states);
	return states[p->n] & AT;
}
