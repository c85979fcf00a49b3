/* src/engine/image_mount.h - an image's files at a place on the host, for looking.
 *
 * RUN/images/ID is the mount, and all that is kept about it: what the kernel shows there is the
 * truth.  A killed command leaves an empty directory at most, which the next one takes.  Mounts go
 * with a reboot, as the run root does.
 */
#ifndef ENGINE_IMAGE_MOUNT_H
#define ENGINE_IMAGE_MOUNT_H

#include <stdbool.h>

#include "base/error.h"

struct engine;
struct image;
struct strv;

/* Read-only; mounted already is fine.  The caller frees *ret_path. */
int image_mount(struct engine *engine, const struct image *image, char **ret_path,
		struct error *err) must_check;
/* Not mounted is fine. */
int image_unmount(struct engine *engine, const char *id, struct error *err) must_check;
bool image_is_mounted(const struct engine *engine, const char *id);
/* IDs; empty directories that a kill left go. */
int image_mounts(struct engine *engine, struct strv *ret, struct error *err) must_check;
/* The same, and until *ret_lock is closed none is mounted or unmounted. */
int image_mounts_lock(struct engine *engine, struct strv *ret, int *ret_lock,
		      struct error *err) must_check;
char *image_mount_path(const struct engine *engine, const char *id);

#endif
