/* src/builder/word.c
 *
 * One pass from left to right.  Beside the result a second text of the same length says of each
 * byte whether it stood in quotes: such a blank parts no words.
 */
#include "builder/word.h"

#include <ctype.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"

#define DEPTH_MAX 32 /* of ${a:-${b:-${c}}} */

enum part { PART_PLAIN = 'p', PART_QUOTED = 'q' };

struct lexer {
	const struct word_scope *scope;
	const char *at;
	unsigned depth;
	bool told; /* of the failure's place; the innermost is the first to know */
	struct error *err;
};

struct out {
	struct buf text, parts;
};

static void out_init(struct out *o)
{
	o->text = BUF_INIT(WORD_MAX);
	o->parts = BUF_INIT(WORD_MAX);
}

static void out_done(struct out *o)
{
	buf_done(&o->text);
	buf_done(&o->parts);
}

static void put(struct out *o, char c, enum part part)
{
	buf_add_char(&o->text, c);
	buf_add_char(&o->parts, (char)part);
}

static void put_text(struct out *o, const char *text, size_t len, enum part part)
{
	for (size_t i = 0; i < len; i++)
		put(o, text[i], part);
}

/* patterns */

bool word_pattern_matches(const char *pattern, char escape, const char *text, size_t len)
{
	const char *end = text + len, *star = NULL, *retry = NULL;

	while (text < end) {
		char c = *pattern;

		if (c == '*') {
			star = ++pattern;
			retry = text;
			continue;
		}
		if (c == escape && pattern[1] && pattern[1] == *text) {
			pattern += 2;
			text++;
		} else if (c && c != escape && (c == '?' || c == *text)) {
			pattern++;
			text++;
		} else if (star) {
			pattern = star;
			text = ++retry;
		} else {
			return false;
		}
	}
	pattern += strspn(pattern, "*");
	return !*pattern;
}

/* How many bytes at the start (or the end) of value the pattern takes: the fewest or the most. */
static bool find_edge(const struct lexer *l, const char *pattern, const char *value, bool at_end,
		      bool longest, size_t *ret)
{
	size_t len = strlen(value);

	for (size_t i = 0; i <= len; i++) {
		size_t n = longest ? len - i : i;

		if (!word_pattern_matches(pattern, l->scope->escape,
					  at_end ? value + len - n : value, n))
			continue;
		*ret = n;
		return true;
	}
	return false;
}

static void put_trimmed(struct lexer *l, const char *pattern, const char *value, char op,
			struct out *o, enum part part)
{
	bool longest = *pattern == op;
	size_t len = strlen(value), n = 0;

	if (!find_edge(l, pattern + longest, value, op == '%', longest, &n))
		n = 0;
	put_text(o, op == '#' ? value + n : value, len - n, part);
}

/* The longest match at each place, from the left; an empty one is none. */
static void put_replaced(struct lexer *l, const char *pattern, const char *with, const char *value,
			 bool all, struct out *o)
{
	bool more = *pattern != '\0';

	while (*value) {
		size_t n = 0;

		if (more && find_edge(l, pattern, value, false, true, &n) && n > 0) {
			put_text(o, with, strlen(with), PART_PLAIN);
			value += n;
			more = all;
		} else {
			put(o, *value++, PART_PLAIN);
		}
	}
}

/* the text */

static int lex(struct lexer *l, char stop, bool raw, struct out *o);

static int fail(const struct lexer *l, const char *what)
{
	return error_set(l->err, -EINVAL, "%s", what);
}

static int blame(struct lexer *l, const char *from, int r)
{
	if (r < 0 && !l->told && l->scope->failed)
		l->scope->failed(l->scope->data, from);
	l->told |= r < 0;
	return r;
}

