/* src/why/draw.h - a rule set as a picture: the stations of a packet, in each the chains by
 * priority, what they call, and their policies.
 */
#ifndef WHY_DRAW_H
#define WHY_DRAW_H

#include <stdbool.h>
#include <stdio.h>

struct ruleset;
struct path;

/* path, if not NULL, is one that is highlighted: the chains that a packet went through. */
void draw_text(const struct ruleset *rs, const struct path *path, bool ascii, FILE *to);
void draw_svg(const struct ruleset *rs, const struct path *path, FILE *to);

#endif
