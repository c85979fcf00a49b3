/* src/cmd/build_call.h - --call: what build prints in place of building. */
#ifndef CMD_BUILD_CALL_H
#define CMD_BUILD_CALL_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "builder/look.h"

struct context;

struct call {
	bool builds; /* "build", or nothing was asked for */
	enum look_call what;
	bool json;
};

/* "check", "outline", "targets", "build", with ",format=json" or "text" behind. */
int call_parse(const char *text, bool check, struct call *ret, struct error *err) must_check;
/* On standard output; the number of warnings of a check. */
size_t call_print(const struct call *call, const json_t *doc, const struct context *context);

#endif
