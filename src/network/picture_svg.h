/* src/network/picture_svg.h - a picture as one SVG file that needs nothing else. */
#ifndef NETWORK_PICTURE_SVG_H
#define NETWORK_PICTURE_SVG_H

#include <stdio.h>

struct picture;

void picture_write_svg(const struct picture *p, FILE *to);

#endif
