/* src/network/picture_text.h - a picture as characters, for a terminal or a file. */
#ifndef NETWORK_PICTURE_TEXT_H
#define NETWORK_PICTURE_TEXT_H

#include "network/canvas.h"

struct picture;

/* columns is what there is room for; 0: as wide as it gets.  What does not fit is said shorter. */
void picture_print(const struct picture *p, unsigned columns, enum canvas_style style, FILE *to);

#endif
