/* src/builder/ignore.h - .dockerignore and .containerignore: which paths of a context are not
 * there, by the rules of Docker.
 *
 * A line is a pattern below the context, # in the first column a comment, ! takes back.  A pattern
 * also holds for all that is below what it matches; the last one that holds decides.
 */
#ifndef BUILDER_IGNORE_H
#define BUILDER_IGNORE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

struct ignore {
	struct ignore_rule *rules;
	size_t n, room;
};

int ignore_parse(const char *bytes, size_t len, struct ignore *ret, struct error *err) must_check;
/* One more rule at the end. */
int ignore_add(struct ignore *ignore, const char *line, struct error *err) must_check;
void ignore_done(struct ignore *ignore);

/* path is clean and relative: "a/b". */
bool ignore_matches(const struct ignore *ignore, const char *path);
/* A directory that matches, and that no exception reaches into. */
bool ignore_skips(const struct ignore *ignore, const char *dir);

/* "./a//b/../c/" to "a/c"; ".." at the start stays, as in "../a"; "." for nothing. */
char *path_clean(const char *path);

#endif
