/* src/image/stream.h - a blob read once: bytes as stored are hashed, kept if wanted, unpacked, and
 * hashed again.
 *
 * gzip (all members), zstd (all frames) or plain, told by the first bytes and not by a name.
 */
#ifndef IMAGE_STREAM_H
#define IMAGE_STREAM_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "image/digest.h"
#include "image/inflate.h"

#define STREAM_BYTES_MAX (64ULL << 30) /* unpacked, of one layer: a bomb ends here */

struct stream;

struct stream_request {
	int fd;         /* borrowed */
	int64_t offset; /* where the blob starts; -1: what comes next (a pipe) */
	int64_t size;   /* of the blob; -1: to the end of the file */
	int keep_fd;    /* the blob is written here, too; -1 */
	/* Asked instead, once it is known how the blob is packed.  May be NULL. */
	int (*choose_keep)(void *data, enum packing packing, int *ret_fd, struct error *err);
	/* Asked once, from the thread that inflates, before memory of 16 MiB and more is used: an
	 * error ends the stream.  May be NULL.
	 */
	int (*large)(void *data, struct error *err);
	void *data;
	bool sha512;       /* of the blob is wanted, too */
	bool unhashed;     /* nobody asks for digests; then no finish */
	bool threaded;     /* reading and inflating go on beside the caller */
	int stop_fd;       /* becomes readable when a pipe is not to be waited for; -1 */
	atomic_llong *got; /* bytes of the blob so far, for whoever shows progress; may be NULL */
};

int stream_open(const struct stream_request *req, struct stream **ret,
		struct error *err) must_check;
/* The next unpacked bytes, valid until the next call; 0 at the end, -errno. */
ssize_t stream_next(struct stream *s, const void **ret_bytes, struct error *err) must_check;
/* Reads what is left, then gives both digests. */
int stream_finish(struct stream *s, char ret_stored[DIGEST_HEX_LEN + 1],
		  char ret_unpacked[DIGEST_HEX_LEN + 1], struct error *err) must_check;
void stream_sha512(struct stream *s, char ret[DIGEST512_HEX_LEN + 1]); /* the same; once */
int64_t stream_stored_size(const struct stream *s);                    /* after finish */
int64_t stream_unpacked_size(const struct stream *s);
enum packing stream_packing(const struct stream *s);
void stream_close(struct stream *s);
DEFINE_CLEANUP(struct stream *, stream, stream_close);

#endif
