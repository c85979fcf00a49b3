/* src/image/stream.h - a blob read once: bytes as stored are hashed, unpacked, and hashed again.
 *
 * gzip (all members), zstd (all frames) or plain, told by the first bytes and not by a name.
 */
#ifndef IMAGE_STREAM_H
#define IMAGE_STREAM_H

#include <stdint.h>

#include "base/error.h"
#include "image/digest.h"

#define STREAM_BYTES_MAX (64ULL << 30) /* unpacked, of one layer: a bomb ends here */

struct stream;

/* Reads size bytes of fd from its start (-1: to its end), without moving its position. */
int stream_open(int fd, int64_t size, struct stream **ret, struct error *err) must_check;
/* The next unpacked bytes, valid until the next call; 0 at the end, -errno. */
ssize_t stream_next(struct stream *s, const void **ret_bytes, struct error *err) must_check;
/* Reads what is left, then gives both digests. */
int stream_finish(struct stream *s, char ret_stored[DIGEST_HEX_LEN + 1],
		  char ret_unpacked[DIGEST_HEX_LEN + 1], struct error *err) must_check;
void stream_close(struct stream *s);
DEFINE_CLEANUP(struct stream *, stream, stream_close);

#endif
