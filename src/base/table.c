/* src/base/table.c */
#include "base/table.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/text.h"

void table_init(struct table *t, size_t columns, const char *const *headings)
{
	*t = (struct table) { .columns = columns };
	for (size_t i = 0; i < columns; i++)
		strv_add(&t->cells, headings[i]);
}

void table_done(struct table *t)
{
	strv_done(&t->cells);
}

void table_cell(struct table *t, const char *text)
{
	char *copy = xstrdup(text);

	text_clean(copy);
	strv_take(&t->cells, copy);
}

void table_cellf(struct table *t, const char *fmt, ...)
{
	char *text = NULL;
	va_list ap;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	table_cell(t, text);
	free(text);
}

/* Characters, not bytes: continuation bytes of UTF-8 take no column. */
static size_t width(const char *s)
{
	size_t n = 0;

	for (; *s; s++)
		n += ((unsigned char)*s & 0xc0) != 0x80;
	return n;
}

void table_print(const struct table *t, FILE *to)
{
	autofree size_t *widths = xcalloc(t->columns, sizeof(*widths));

	assert(t->cells.n % t->columns == 0);
	for (size_t i = 0; i < t->cells.n; i++)
		widths[i % t->columns] = MAX(widths[i % t->columns], width(t->cells.items[i]));
	for (size_t i = 0; i < t->cells.n; i++) {
		size_t column = i % t->columns;
		int pad = column + 1 == t->columns
				  ? 0
				  : (int)(widths[column] + 2 - width(t->cells.items[i]));

		(void)fprintf(to, "%s%*s", t->cells.items[i], pad, "");
		if (column + 1 == t->columns)
			(void)fputc('\n', to);
	}
}
