/* src/builder/pattern.h - one path pattern: * ? [a-z] and \ as Go's filepath.Match has them, none
 * of which crosses a slash but a class that says so; with PATTERN_DEEP also ** for any number of
 * directories.
 *
 * Matching takes time in proportion to pattern times path, whatever the pattern.
 */
#ifndef BUILDER_PATTERN_H
#define BUILDER_PATTERN_H

#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"

#define PATTERN_LEN_MAX 4096 /* of a path, too */

enum pattern_flags {
	PATTERN_PLAIN = 0,
	PATTERN_DEEP = 1,
};

struct pattern {
	struct pattern_step *steps;
	size_t n;
};

int pattern_parse(const char *text, enum pattern_flags flags, struct pattern *ret,
		  struct error *err) must_check;
void pattern_done(struct pattern *p);
/* The whole of len bytes. */
bool pattern_matches(const struct pattern *p, const char *path, size_t len);
/* Are there characters in it that do not stand for themselves? */
bool pattern_is_plain(const char *text);

#endif
