/* src/lab/play.h - a film of captured frames: one HTML file that needs nothing else. */
#ifndef LAB_PLAY_H
#define LAB_PLAY_H

#include <stdio.h>

struct layout;
struct path;

void play_write(const struct layout *l, const struct path *p, FILE *to);

#endif
