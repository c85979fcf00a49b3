/* src/image/remove.h - what removing and checking share. */
#ifndef IMAGE_REMOVE_H
#define IMAGE_REMOVE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/id.h"

struct db;

/* An image, or a build step that is kept; in doubt true. */
bool layer_has_owner(struct db *db, const char *chain);
/* By one of those, or somebody holds it (hold.h). */
bool layer_is_used(struct db *db, const char *chain);
/* By any image. */
bool blob_is_used(struct db *db, const char *hex); /* as config, document or layer */
/* Alone among loads, which hold it shared from before they look which layers are there.  The
 * descriptor, -EBUSY unless it waits, -ENOENT: there are no layers.
 */
int layers_lock(int root_fd, bool wait);

/* Where what is removed lies until it is gone: ROOT/tmp/ID, locked.  If we are killed, the next
 * command finds it (image_sweep()) and removes whatever has lost its rows, too.
 */
struct grave {
	int root_fd, fd;
	char name[sizeof("tmp/") + ID_LEN];
};

int grave_open(int root_fd, struct grave *ret, struct error *err) must_check; /* -1 in a dry run */
void grave_close(struct grave *g);

#endif
