/* src/lab/draw.h - a picture of a lab: devices by kind, interfaces, addresses, cables in the colour
 * of the broadcast domain that was observed on them, subnets outlined.
 *
 * Left to right: what most is plugged into stands left, hosts stand right.
 */
#ifndef LAB_DRAW_H
#define LAB_DRAW_H

#include <stdbool.h>
#include <stdio.h>

#include "lab/topology.h"

struct domains;

struct box {
	size_t node;
	size_t up;      /* box that it hangs on; NO_INDEX: a root */
	size_t up_link; /* by this link */
	unsigned depth; /* column */
	int x, y, width, height;
};

struct layout {
	const struct topology *t;
	const struct domains *domains; /* NULL: the lab is not up, nothing was observed */
	struct box *boxes; /* in drawing order: down a tree, each before what hangs on it */
	size_t *of_node;   /* box of a node */
	int width, height;
};

void layout_make(const struct topology *t, const struct domains *domains, struct layout *ret);
void layout_done(struct layout *l);

void draw_svg(const struct layout *l, FILE *to);
/* A tree; with_colours: for a terminal that has them. */
void draw_text(const struct layout *l, bool with_colours, FILE *to);

/* For those who draw. */
#define DRAW_DOMAINS_MAX 8U /* on one cable */
size_t link_domains(const struct layout *l, size_t link, size_t ret[DRAW_DOMAINS_MAX]);
void draw_escaped(FILE *to, const char *text);
const char *draw_ink(size_t domain);
/* From where to where a cable goes on the sheet: a curve that leaves (x1, y1) towards (c1, y1) and
 * comes to (x2, y2) from (c2, y2).
 */
struct wire_line {
	int x1, y1, x2, y2, c1, c2;
};
struct wire_line layout_line(const struct layout *l, size_t link);

#endif
