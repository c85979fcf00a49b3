/* src/engine/exec.h - a further process in a running container. */
#ifndef ENGINE_EXEC_H
#define ENGINE_EXEC_H

#include <stdbool.h>

#include "base/error.h"
#include "base/strv.h"

struct engine;
struct container;

struct exec_options {
	bool detach, interactive, tty, privileged;
	struct strv env;
	const char *user;    /* NULL: the container's */
	const char *workdir; /* NULL: the container's */
	char *const *command;
	size_t ncommand;
};

/* Returns the exit status; 0 at once if detached.  err->status is 126 or 127 if it cannot run. */
int container_exec(struct engine *engine, const struct container *c,
		   const struct exec_options *options, struct error *err) must_check;

#endif
