/* src/cmd/rows.c */
#include "cmd/rows.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/strv.h"
#include "base/table.h"
#include "cmd/format.h"

#define TEMPLATE_MAX 4096
#define COLUMNS_MAX  32

void rows_init(struct rows *rows, const struct column *columns, const char *format)
{
	*rows = (struct rows) { .columns = columns, .format = format, .docs = json_array() };
}

void rows_done(struct rows *rows)
{
	json_decref(rows->docs);
}

void rows_add(struct rows *rows, json_t *doc)
{
	(void)json_array_append_new(rows->docs, doc);
}

static void print_table(const struct rows *rows)
{
	const char *headings[COLUMNS_MAX];
	struct table t;
	const json_t *doc;
	size_t n = 0, i;

	for (; rows->columns[n].heading; n++)
		headings[n] = rows->columns[n].heading;
	table_init(&t, n, headings);
	json_array_foreach (rows->docs, i, doc) {
		for (size_t k = 0; k < n; k++) {
			const char *text =
				json_string_value(json_object_get(doc, rows->columns[k].key));

			table_cell(&t, text ? text : "");
		}
	}
	table_print(&t, stdout);
	table_done(&t);
}

/* What stands above a column of a template: the heading of the key in it, or the key. */
static void add_heading(const struct rows *rows, const char *part, struct strv *ret)
{
	autofree char *key = xstrdup(part + strcspn(part, "."));
	char *name = key + (*key == '.');

	name[strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")] = '\0';
	for (const struct column *c = rows->columns; c->heading; c++) {
		if (strcmp(c->key, name) == 0) {
			strv_add(ret, c->heading);
			return;
		}
	}
	for (char *p = name; *p; p++)
		*p = (char)toupper((unsigned char)*p);
	strv_add(ret, name);
}

/* Columns are what stands between tabs, written as such or as \t. */
static void split_template(const char *text, struct strv *ret)
{
	struct buf one = BUF_INIT(TEMPLATE_MAX);

	for (const char *p = text; *p; p++) {
		bool escaped = p[0] == '\\' && p[1] == 't';

		if (*p != '\t' && !escaped) {
			buf_add_char(&one, *p);
			continue;
		}
		strv_take(ret, buf_steal(&one));
		p += escaped;
	}
	strv_take(ret, buf_steal(&one));
}

static int print_template_table(const struct rows *rows, const char *text, struct error *err)
{
	struct strv parts = { 0 }, headings = { 0 };
	struct table t;
	const json_t *doc;
	size_t i;
	int r = 0;

	split_template(text, &parts);
	for (i = 0; i < parts.n; i++)
		add_heading(rows, parts.items[i], &headings);
	table_init(&t, headings.n, (const char *const *)headings.items);
	json_array_foreach (rows->docs, i, doc) {
		for (size_t k = 0; r == 0 && k < parts.n; k++) {
			autofree char *cell = NULL;

			r = format_text(doc, parts.items[k], FORMAT_ROW, &cell, err);
			if (r == 0)
				table_cell(&t, cell);
		}
	}
	if (r == 0)
		table_print(&t, stdout);
	table_done(&t);
	strv_done(&parts);
	strv_done(&headings);
	return r;
}

int rows_print(const struct rows *rows, struct error *err)
{
	const char *format = rows->format ? rows->format : "table";
	const json_t *doc;
	size_t i;
	int r;

	if (strcmp(format, "table") == 0) {
		print_table(rows);
		return 0;
	}
	if (strncmp(format, "table ", 6) == 0 && format_is_template(format))
		return print_template_table(rows, format + 6 + strspn(format + 6, " "), err);
	if (strcmp(format, "json") != 0 && !format_is_template(format))
		return error_set(err, -EINVAL,
				 "--format is table, json or a template like '{{.%s}}', not '%s'",
				 rows->columns[0].key, format);
	r = format_check(format, err);
	if (r < 0)
		return r;
	json_array_foreach (rows->docs, i, doc) {
		if (format_is_template(format)) {
			r = format_print(doc, format, FORMAT_ROW, err);
		} else {
			(void)json_dumpf(doc, stdout, JSON_COMPACT);
			(void)putchar('\n');
		}
		if (r < 0)
			return r;
	}
	return 0;
}
