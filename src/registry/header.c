/* src/registry/header.c */
#include "registry/header.h"

#include <stdbool.h>
#include <string.h>
#include <strings.h>
#include <time.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/number.h"

#define VALUE_MAX   8192
#define RETRY_MAX_S 86400
#define INT_DIGITS  19
#define NAME_LEN    255

void challenges_done(struct challenges *c)
{
	for (size_t i = 0; i < c->n; i++) {
		free(c->items[i].realm);
		free(c->items[i].service);
		free(c->items[i].scope);
		free(c->items[i].error);
	}
	*c = (struct challenges) { .n = 0 };
}

/* RFC 9110 "tchar". */
static size_t token_len(const char *p)
{
	return strspn(p, "!#$%&'*+-.^_`|~0123456789"
			 "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ");
}

static const char *skip_blanks(const char *p)
{
	return p + strspn(p, " \t");
}

/* A token or a quoted string; NULL if it is neither.  *ret is the caller's. */
static const char *read_value(const char *p, char **ret)
{
	struct buf b = BUF_INIT(VALUE_MAX);
	size_t len;

	if (*p != '"') {
		/* Registries write URLs without quotes, too. */
		len = strcspn(p, ", \t");
		*ret = xstrndup(p, len);
		return p + len;
	}
	for (p++; *p && *p != '"'; p++) {
		if (*p == '\\' && p[1])
			p++;
		buf_add_char(&b, *p);
	}
	if (*p != '"' || buf_result(&b) < 0) {
		buf_done(&b);
		return NULL;
	}
	*ret = buf_steal(&b);
	return p + 1;
}

static void set_parameter(struct challenge *c, const char *name, size_t len, char *value)
{
	const struct {
		const char *name;
		char **field;
	} known[] = { { "realm", &c->realm },
		      { "service", &c->service },
		      { "scope", &c->scope },
		      { "error", &c->error } };

	for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
		if (strlen(known[i].name) == len && strncasecmp(known[i].name, name, len) == 0 &&
		    !*known[i].field) {
			*known[i].field = value;
			return;
		}
	}
	free(value);
}

/* NAME "=" VALUE, or NULL if what follows is the next scheme. */
static const char *read_parameter(const char *p, struct challenge *c)
{
	size_t len = token_len(p);
	const char *after = skip_blanks(p + len);
	char *value = NULL;

	if (len == 0 || *after != '=')
		return NULL;
	after = read_value(skip_blanks(after + 1), &value);
	if (!after) /* a quote that does not end: the rest cannot be trusted */
		return p + strlen(p);
	set_parameter(c, p, len, value);
	return after;
}

static enum challenge_kind kind_of(const char *name, size_t len)
{
	if (len == 5 && strncasecmp(name, "basic", 5) == 0)
		return CHALLENGE_BASIC;
	return len == 6 && strncasecmp(name, "bearer", 6) == 0 ? CHALLENGE_BEARER : CHALLENGE_OTHER;
}

void challenges_parse(const char *value, struct challenges *ret)
{
	const char *p = value;

	while (ret->n < CHALLENGES_MAX) {
		struct challenge *c = &ret->items[ret->n];
		size_t len;

		p += strspn(p, ", \t");
		len = token_len(p);
		if (len == 0)
			return;
		*c = (struct challenge) { .kind = kind_of(p, len) };
		ret->n++;
		p = skip_blanks(p + len);
		for (;;) {
			const char *next = read_parameter(p, c);

			if (!next)
				break;
			p = next + strspn(next, " \t,");
		}
	}
}

char *header_link_next(const char *value)
{
	for (const char *p = strchr(value, '<'); p; p = strchr(p + 1, '<')) {
		const char *end = strchr(p, '>'), *next, *rel;

		if (!end || end == p + 1 || end - p > VALUE_MAX)
			return NULL;
		next = strchr(end, '<');
		rel = strstr(end, "rel=");
		if (rel && (!next || rel < next)) {
			rel += 4;
			rel += *rel == '"';
			if (strncasecmp(rel, "next", 4) == 0)
				return xstrndup(p + 1, (size_t)(end - p - 1));
		}
		p = end;
	}
	return NULL;
}

