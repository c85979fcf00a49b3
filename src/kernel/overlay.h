/* src/kernel/overlay.h - a stack of directories as one: how overlayfs is told its layers, and a
 * read-only view of them that is mounted nowhere.
 */
#ifndef KERNEL_OVERLAY_H
#define KERNEL_OVERLAY_H

#include "base/error.h"
#include "base/strv.h"

/* "A:B" as in overlayfs's lowerdir=, where a colon or backslash of a name has a backslash in front.
 */
void overlay_split(const char *lowerdir, struct strv *ret);
char *overlay_join(const struct strv *layers);
/* The same for upperdir= and workdir=, whose backslashes the kernel takes out, too. */
char *overlay_escape(const char *path);
char *overlay_unescape(const char *value);

/* A directory that shows the layers (the uppermost first) as a container would see them, for
 * reading.  It has no place in any namespace and is gone with its last descriptor, however that
 * dies.  what names it in errors.
 */
int overlay_view(const struct strv *layers, const char *what, int *ret,
		 struct error *err) must_check;

/* Opens a path below such a directory, never leaving it; flags as open(2).  -errno. */
int overlay_open(int view, const char *path, int flags) must_check;

#endif
