/* src/disk/packed.h - a run of a file that lies compressed on a disk, as btrfs has them: small
 * ones, each by itself.
 */
#ifndef DISK_PACKED_H
#define DISK_PACKED_H

#include <stdint.h>

#include "base/error.h"

#define PACKED_MAX (128U << 10) /* of both lengths: btrfs makes none that are larger */

enum packed_by { PACKED_BY_ZLIB, PACKED_BY_ZSTD };

struct packed {
	enum packed_by by;
	uint32_t len;  /* as it lies; what is behind its end there is not looked at */
	uint32_t size; /* what it becomes: zeros, if it is less */
	int64_t from;  /* where it lies */
};

/* Keeps the last one that was unpacked, for what is read in parts. */
struct unpacker;
struct unpacker *unpacker_new(void);
void unpacker_free(struct unpacker *u);

/* Its bytes, p->size of them, until the next call.  -EUCLEAN: it is damaged. */
int unpacker_get(struct unpacker *u, int fd, const struct packed *p, const char **ret) must_check;

#endif
