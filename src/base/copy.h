/* src/base/copy.h - a tree copied as it is: owners, modes, times, hard links among its files,
 * holes, extended attributes, devices.
 *
 * Left out is what overlayfs keeps for itself: its attributes, and whiteouts, which are devices
 * 0:0.
 */
#ifndef BASE_COPY_H
#define BASE_COPY_H

#include "base/error.h"

/* to is an empty directory; it becomes like from. */
int copy_tree(int from, int to, struct error *err) must_check;
/* One file's bytes, holes as holes. */
int copy_bytes(int from, int to) must_check;

#endif
