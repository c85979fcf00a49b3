/* src/cmd/each.h - commands that do one thing to several containers. */
#ifndef CMD_EACH_H
#define CMD_EACH_H

#include "base/error.h"

struct engine;
struct container;

typedef int (*each_fn)(struct engine *engine, const struct container *c, const void *args,
		       struct error *err);

/* command names itself in errors.  Every container is tried, its operand is printed when done; each
 * failure is reported at once and makes the exit status 1.
 */
int each_container(struct engine *engine, const char *command, int argc, char **argv, each_fn fn,
		   const void *args, struct error *err) must_check;

#endif
