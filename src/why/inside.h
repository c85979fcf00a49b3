/* src/why/inside.h - to do something in another network namespace, and be back. */
#ifndef WHY_INSIDE_H
#define WHY_INSIDE_H

#include "base/error.h"

/* fn(data, err) in the namespace netns_fd; -1: where we are.  The calling process has one thread.
 */
int inside(int netns_fd, int (*fn)(void *data, struct error *err), void *data,
	   struct error *err) must_check;

#endif
