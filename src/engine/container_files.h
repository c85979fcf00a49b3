/* src/engine/container_files.h - a container's files seen from outside: the layers that its root is
 * made of, and which of its paths are there for mounts only.
 */
#ifndef ENGINE_CONTAINER_FILES_H
#define ENGINE_CONTAINER_FILES_H

#include "base/error.h"
#include "base/strv.h"

struct container;
struct engine;

struct container_files {
	char *upper;              /* what it changed */
	struct strv lower;        /* the uppermost first */
	struct strv mount_points; /* "proc", "etc/hosts" */
};

/* -EOPNOTSUPP: its root is no overlay (a bare file's is memory). */
int container_files_load(const struct engine *engine, const struct container *c,
			 struct container_files *ret, struct error *err) must_check;
void container_files_done(struct container_files *f);

/* Keeps its processes from running until released, even if this process is killed meanwhile.  A
 * container that does not run, or was paused before, is left alone.
 */
struct container_hold {
	int until;   /* closed: it goes on; -1: nothing is held */
	pid_t child; /* lets it go on */
};

int container_hold(const struct engine *engine, const struct container *c,
		   struct container_hold *ret, struct error *err) must_check;
void container_release(struct container_hold *hold); /* twice is fine */

#endif
