/* src/network/dns_stream.h - messages on a TCP connection, each behind its length.
 *
 * The state is what was read and what is left to write; the caller owns the descriptor.
 */
#ifndef NETWORK_DNS_STREAM_H
#define NETWORK_DNS_STREAM_H

#include "base/buf.h"
#include "network/dns_message.h"

struct dns_stream {
	struct buf in, out;
};

void dns_stream_init(struct dns_stream *s);
void dns_stream_done(struct dns_stream *s);
/* Reads what there is.  0: the other end closed; -EAGAIN: nothing now. */
ssize_t dns_stream_read(struct dns_stream *s, int fd) must_check;
/* The first whole message, or NULL; good until dns_stream_drop(). */
const void *dns_stream_message(const struct dns_stream *s, size_t *ret_len);
void dns_stream_drop(struct dns_stream *s);
void dns_stream_put(struct dns_stream *s, const void *message, size_t len);
/* Writes what the descriptor takes; 1 if something is left. */
int dns_stream_flush(struct dns_stream *s, int fd) must_check;

#endif
