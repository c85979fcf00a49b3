/* src/disk/modules.h - kernel modules for a machine that has no udev to find them. */
#ifndef DISK_MODULES_H
#define DISK_MODULES_H

#include <time.h>

#include "base/error.h"

struct disk_source;
struct strv;

/* Those of dir (as /lib/modules/VERSION) that are named in wanted, and what they need, go into the
 * source's tree; ret gets where, in the order in which to load them, but for those that it has.
 * What is built into the kernel, or is not there, is not missed.
 */
int modules_add(struct disk_source *s, const char *dir, const char *const *wanted, size_t n,
		struct timespec mtime, struct strv *ret, struct error *err) must_check;

#endif
