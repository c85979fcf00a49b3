/* src/builder/strip.h - a container's upper directory without what its mounts lay on. */
#ifndef BUILDER_STRIP_H
#define BUILDER_STRIP_H

#include "base/error.h"
#include "base/strv.h"

/* Empty files and directories that the layers below (the uppermost first) do not have, and
 * directories that came up only for them, go.
 */
int strip_mount_points(int upper, const struct strv *lower, const struct strv *points,
		       struct error *err) must_check;

#endif
