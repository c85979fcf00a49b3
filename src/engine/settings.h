/* src/engine/settings.h - what a container was told to run, as instructions of a Containerfile. */
#ifndef ENGINE_SETTINGS_H
#define ENGINE_SETTINGS_H

#include "base/error.h"

struct container;
struct engine;
struct strv;

/* Its variables, labels, ports, command, user, signal and directory, as far as they are not what
 * the engine adds by itself: a commit's image says them, as those of other engines do.
 */
int settings_list(struct engine *engine, const struct container *c, struct strv *ret,
		  struct error *err) must_check;

#endif
