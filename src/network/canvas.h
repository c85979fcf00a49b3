/* src/network/canvas.h - a drawing out of characters that grows as far as it is drawn on.
 *
 * A cell holds a character or line ends: which of its four sides a line touches, and how thick it
 * is there.  Lines that meet become the right corner, tee or cross by themselves.
 */
#ifndef NETWORK_CANVAS_H
#define NETWORK_CANVAS_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/macros.h"

#define CANVAS_COLUMNS_MAX 1000
#define CANVAS_ROWS_MAX    100000

enum canvas_pen { PEN_THIN = 1, PEN_THICK = 2 };
enum canvas_colour { INK_PLAIN, INK_FAINT, INK_ALARM, INK_FIRST }; /* INK_FIRST + n: of a network */

struct canvas_cell {
	uint32_t character; /* 0: lines */
	uint8_t north, east, south, west;
	uint8_t colour;
};

struct canvas {
	struct canvas_cell *cells; /* rows of CANVAS_COLUMNS cells each */
	unsigned columns;
	unsigned rows;
};

void canvas_init(struct canvas *c, unsigned columns); /* what is drawn beyond is not seen */
void canvas_done(struct canvas *c);

/* UTF-8 from (x, y) to the right, cut with an ellipsis to width columns (0: not cut). */
void canvas_text(struct canvas *c, unsigned x, unsigned y, unsigned width, unsigned colour,
		 const char *text);
/* From the middle of one cell to the middle of the other; horizontal or vertical. */
void canvas_line(struct canvas *c, unsigned x1, unsigned y1, unsigned x2, unsigned y2,
		 enum canvas_pen pen, unsigned colour);
/* A horizontal one that touches what is at its ends, and goes behind thick lines between. */
void canvas_wire(struct canvas *c, unsigned x1, unsigned x2, unsigned y, unsigned colour);
void canvas_box(struct canvas *c, unsigned x, unsigned y, unsigned width, unsigned height,
		enum canvas_pen pen, unsigned colour);

enum canvas_style { CANVAS_PLAIN = 0, CANVAS_ASCII = 1, CANVAS_COLOURED = 2 };
void canvas_print(const struct canvas *c, enum canvas_style style, FILE *to);

unsigned canvas_text_width(const char *text);

#endif
