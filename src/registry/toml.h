/* src/registry/toml.h - the part of TOML 1.0 that registries.conf is written in, as JSON.
 *
 * Tables, arrays of tables, strings of one line, integers, booleans, arrays, inline tables,
 * comments.  Dates, fractions and strings of several lines are refused by name, a key given twice
 * is an error: a configuration of what to trust is not guessed at.
 */
#ifndef REGISTRY_TOML_H
#define REGISTRY_TOML_H

#include <jansson.h>

#include "base/error.h"

#define TOML_SIZE_MAX (1U << 20)

/* what names the file in errors.  The caller owns *ret, an object. */
int toml_parse(const char *bytes, size_t len, const char *what, json_t **ret,
	       struct error *err) must_check;

#endif
