/* src/engine/exec_reason.h - why a program could not be executed, in words.
 *
 * execve(2) says "no such file" of a missing loader and "exec format error" of another machine's
 * program.  Afterwards there is time to look.
 */
#ifndef ENGINE_EXEC_REASON_H
#define ENGINE_EXEC_REASON_H

#include "base/error.h"

struct strv;

struct exec_reason_request {
	int view;               /* the container's root, a directory */
	const char *name;       /* args[0] */
	const struct strv *env; /* for its PATH */
	const char *container;  /* of a running one, to offer a debug shell; else NULL */
};

/* err holds what the attempt said; its text becomes a better one if there is one. */
void exec_reason(const struct exec_reason_request *req, struct error *err);

#endif
