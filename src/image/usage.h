/* src/image/usage.h - what a tree takes on its disk, as du counts: each inode once. */
#ifndef IMAGE_USAGE_H
#define IMAGE_USAGE_H

#include <stdint.h>

#include "base/error.h"

int disk_usage(int dir, int64_t *ret, struct error *err) must_check;

#endif
