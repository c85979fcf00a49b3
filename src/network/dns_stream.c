/* src/network/dns_stream.c */
#include "network/dns_stream.h"

#include <sys/socket.h>

#define LENGTH    2U
#define READ_SIZE 4096

void dns_stream_init(struct dns_stream *s)
{
	buf_init(&s->in, LENGTH + DNS_MESSAGE_MAX + READ_SIZE);
	buf_init(&s->out, LENGTH + DNS_MESSAGE_MAX);
}

void dns_stream_done(struct dns_stream *s)
{
	buf_done(&s->in);
	buf_done(&s->out);
}

ssize_t dns_stream_read(struct dns_stream *s, int fd)
{
	char bytes[READ_SIZE];
	ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	if (n < 0)
		return -errno;
	buf_add(&s->in, bytes, (size_t)n);
	return buf_result(&s->in) < 0 ? -EMSGSIZE : n;
}

const void *dns_stream_message(const struct dns_stream *s, size_t *ret_len)
{
	const uint8_t *bytes = (const uint8_t *)buf_text(&s->in);
	size_t len;

	if (s->in.len < LENGTH)
		return NULL;
	len = (size_t)bytes[0] << 8 | bytes[1];
	if (s->in.len < LENGTH + len)
		return NULL;
	*ret_len = len;
	return bytes + LENGTH;
}

void dns_stream_drop(struct dns_stream *s)
{
	size_t len;

	if (dns_stream_message(s, &len))
		buf_drop_front(&s->in, LENGTH + len);
}

void dns_stream_put(struct dns_stream *s, const void *message, size_t len)
{
	const uint8_t length[LENGTH] = { (uint8_t)(len >> 8), (uint8_t)len };

	buf_add(&s->out, length, sizeof(length));
	buf_add(&s->out, message, len);
}

int dns_stream_flush(struct dns_stream *s, int fd)
{
	while (s->out.len > 0) {
		ssize_t n = send(fd, s->out.data, s->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n < 0)
			return errno == EAGAIN ? 1 : -errno;
		buf_drop_front(&s->out, (size_t)n);
	}
	return 0;
}
