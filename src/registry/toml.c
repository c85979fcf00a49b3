/* src/registry/toml.c */
#include "registry/toml.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/json.h"
#include "base/number.h"

#define DEPTH_MAX  8
#define STRING_MAX 65536
#define BARE_KEY   "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-"

/* The text ends with a NUL and holds no other, so that looking one character ahead is safe. */
struct toml {
	const char *p;
	const char *what;
	unsigned line;
	struct error *err;
};

static int fail(const struct toml *t, const char *text)
{
	return error_set(t->err, -EBADMSG, "%s, line %u: %s", t->what, t->line, text);
}

static void skip_blanks(struct toml *t)
{
	t->p += strspn(t->p, " \t");
}

static void skip_comment(struct toml *t)
{
	if (*t->p == '#')
		t->p += strcspn(t->p, "\n");
}

/* Blanks, comments and line ends. */
static void skip_space(struct toml *t)
{
	for (;;) {
		skip_blanks(t);
		skip_comment(t);
		if (*t->p == '\r' && t->p[1] == '\n')
			t->p++;
		if (*t->p != '\n')
			return;
		t->line++;
		t->p++;
	}
}

static int end_of_line(struct toml *t)
{
	skip_blanks(t);
	skip_comment(t);
	if (*t->p == '\r' && t->p[1] == '\n')
		t->p++;
	if (*t->p && *t->p != '\n')
		return fail(t, "something stands behind the value");
	return 0;
}

static int add_code_point(struct toml *t, struct buf *b, size_t digits)
{
	char hex[9] = "";
	unsigned long code;

	memcpy(hex, t->p, strnlen(t->p, digits));
	if (strspn(hex, "0123456789abcdefABCDEF") != digits)
		return fail(t, "\\u wants 4 and \\U wants 8 hexadecimal digits");
	code = strtoul(hex, NULL, 16);
	if (code == 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000))
		return fail(t, "that is no character");
	t->p += digits;
	if (code < 0x80) {
		buf_add_char(b, (char)code);
	} else if (code < 0x800) {
		buf_add_char(b, (char)(0xc0 | (code >> 6)));
		buf_add_char(b, (char)(0x80 | (code & 63)));
	} else if (code < 0x10000) {
		buf_add_char(b, (char)(0xe0 | (code >> 12)));
		buf_add_char(b, (char)(0x80 | ((code >> 6) & 63)));
		buf_add_char(b, (char)(0x80 | (code & 63)));
	} else {
		buf_add_char(b, (char)(0xf0 | (code >> 18)));
		buf_add_char(b, (char)(0x80 | ((code >> 12) & 63)));
		buf_add_char(b, (char)(0x80 | ((code >> 6) & 63)));
		buf_add_char(b, (char)(0x80 | (code & 63)));
	}
	return 0;
}

static int add_escape(struct toml *t, struct buf *b)
{
	static const char names[] = "btnfr\"\\", values[] = "\b\t\n\f\r\"\\";
	const char *at = *t->p ? strchr(names, *t->p) : NULL;
	char c = *t->p;

	if (at) {
		buf_add_char(b, values[at - names]);
		t->p++;
		return 0;
	}
	if (c != 'u' && c != 'U')
		return fail(t, "a backslash stands before something that needs none");
	t->p++;
	return add_code_point(t, b, c == 'u' ? 4 : 8);
}

static int read_string(struct toml *t, char **ret)
{
	struct buf b = BUF_INIT(STRING_MAX);
	char quote = *t->p;
	int r = 0;

	if (t->p[1] == quote && t->p[2] == quote)
		return fail(t, "strings of several lines are not read here");
	t->p++;
	while (r == 0 && *t->p != quote) {
		if (!*t->p || *t->p == '\n')
			r = fail(t, "a string does not end");
		else if ((unsigned char)*t->p < ' ' && *t->p != '\t')
			r = fail(t, "a control character in a string");
		else if (*t->p == '\\' && quote == '"')
			t->p++, r = add_escape(t, &b);
		else
			buf_add_char(&b, *t->p++);
	}
	if (r == 0 && buf_result(&b) < 0)
		r = fail(t, "a string is too long");
	if (r < 0) {
		buf_done(&b);
		return r;
	}
	t->p++;
	*ret = buf_steal(&b);
	return 0;
}

