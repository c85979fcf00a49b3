/* src/disk/luks.h - a root that only opens with a passphrase: LUKS2, without device mapper.
 *
 * cryptsetup makes the header, in a file, for a key that is drawn here; the data is encrypted here,
 * as dm-crypt would. cryptsetup's own way in files (reencrypt) takes a hundred times as long.
 */
#ifndef DISK_LUKS_H
#define DISK_LUKS_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"

struct output;

#define LUKS_HEAD (16LL << 20) /* before the data */

struct luks_key {
	const char *bytes; /* a passphrase; NULL in a dry run without a file */
	size_t len;
	const char *file; /* where it comes from; NULL: typed */
};

/* *fd (nameless, *size bytes) is closed and replaced by one that has a header before the same, in
 * cipher; *size grows by LUKS_HEAD.
 */
int luks_seal(const struct output *out, const struct luks_key *key, const char *uuid, int *fd,
	      int64_t *size, struct error *err) must_check;

#endif
