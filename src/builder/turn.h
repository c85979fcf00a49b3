/* src/builder/turn.h - one at a time, of all builds in one store: whoever does the same as another
 * waits for it, and then finds it done.
 */
#ifndef BUILDER_TURN_H
#define BUILDER_TURN_H

#include "base/error.h"
#include "image/digest.h"

struct engine;

struct turn {
	int dir, fd; /* -1: not taken */
	char name[DIGEST_HEX_LEN + 1];
};
#define TURN_INIT ((struct turn) { .dir = -1, .fd = -1 })

/* what: any text.  A signal ends the process while it waits. */
int turn_take(const struct engine *engine, const char *what, struct turn *ret,
	      struct error *err) must_check;
void turn_leave(struct turn *turn);

#endif