static int read_key(struct toml *t, char **ret)
{
	size_t len;

	if (*t->p == '"' || *t->p == '\'')
		return read_string(t, ret);
	len = strspn(t->p, BARE_KEY);
	if (len == 0)
		return fail(t, "a key is expected");
	*ret = xstrndup(t->p, len);
	t->p += len;
	return 0;
}

static int set_new(struct toml *t, json_t *table, const char *key, json_t *value)
{
	int r = 0;

	if (json_object_get(table, key))
		r = error_set(t->err, -EBADMSG, "%s, line %u: '%.100s' is given twice", t->what,
			      t->line, key);
	else if (json_object_set(table, key, value) < 0)
		r = fail(t, "a text is not UTF-8");
	json_decref(value);
	return r;
}

static int read_value(struct toml *t, unsigned depth, json_t **ret);

static int read_pair(struct toml *t, json_t *table, unsigned depth)
/* NOLINT(misc-no-recursion): depth is bounded */
{
	autofree char *key = NULL;
	json_t *value = NULL;
	int r = read_key(t, &key);

	if (r < 0)
		return r;
	skip_blanks(t);
	if (*t->p == '.')
		return fail(t, "dotted keys are not read here; use a [table]");
	if (*t->p != '=')
		return fail(t, "'=' is expected behind a key");
	t->p++;
	skip_blanks(t);
	r = read_value(t, depth, &value);
	return r < 0 ? r : set_new(t, table, key, value);
}

static int read_array(struct toml *t, unsigned depth, json_t *ret)
/* NOLINT(misc-no-recursion): depth is bounded */
{
	t->p++;
	for (;;) {
		json_t *value = NULL;
		int r;

		skip_space(t);
		if (*t->p == ']')
			break;
		r = read_value(t, depth + 1, &value);
		if (r < 0)
			return r;
		(void)json_array_append_new(ret, value);
		skip_space(t);
		if (*t->p == ',')
			t->p++;
		else if (*t->p != ']')
			return fail(t, "',' or ']' is expected in a list");
	}
	t->p++;
	return 0;
}

static int read_inline_table(struct toml *t, unsigned depth, json_t *ret)
/* NOLINT(misc-no-recursion): depth is bounded */
{
	t->p++;
	skip_blanks(t);
	while (*t->p != '}') {
		int r = read_pair(t, ret, depth + 1);

		if (r < 0)
			return r;
		skip_blanks(t);
		if (*t->p == ',') {
			t->p++;
			skip_blanks(t);
			if (*t->p != '}')
				continue;
			return fail(t, "a key is expected behind ','");
		}
		if (*t->p != '}')
			return fail(t, "',' or '}' is expected in a table");
	}
	t->p++;
	return 0;
}

static int read_word(struct toml *t, json_t **ret)
{
	size_t len = strspn(t->p, BARE_KEY ".:+");
	autofree char *word = xstrndup(t->p, MIN(len, 40));
	int64_t number;

	if (strcmp(word, "true") == 0 || strcmp(word, "false") == 0)
		*ret = json_boolean(word[0] == 't');
	else if (number_parse_signed(word, INT64_MIN, INT64_MAX, &number) == 0)
		*ret = json_integer(number);
	else
		return fail(t, "a value is expected: \"text\", a whole number, true, false, [list] "
			       "or {table}");
	t->p += len;
	return 0;
}

