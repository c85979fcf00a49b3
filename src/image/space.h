/* src/image/space.h - what to say when the store's disk is full. */
#ifndef IMAGE_SPACE_H
#define IMAGE_SPACE_H

#include "base/error.h"

/* After r: if it is for want of room, err also names the file system and what helps.  Returns r. */
int space_explain(int root_fd, const char *root, int r, struct error *err);

#endif
