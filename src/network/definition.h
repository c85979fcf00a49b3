/* src/network/definition.h - what a network is, as JSON: in its row, and in networks/NAME.json. */
#ifndef NETWORK_DEFINITION_H
#define NETWORK_DEFINITION_H

#include <jansson.h>

#include "base/error.h"

struct network;

/* The part that has no column of its own.  The caller owns the result. */
json_t *definition_format(const struct network *network);
/* Fills in what definition_format() wrote; -EINVAL names the place. */
int definition_parse(const json_t *doc, const char *what, struct network *network,
		     struct error *err) must_check;
/* "isolated" and the like, for people. */
const char *isolation_name(int isolation);
int isolation_parse(const char *text, int *ret) must_check;

#endif
