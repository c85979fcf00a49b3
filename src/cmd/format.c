/* src/cmd/format.c */
#include "cmd/format.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/text.h"

#define LINE_BYTES_MAX (16U << 20)

bool format_is_template(const char *format)
{
	return strstr(format, "{{") != NULL;
}

static void add_json(struct buf *line, const json_t *value)
{
	char *text = json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	buf_add_str(line, text ? text : "");
	free(text);
}

static bool is_texts(const json_t *value)
{
	const json_t *item;
	size_t i;

	json_array_foreach (value, i, item)
		if (!json_is_string(item))
			return false;
	return json_is_array(value);
}

static void add_string(struct buf *line, const json_t *value, enum format_style style)
{
	autofree char *text = xstrdup(json_string_value(value));

	if (style == FORMAT_ROW)
		text_clean(text);
	buf_add_str(line, text);
}

static void add_texts(struct buf *line, const json_t *list, enum format_style style)
{
	const json_t *item;
	size_t i;

	buf_add_str(line, style == FORMAT_ROW ? "" : "[");
	json_array_foreach (list, i, item) {
		if (i)
			buf_add_str(line, style == FORMAT_ROW ? ", " : " ");
		add_string(line, item, style);
	}
	buf_add_str(line, style == FORMAT_ROW ? "" : "]");
}

/* null: Go's word for it in a document; of a table's row an empty cell. */
static void add_value(struct buf *line, const json_t *value, enum format_style style)
{
	if (json_is_null(value)) {
		buf_add_str(line, style == FORMAT_ROW ? "" : "<no value>");
		return;
	}
	if (json_is_string(value))
		add_string(line, value, style);
	else if (is_texts(value))
		add_texts(line, value, style);
	else
		add_json(line, value);
}

/* action: what stands between the braces.  Returns its path, behind the dot. */
static int action_parse(char *action, const char *format, bool *ret_json, char **ret_path,
			struct error *err)
{
	action += strspn(action, " ");
	*ret_json = strncmp(action, "json ", 5) == 0;
	if (*ret_json)
		action += 5 + strspn(action + 5, " ");
	action[strcspn(action, " ")] = '\0';
	if (action[0] != '.')
		return error_set(err, -EINVAL,
				 "--format '%s': expected something like '{{.State.Pid}}'", format);
	*ret_path = action + 1;
	return 0;
}

static int add_action(struct buf *line, const json_t *doc, char *action, const char *format,
		      enum format_style style, struct error *err)
{
	const json_t *value = doc;
	bool json = false;
	char *path = NULL, *rest, *key;
	int r = action_parse(action, format, &json, &path, err);

	if (r < 0)
		return r;
	assert(path);
	rest = *path ? path : NULL;
	while ((key = strsep(&rest, "."))) {
		value = json_object_get(value, key);
		if (!value)
			return error_set(err, -EINVAL, "--format '%s': there is no '%s'", format,
					 key);
	}
	if (json)
		add_json(line, value);
	else
		add_value(line, value, style);
	return 0;
}

int format_check(const char *format, struct error *err)
{
	const char *p = format, *start, *end;
	int r = 0;

	while (r == 0 && (start = strstr(p, "{{"))) {
		autofree char *action = NULL;
		bool json;
		char *path;

		end = strstr(start, "}}");
		if (!end)
			return error_set(err, -EINVAL,
					 "--format '%s': an action is not closed; '}}' is missing",
					 format);
		action = xstrndup(start + 2, (size_t)(end - start) - 2);
		r = action_parse(action, format, &json, &path, err);
		p = end + 2;
	}
	return r;
}

static void add_text(struct buf *line, const char *text, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		char next = text[i] == '\\' && i + 1 < len ? text[i + 1] : '\0';

		if (next == 't' || next == 'n') {
			buf_add_char(line, next == 't' ? '\t' : '\n');
			i++;
		} else {
			buf_add_char(line, text[i]);
		}
	}
}

int format_text(const json_t *doc, const char *format, enum format_style style, char **ret,
		struct error *err)
{
	struct buf line = BUF_INIT(LINE_BYTES_MAX);
	const char *p = format, *start, *end;
	int r = format_check(format, err);

	while (r == 0 && (start = strstr(p, "{{")) && (end = strstr(start, "}}"))) {
		autofree char *action = xstrndup(start + 2, (size_t)(end - start) - 2);

		add_text(&line, p, (size_t)(start - p));
		r = add_action(&line, doc, action, format, style, err);
		p = end + 2;
	}
	add_text(&line, p, strlen(p));
	if (r == 0)
		*ret = buf_steal(&line);
	buf_done(&line);
	return r;
}

int format_print(const json_t *doc, const char *format, enum format_style style, struct error *err)
{
	autofree char *text = NULL;
	int r = format_text(doc, format, style, &text, err);

	if (r == 0)
		(void)puts(text);
	return r;
}
