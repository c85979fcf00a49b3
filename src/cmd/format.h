/* src/cmd/format.h - "{{.State.Pid}}", "{{json .Ports}}" and text around them: the part of Go's
 * templates that people use with --format.
 */
#ifndef CMD_FORMAT_H
#define CMD_FORMAT_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"

/* Whether it is one of these, and not the name of a format. */
bool format_is_template(const char *format);
/* FORMAT_ROW: of a table; lists of texts are joined by commas, and control characters of names
 * become '?'.  FORMAT_DOCUMENT: as it is, lists as "[a b c]".
 */
enum format_style { FORMAT_ROW, FORMAT_DOCUMENT };
/* Prints a line on standard output; nothing if a field is not there.  "\t" and "\n" of the template
 * are what they are in C.
 */
int format_text(const json_t *doc, const char *format, enum format_style style, char **ret,
		struct error *err) must_check;
int format_print(const json_t *doc, const char *format, enum format_style style,
		 struct error *err) must_check;
/* What is wrong with it whatever the document. */
int format_check(const char *format, struct error *err) must_check;

#endif
