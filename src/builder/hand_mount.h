/* src/builder/hand_mount.h - a working container's files at a place on the host, for reading and
 * writing.
 *
 * RUN/working/ID shows its layers under working/ID/upper.  What was written there becomes a layer
 * before anything else is done with it; for that the mount has to go and comes back afterwards, on
 * one layer more.
 */
#ifndef BUILDER_HAND_MOUNT_H
#define BUILDER_HAND_MOUNT_H

#include <stdbool.h>

#include "base/error.h"

#define HAND_SETTLING "settling"

struct engine;
struct working;

/* Mounted already is fine.  The caller frees *ret_path. */
int hand_mount(struct engine *engine, const struct working *w, char **ret_path,
	       struct error *err) must_check;
/* -EBUSY: somebody is in it. */
int hand_unmount(struct engine *engine, const struct working *w, struct error *err) must_check;
bool hand_is_mounted(const struct engine *engine, const char *id);
char *hand_mount_path(const struct engine *engine, const char *id);

/* Unmounts it.  1: working/ID/HAND_SETTLING/diff is what was written; 0: nothing was. */
int hand_mount_settle(struct engine *engine, const struct working *w, struct error *err) must_check;

#endif
