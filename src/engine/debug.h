/* src/engine/debug.h - a shell beside a container's processes, with tools from outside.
 *
 * It has the container's process, network, IPC, host name and control group namespaces, and a mount
 * namespace of its own, in which the tools are the root: the host's file systems or an image,
 * read-only.  The container's root is at /proc/1/root.  Nothing is put into the container.
 */
#ifndef ENGINE_DEBUG_H
#define ENGINE_DEBUG_H

#include <stddef.h>

#include "base/error.h"

struct engine;
struct container;

struct debug_options {
	const char *image; /* whose tools; NULL: the host's */
	char *const *command;
	size_t ncommand; /* 0: a shell */
};

/* Returns the command's exit status. */
int container_debug(struct engine *engine, const struct container *c,
		    const struct debug_options *options, struct error *err) must_check;

#endif
