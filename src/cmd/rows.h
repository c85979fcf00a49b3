/* src/cmd/rows.h - a list of documents in the form that --format names: a table of these columns,
 * "table TEMPLATE", a template for each line, or json, one document a line.
 */
#ifndef CMD_ROWS_H
#define CMD_ROWS_H

#include <jansson.h>

#include "base/error.h"

struct column {
	const char *heading; /* "IMAGE ID" */
	const char *key;     /* of the documents, whose value is a text */
};

struct rows {
	const struct column *columns; /* of the table, ended by a heading of NULL */
	const char *format;           /* NULL: the table */
	json_t *docs;
};

void rows_init(struct rows *rows, const struct column *columns, const char *format);
void rows_done(struct rows *rows);
void rows_add(struct rows *rows, json_t *doc); /* owns it from here on */
int rows_print(const struct rows *rows, struct error *err) must_check;

#endif
