/* src/why/draw.h - a rule set as a picture: the stations of a packet, in each the chains by
 * priority, what they call, and their policies.
 */
#ifndef WHY_DRAW_H
#define WHY_DRAW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct ruleset;
struct path;

struct picture {
	const struct ruleset *rs;
	/* NULL, or the one that is highlighted: the hooks and chains that a packet came through. */
	const struct path *path;
	const char *title; /* NULL: the only one has none */
};

/* One below the other. */
void draw_text(const struct picture *pictures, size_t n, bool ascii, FILE *to);
void draw_svg(const struct picture *pictures, size_t n, FILE *to);

#endif
