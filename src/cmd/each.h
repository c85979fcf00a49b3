/* src/cmd/each.h - commands that do one thing to several containers. */
#ifndef CMD_EACH_H
#define CMD_EACH_H

#include <stddef.h>

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

/* The same for what is done to all at once: each_open() finds them, the work calls each_done() of
 * every one, as ended_fn, and each_close() returns the exit status.
 */
struct each {
	const char *command;
	char **words; /* what the user called them; the texts are borrowed */
	struct container **all;
	size_t n;
	int status;
};
void each_open(struct engine *engine, const char *command, int argc, char **argv, struct each *ret);
void each_done(void *each, size_t i, int r, const struct error *err);
int each_close(struct each *each);

#endif
