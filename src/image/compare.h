/* src/image/compare.h - whether two trees are the same: names, kinds, owners, modes, times, links,
 * extended attributes, contents.
 */
#ifndef IMAGE_COMPARE_H
#define IMAGE_COMPARE_H

#include <stddef.h>

#include "base/error.h"

/* Calls report with a line for each of the first max differences; returns how many there are. */
int compare_trees(int have, int want, size_t max, void (*report)(void *data, const char *text),
		  void *data, struct error *err) must_check;

#endif
