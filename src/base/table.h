/* src/base/table.h - columns for people: as wide as their widest cell, two blanks between.
 *
 * Cells are cleaned of control characters, because names come from outside.
 */
#ifndef BASE_TABLE_H
#define BASE_TABLE_H

#include <stdio.h>

#include "base/macros.h"
#include "base/strv.h"

struct table {
	size_t columns;
	struct strv cells; /* row by row; the first row is the heading */
};

void table_init(struct table *t, size_t columns, const char *const *headings);
void table_done(struct table *t);
void table_cell(struct table *t, const char *text);
void table_cellf(struct table *t, const char *fmt, ...) printf_like(2, 3);
void table_print(const struct table *t, FILE *to);

#endif
