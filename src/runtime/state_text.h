/* src/runtime/state_text.h - the state document of the OCI specification (runtime.md "State"). */
#ifndef RUNTIME_STATE_TEXT_H
#define RUNTIME_STATE_TEXT_H

#include <sys/types.h>

struct spec;

/* status is "creating", "created", "running" or "stopped"; the caller frees. */
char *state_text(const struct spec *spec, const char *id, const char *bundle, const char *status,
		 pid_t pid);

#endif