int header_date(const char *value, int64_t *ret_s)
{
	struct tm tm = { .tm_sec = 0 };
	const char *end = strptime(skip_blanks(value), "%a, %d %b %Y %H:%M:%S GMT", &tm);

	if (!end || *end)
		return -EINVAL;
	*ret_s = (int64_t)timegm(&tm);
	return 0;
}

int header_retry_after(const char *value, int64_t now_s, int64_t *ret_s)
{
	uint64_t seconds;
	int64_t wait, date_s;
	int r;

	value = skip_blanks(value);
	if (number_parse(value, INT64_MAX, &seconds) == 0) {
		*ret_s = (int64_t)MIN(seconds, RETRY_MAX_S);
		return 0;
	}
	r = header_date(value, &date_s);
	if (r < 0)
		return r;
	wait = date_s - now_s;
	*ret_s = MAX(0, MIN(wait, RETRY_MAX_S));
	return 0;
}

/* Digits up to a character that is none. */
static int read_digits(const char **p, int64_t *ret)
{
	size_t len = strspn(*p, "0123456789");
	char text[INT_DIGITS + 1];
	uint64_t n;

	if (len == 0 || len > INT_DIGITS)
		return -EINVAL;
	memcpy(text, *p, len);
	text[len] = '\0';
	if (number_parse(text, INT64_MAX, &n) < 0)
		return -EINVAL;
	*p += len;
	*ret = (int64_t)n;
	return 0;
}

int header_content_range(const char *value, int64_t *ret_first, int64_t *ret_size)
{
	int64_t first, last, size = -1;
	const char *p = skip_blanks(value);

	if (strncasecmp(p, "bytes", 5) != 0)
		return -EINVAL;
	p = skip_blanks(p + 5);
	if (read_digits(&p, &first) < 0 || *p++ != '-' || read_digits(&p, &last) < 0 ||
	    *p++ != '/' || last < first)
		return -EINVAL;
	if (*p == '*')
		p++;
	else if (read_digits(&p, &size) < 0 || size <= last)
		return -EINVAL;
	if (*skip_blanks(p))
		return -EINVAL;
	*ret_first = first;
	*ret_size = size;
	return 0;
}

int header_upload_range(const char *value, int64_t *ret_bytes)
{
	const char *p = skip_blanks(value);
	int64_t first, last;

	if (strncasecmp(p, "bytes", 5) == 0)
		p += 5 + strspn(p + 5, "= ");
	if (read_digits(&p, &first) < 0 || *p++ != '-' || read_digits(&p, &last) < 0 ||
	    *skip_blanks(p) || first != 0 || last == INT64_MAX)
		return -EINVAL;
	*ret_bytes = last == 0 ? 0 : last + 1;
	return 0;
}

/* The part behind the last slash or backslash, if it can be a file's name. */
static char *name_of(const char *text)
{
	const char *last = text;

	for (const char *p = text; *p; p++) {
		if (*p == '/' || *p == '\\')
			last = p + 1;
		if ((unsigned char)*p < ' ' || *p == 0x7f)
			return NULL;
	}
	if (!*last || strcmp(last, ".") == 0 || strcmp(last, "..") == 0 || strlen(last) > NAME_LEN)
		return NULL;
	return xstrdup(last);
}

/* As read_value(), with the rules of a list whose members end at a semicolon. */
static const char *read_attribute(const char *p, char **ret)
{
	size_t len = strcspn(p, "; \t");

	if (*p == '"')
		return read_value(p, ret);
	*ret = xstrndup(p, len);
	return p + len;
}

char *header_disposition_name(const char *value)
{
	const char *p = strchr(value, ';');

	while (p) {
		autofree char *text = NULL;
		size_t len;
		bool is_name;

		p = skip_blanks(p + 1);
		len = token_len(p);
		is_name = len == 8 && strncasecmp(p, "filename", len) == 0;
		p = p[len] == '=' ? read_attribute(p + len + 1, &text) : NULL;
		if (is_name)
			return p ? name_of(text) : NULL;
		p = p ? strchr(p, ';') : NULL;
	}
	return NULL;
}
