/* src/disk/onto.h - the plain bytes of a disk onto a device.
 *
 * Zeros are asked of the device rather than sent.  The first MiB, with the table and the loader's
 * code, comes last: what is interrupted does not start, and shows no partitions.
 */
#ifndef DISK_ONTO_H
#define DISK_ONTO_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

#define ONTO_SECTOR 512

struct onto {
	int from;         /* the disk's bytes; holes are zeros */
	int64_t size;     /* of them */
	int to;           /* a device, or a file of that size, open for both; -1 in a dry run */
	const char *name; /* of the device, for a script, which has the bytes in "$from" */
	int64_t to_size;
	atomic_llong written, compared; /* how far it is; of size each */
};

/* When it returns all of it is on the medium. */
int onto_write(struct onto *o, struct error *err) must_check;
/* -EIO: what is read back is something else. */
int onto_compare(struct onto *o, struct error *err) must_check;

#endif