/* "v", "12", or one of the shell's own, none of which is ever set; "" if it is no name. */
static char *take_name(struct lexer *l)
{
	const char *from = l->at;

	if (isdigit((unsigned char)*from))
		while (isdigit((unsigned char)*l->at))
			l->at++;
	else if (*from && strchr("@*#?-$!", *from))
		l->at++;
	else
		while (isalnum((unsigned char)*l->at) || *l->at == '_')
			l->at++;
	return xstrndup(from, (size_t)(l->at - from));
}

/* The text up to stop, which is passed over. */
static int take_operand(struct lexer *l, char stop, bool raw, struct out *o)
{
	int r;

	out_init(o);
	if (++l->depth > DEPTH_MAX)
		return fail(l, "variables are nested too deeply");
	r = lex(l, stop, raw, o);
	l->depth--;
	if (r == 0 && *l->at != stop)
		return fail(l, stop == '/' ? "syntax error: missing '/' in ${}"
					   : "syntax error: missing '}'");
	l->at += r == 0;
	return r;
}

static int put_checked(const struct lexer *l, const char *name, const char *value, bool colon,
		       const char *message, struct out *o)
{
	bool empty = colon && value && !*value;

	if (!value || empty)
		return error_set(l->err, -EINVAL, "%s: %s", name,
				 *message ? message
				 : empty  ? "not allowed to be empty"
					  : "not allowed to be unset");
	put_text(o, value, strlen(value), PART_PLAIN);
	return 0;
}

static int put_replacement(struct lexer *l, const char *value, struct out *o)
{
	bool all = *l->at == '/';
	cleanup(out_done) struct out pattern, with;
	int r;

	l->at += all;
	out_init(&with);
	r = take_operand(l, '/', true, &pattern);
	if (r == 0)
		r = take_operand(l, '}', true, &with);
	if (r == 0 && value)
		put_replaced(l, buf_text(&pattern.text), buf_text(&with.text), value, all, o);
	return r;
}

static int put_operation(struct lexer *l, const char *name, const char *value, struct out *o)
{
	bool colon = *l->at == ':';
	char op = *(l->at += colon);
	cleanup(out_done) struct out word;
	bool counts = value && !(colon && !*value);
	int r;

	out_init(&word);
	if (!op || !strchr(colon ? "+-?" : "+-?#%", op))
		return error_set(l->err, -EINVAL, "unsupported modifier (%s%c) in substitution",
				 colon ? ":" : "", op ? op : ' ');
	l->at++;
	r = take_operand(l, '}', op == '#' || op == '%', &word);
	if (r < 0)
		return r;
	if (op == '?')
		return put_checked(l, name, value, colon, buf_text(&word.text), o);
	if ((op == '-' && !counts) || (op == '+' && counts)) {
		buf_add(&o->text, buf_text(&word.text), word.text.len);
		buf_add(&o->parts, buf_text(&word.parts), word.parts.len);
	} else if (op == '-') {
		put_text(o, value, strlen(value), PART_PLAIN);
	} else if (op != '+' && value) {
		put_trimmed(l, buf_text(&word.text), value, op, o, PART_PLAIN);
	}
	return 0;
}

/* A variable with nothing else about it. */
static void put_plain(struct lexer *l, struct out *o, const char *name, const char *value)
{
	if (value)
		put_text(o, value, strlen(value), PART_PLAIN);
	else if (l->scope->missed && *name)
		l->scope->missed(l->scope->data, name);
}

/* Behind "${". */
static int put_braced(struct lexer *l, struct out *o)
{
	autofree char *name = NULL;
	const char *value;

	if (!*l->at)
		return fail(l, "syntax error: missing '}'");
	if (strchr("{}:", *l->at))
		return fail(l, "syntax error: bad substitution");
	name = take_name(l);
	value = *name ? l->scope->get(l->scope->data, name) : NULL;
	if (*l->at == '}') {
		l->at++;
		put_plain(l, o, name, value);
		return 0;
	}
	if (!*l->at)
		return fail(l, "syntax error: missing '}'");
	if (*l->at == '/') {
		l->at++;
		return put_replacement(l, value, o);
	}
	return put_operation(l, name, value, o);
}

