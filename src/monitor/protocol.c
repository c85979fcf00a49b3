/* src/monitor/protocol.c */
#include "monitor/protocol.h"

#include <arpa/inet.h>
#include <string.h>

void frame_header(enum frame_type type, size_t len, unsigned char ret[FRAME_HEADER_LEN])
{
	uint32_t length = htonl((uint32_t)len);

	memset(ret, 0, FRAME_HEADER_LEN);
	ret[0] = (unsigned char)type;
	memcpy(ret + 4, &length, sizeof(length));
}

void frame_add(struct buf *to, enum frame_type type, const void *bytes, size_t len)
{
	unsigned char header[FRAME_HEADER_LEN];

	frame_header(type, len, header);
	buf_add(to, header, sizeof(header));
	if (len)
		buf_add(to, bytes, len);
}

int frame_parse(const unsigned char *bytes, size_t len, struct frame *ret)
{
	uint32_t length;

	if (len < FRAME_HEADER_LEN)
		return 0;
	memcpy(&length, bytes + 4, sizeof(length));
	length = ntohl(length);
	if (bytes[0] >= N_FRAME_TYPES || bytes[1] || bytes[2] || bytes[3] ||
	    length > FRAME_BYTES_MAX)
		return -EBADMSG;
	if (len - FRAME_HEADER_LEN < length)
		return 0;
	ret->type = (enum frame_type)bytes[0];
	ret->bytes = bytes + FRAME_HEADER_LEN;
	ret->len = length;
	return (int)(FRAME_HEADER_LEN + length);
}
