/* src/disk/origin.h - what the image of a disk said about running it: a file of the disk's root
 * (ORIGIN_PATH), for the way back.
 */
#ifndef DISK_ORIGIN_H
#define DISK_ORIGIN_H

#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

struct disk_source;
struct filetree;

/* Into the tree of a source that is an image; of another there is nothing to put. */
int origin_put(struct disk_source *s, int64_t now_s, struct error *err) must_check;
/* Out of a tree, as instructions (image/config_change.h); hostile.  Nothing there is nothing said.
 */
int origin_take(const struct filetree *t, struct strv *ret, struct error *err) must_check;

#endif
