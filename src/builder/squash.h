/* src/builder/squash.h - several layers over a base, as one. */
#ifndef BUILDER_SQUASH_H
#define BUILDER_SQUASH_H

#include <stddef.h>

#include "base/error.h"

struct incoming;
struct strv;

/* lower: directories of all layers, the uppermost first, of which the last `below` stay.  Fills
 * TMP/name/diff of in, an upper directory over those.
 */
int squash_layers(const struct incoming *in, const char *name, const struct strv *lower,
		  size_t below, struct error *err) must_check;

#endif
