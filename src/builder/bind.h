/* src/builder/bind.h - what RUN --mount=type=bind shows: the files themselves, not a copy of them.
 *
 * Directories are overlayfs over those of the context, or of the layers: what an ignore file leaves
 * out is hidden by whiteouts, and what is written goes to a directory that is thrown away.  It is
 * mounted in the container's own namespace, so nothing is left of it when that goes, however.
 */
#ifndef BUILDER_BIND_H
#define BUILDER_BIND_H

#include <jansson.h>
#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"

struct listing_item;

struct bind {
	const struct listing_item *item;
	const struct strv
		*layers; /* of a stage or image, the uppermost first; empty: the context */
	const char *target;
	bool read_only;
	int work; /* an empty directory for what hides and what is written */
};

/* An OCI mount, the caller's.  1: such a mount cannot be; a copy has to do. */
int bind_make(const struct bind *b, json_t **ret, struct error *err) must_check;

#endif