static int read_value(struct toml *t, unsigned depth, json_t **ret)
/* NOLINT(misc-no-recursion): depth is bounded */
{
	cleanup(json_cleanup) json_t *value = NULL;
	autofree char *text = NULL;
	int r;

	if (depth > DEPTH_MAX)
		return fail(t, "lists and tables lie too deep in each other");
	if (*t->p == '"' || *t->p == '\'') {
		r = read_string(t, &text);
		if (r < 0)
			return r;
		*ret = json_string(text);
		return *ret ? 0 : fail(t, "a text is not UTF-8");
	}
	if (*t->p != '[' && *t->p != '{')
		return read_word(t, ret);
	value = *t->p == '[' ? json_array() : json_object();
	r = *t->p == '[' ? read_array(t, depth, value) : read_inline_table(t, depth, value);
	if (r == 0)
		*ret = steal_ptr(&value);
	return r;
}

/* One step into a header's name: a table, or the newest of an array of tables. */
static json_t *enter(json_t *table, const char *key)
{
	json_t *inner = json_object_get(table, key);

	if (!inner) {
		inner = json_object();
		if (json_object_set_new(table, key, inner) < 0) /* not UTF-8 */
			return NULL;
	}
	if (json_is_array(inner))
		inner = json_array_get(inner, json_array_size(inner) - 1);
	return json_is_object(inner) ? inner : NULL;
}

static json_t *append(json_t *table, const char *key)
{
	json_t *list = json_object_get(table, key), *made;

	if (!list) {
		list = json_array();
		if (json_object_set_new(table, key, list) < 0)
			return NULL;
	}
	/* An array of values is no array of tables. */
	if (!json_is_array(list) ||
	    (json_array_size(list) > 0 && !json_is_object(json_array_get(list, 0))))
		return NULL;
	made = json_object();
	(void)json_array_append_new(list, made);
	return made;
}

/* [a.b] or [[a.b]] */
static int read_header(struct toml *t, json_t *root, json_t **ret)
{
	bool array = t->p[1] == '[';
	json_t *table = root;
	int r;

	t->p += array ? 2 : 1;
	for (unsigned depth = 0;; depth++) {
		autofree char *key = NULL;
		bool last;

		skip_blanks(t);
		r = read_key(t, &key);
		if (r < 0)
			return r;
		if (depth >= DEPTH_MAX)
			return fail(t, "a table lies too deep");
		skip_blanks(t);
		last = *t->p != '.';
		if (last && !array && json_object_get(table, key) &&
		    json_object_size(json_object_get(table, key)) > 0)
			return fail(t, "a table is given twice");
		table = last && array ? append(table, key) : enter(table, key);
		if (!table)
			return fail(t, "this name is a value already, no table");
		if (last)
			break;
		t->p++;
	}
	if (strncmp(t->p, array ? "]]" : "]", array ? 2 : 1) != 0)
		return fail(t, "']' is expected behind a table's name");
	t->p += array ? 2 : 1;
	*ret = table;
	return end_of_line(t);
}

static int read_document(struct toml *t, json_t *root)
{
	json_t *table = root;
	int r;

	for (;;) {
		skip_space(t);
		if (!*t->p)
			return 0;
		if (*t->p == '[') {
			r = read_header(t, root, &table);
		} else {
			r = read_pair(t, table, 0);
			if (r == 0)
				r = end_of_line(t);
		}
		if (r < 0)
			return r;
	}
}

int toml_parse(const char *bytes, size_t len, const char *what, json_t **ret, struct error *err)
{
	cleanup(json_cleanup) json_t *root = json_object();
	struct toml t = { .what = what, .line = 1, .err = err };
	autofree char *text = NULL;
	int r;

	if (len > TOML_SIZE_MAX)
		return error_set(err, -EFBIG, "%s is larger than %u bytes", what, TOML_SIZE_MAX);
	if (memchr(bytes, 0, len))
		return error_set(err, -EBADMSG, "%s holds a zero byte", what);
	text = xstrndup(bytes, len);
	t.p = text;
	r = read_document(&t, root);
	if (r == 0)
		*ret = steal_ptr(&root);
	return r;
}