/* Behind "$". */
static int put_variable(struct lexer *l, struct out *o)
{
	autofree char *name = NULL;

	if (*l->at == '{') {
		l->at++;
		return put_braced(l, o);
	}
	name = take_name(l);
	if (!*name) {
		put(o, '$', PART_PLAIN);
		return 0;
	}
	put_plain(l, o, name, l->scope->get(l->scope->data, name));
	return 0;
}

static int put_single_quoted(struct lexer *l, struct out *o)
{
	const char *end = strchr(l->at, '\'');

	if (!end)
		return fail(l,
			    "unexpected end of statement while looking for matching single-quote");
	put_text(o, l->at, (size_t)(end - l->at), PART_QUOTED);
	l->at = end + 1;
	return 0;
}

static int put_double_quoted(struct lexer *l, struct out *o)
{
	while (*l->at && *l->at != '"') {
		char c = *l->at++;

		if (c == '$') {
			size_t from = o->parts.len;
			const char *dollar = l->at - 1;
			int r = blame(l, dollar, put_variable(l, o));

			if (r < 0)
				return r;
			if (o->parts.len > from)
				memset(o->parts.data + from, PART_QUOTED, o->parts.len - from);
		} else if (c == l->scope->escape && *l->at) {
			if (*l->at != '"' && *l->at != '$' && *l->at != c)
				put(o, c, PART_QUOTED);
			put(o, *l->at++, PART_QUOTED);
		} else {
			put(o, c, PART_QUOTED);
		}
	}
	if (!*l->at)
		return fail(l,
			    "unexpected end of statement while looking for matching double-quote");
	l->at++;
	return 0;
}

/* Up to stop or the end; raw keeps escapes, for a pattern that will look at them. */
static int lex(struct lexer *l, char stop, bool raw, struct out *o)
{
	int r = 0;

	while (r == 0 && *l->at && *l->at != stop) {
		const char *from = l->at;
		char c = *l->at++;

		if (c == '\'') {
			r = put_single_quoted(l, o);
		} else if (c == '"') {
			r = put_double_quoted(l, o);
		} else if (c == '$') {
			r = put_variable(l, o);
		} else if (c == l->scope->escape) {
			if (raw)
				put(o, c, PART_PLAIN);
			if (*l->at)
				put(o, *l->at++, PART_QUOTED);
		} else {
			put(o, c, PART_PLAIN);
		}
		r = blame(l, from, r);
	}
	return r;
}

static int expand(const struct word_scope *scope, const char *text, struct out *o,
		  struct error *err)
{
	struct lexer l = { .scope = scope, .at = text, .err = err };
	int r;

	out_init(o);
	r = lex(&l, '\0', false, o);
	if (r == 0 && buf_result(&o->text) < 0)
		r = error_set(err, -E2BIG, "with its variables it is longer than %u bytes",
			      WORD_MAX);
	return r;
}

int word_expand(const struct word_scope *scope, const char *text, char **ret, struct error *err)
{
	cleanup(out_done) struct out o;
	int r = expand(scope, text, &o, err);

	if (r == 0)
		*ret = buf_steal(&o.text);
	return r;
}

int word_split(const struct word_scope *scope, const char *text, struct strv *ret,
	       struct error *err)
{
	cleanup(out_done) struct out o;
	int r = expand(scope, text, &o, err);
	size_t from = 0;

	for (size_t i = 0; r == 0 && i <= o.text.len; i++) {
		bool blank = i == o.text.len ||
			     (o.parts.data[i] == PART_PLAIN && strchr(" \t\n", o.text.data[i]));

		if (!blank)
			continue;
		if (i > from)
			strv_take(ret, xstrndup(o.text.data + from, i - from));
		from = i + 1;
	}
	return r;
}
