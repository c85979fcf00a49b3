/* src/image/remove.h - what removing and checking share. */
#ifndef IMAGE_REMOVE_H
#define IMAGE_REMOVE_H

#include <stdbool.h>

struct db;

/* By any image; in doubt true. */
bool layer_is_used(struct db *db, const char *chain);
bool blob_is_used(struct db *db, const char *hex); /* as config, document or layer */
/* Alone among loads, which hold it shared from before they look which layers are there.  The
 * descriptor, -EBUSY unless it waits, -ENOENT: there are no layers.
 */
int layers_lock(int root_fd, bool wait);

#endif
