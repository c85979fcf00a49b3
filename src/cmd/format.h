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
/* Prints a line on standard output; nothing if a field is not there.  Lists of texts are joined by
 * commas, "\t" and "\n" of the template are what they are in C.
 */
int format_text(const json_t *doc, const char *format, char **ret, struct error *err) must_check;
int format_print(const json_t *doc, const char *format, struct error *err) must_check;

#endif
