/* src/monitor/protocol.h - what a monitor and its clients say to each other.
 *
 * Frames on a SOCK_STREAM Unix socket (RUN/containers/ID/attach, or the pair that "run" made
 *before): one byte type, three zero bytes, four bytes length in network order, then that many
 *bytes.  The same shape as Docker's attach stream, whose types 0 to 2 are ours too.
 *
 *	client to monitor		monitor to client
 *	STDIN	   bytes		STDOUT, STDERR	bytes
 *	STDIN_EOF  nothing		EXIT		one byte, the exit status
 *	RESIZE	   rows, columns (2 x 16 bit)	REFUSED	nothing: there are too many clients
 */
#ifndef MONITOR_PROTOCOL_H
#define MONITOR_PROTOCOL_H

#include <stdbool.h>
#include <stdint.h>

#include "base/buf.h"

#define FRAME_HEADER_LEN 8
#define FRAME_BYTES_MAX  (64U << 10) /* of one frame's content */

enum frame_type {
	FRAME_STDIN = 0,
	FRAME_STDOUT = 1,
	FRAME_STDERR = 2,
	FRAME_STDIN_EOF = 3,
	FRAME_RESIZE = 4,
	FRAME_EXIT = 5,
	FRAME_REFUSED = 6,
	N_FRAME_TYPES
};

struct frame {
	enum frame_type type;
	const unsigned char *bytes; /* borrowed */
	size_t len;
};

void frame_header(enum frame_type type, size_t len, unsigned char ret[FRAME_HEADER_LEN]);
void frame_add(struct buf *to, enum frame_type type, const void *bytes, size_t len);

/* Reads one frame from the front of bytes.  Returns how many bytes it took, 0 if it is not whole
 * yet, -EBADMSG if this is not our protocol.
 */
int frame_parse(const unsigned char *bytes, size_t len, struct frame *ret) must_check;

#endif
