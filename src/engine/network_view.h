/* src/engine/network_view.h - the containers' part of what is told about networks as they are. */
#ifndef ENGINE_NETWORK_VIEW_H
#define ENGINE_NETWORK_VIEW_H

#include <sys/types.h>

#include "base/error.h"

struct engine;
struct picture;

/* Of all networks of this host; the caller calls picture_done(). */
int network_view_picture(struct engine *engine, struct picture *ret, struct error *err) must_check;

/* Where the namespace of something is: a container that runs, "host", or a path as it is.  The
 * caller frees *ret_path; *ret_pid is its first process, or 0.
 */
int network_view_find(struct engine *engine, const char *what, char **ret_path, pid_t *ret_pid,
		      struct error *err) must_check;

#endif
