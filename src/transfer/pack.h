/* src/transfer/pack.h - bytes packed into a nameless file, with the digest of what comes out.
 *
 * The same bytes in give the same bytes out, whatever the number of cores (image/pack.h).
 */
#ifndef TRANSFER_PACK_H
#define TRANSFER_PACK_H

#include <stdint.h>

#include "base/error.h"
#include "transfer/checksum.h"

struct packed {
	int fd; /* at offset 0 */
	int64_t size;
	char digest[CHECKSUM_DIGEST_MAX];
	char unpacked[CHECKSUM_DIGEST_MAX]; /* of what went in */
};

/* From fd (a file at offset, or a pipe with offset -1; size -1 is all of it) into a file in dir.
 * kind: "gzip", "zstd" or "none".
 */
int pack_file(int fd, int64_t offset, int64_t size, const char *kind, int dir, struct packed *ret,
	      struct error *err) must_check;
/* The other way: whatever it is packed with, plain into a file. */
int unpack_file(int fd, int64_t offset, int64_t size, int dir, int *ret_fd, int64_t *ret_size,
		char ret_digest[CHECKSUM_DIGEST_MAX], struct error *err) must_check;

#endif
