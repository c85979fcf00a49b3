/* src/registry/wire.c */
#include "registry/wire.h"

#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/json.h"
#include "base/socket.h"

#define WIRE_MAGIC 0x73747231U /* "str1" */

struct head {
	uint32_t magic, json_len, body_len, has_fd;
};

void wire_message_done(struct wire_message *m)
{
	int saved = errno;

	json_decref(m->doc);
	free(m->body);
	if (m->fd >= 0)
		(void)close(m->fd);
	*m = WIRE_MESSAGE_INIT;
	errno = saved;
}

static int send_all(int sock, const char *bytes, size_t len)
{
	while (len > 0) {
		ssize_t n = TEMP_FAILURE_RETRY(send(sock, bytes, len, MSG_NOSIGNAL));

		if (n < 0)
			return -errno;
		bytes += n;
		len -= (size_t)n;
	}
	return 0;
}

int wire_send(int sock, const json_t *doc, const void *body, size_t len, int fd, struct error *err)
{
	autofree char *text = json_dumps(doc, JSON_COMPACT);
	struct head head = { .magic = WIRE_MAGIC, .has_fd = fd >= 0 };
	int r;

	if (!text || strlen(text) > WIRE_JSON_MAX || len > WIRE_BODY_MAX)
		return error_set(err, -E2BIG, "a message is too large to send");
	head.json_len = (uint32_t)strlen(text);
	head.body_len = (uint32_t)len;
	r = fd >= 0 ? socket_send_fd(sock, &head, sizeof(head), fd)
		    : send_all(sock, (const char *)&head, sizeof(head));
	if (r == 0)
		r = send_all(sock, text, head.json_len);
	if (r == 0 && len)
		r = send_all(sock, body, len);
	return r < 0 ? error_sys(err, r, "send a message") : 0;
}

static int receive_all(int sock, char *ret, size_t len)
{
	while (len > 0) {
		ssize_t n = TEMP_FAILURE_RETRY(recv(sock, ret, len, 0));

		if (n <= 0)
			return n < 0 ? -errno : -ECONNRESET;
		ret += n;
		len -= (size_t)n;
	}
	return 0;
}

static int receive_head(int sock, struct head *ret, int *ret_fd)
{
	ssize_t n = socket_receive_fd(sock, ret, sizeof(*ret), ret_fd);
	int r = 0;

	if (n <= 0)
		return (int)n;
	if ((size_t)n < sizeof(*ret))
		r = receive_all(sock, (char *)ret + n, sizeof(*ret) - (size_t)n);
	return r < 0 ? r : 1;
}

int wire_receive(int sock, struct wire_message *ret, struct error *err)
{
	cleanup(wire_message_done) struct wire_message m = WIRE_MESSAGE_INIT;
	autofree char *text = NULL;
	struct head head = { 0 };
	int r = receive_head(sock, &head, &m.fd);

	if (r == 0)
		return 0;
	if (r < 0)
		return error_sys(err, r, "receive a message");
	if (head.magic != WIRE_MAGIC || head.json_len > WIRE_JSON_MAX ||
	    head.body_len > WIRE_BODY_MAX || (head.has_fd != 0) != (m.fd >= 0))
		return error_set(err, -EPROTO, "a message is damaged");
	text = xmalloc((size_t)head.json_len + 1);
	m.body = head.body_len ? xmalloc((size_t)head.body_len + 1) : NULL;
	r = receive_all(sock, text, head.json_len);
	if (r == 0 && m.body)
		r = receive_all(sock, m.body, head.body_len);
	if (r < 0)
		return error_sys(err, r, "receive a message");
	if (m.body)
		m.body[head.body_len] = '\0';
	m.body_len = head.body_len;
	r = json_load_bytes(text, head.json_len, "a message", &m.doc, err);
	if (r < 0)
		return r;
	if (!json_is_object(m.doc))
		return error_set(err, -EPROTO, "a message is no object");
	*ret = m;
	m.doc = NULL;
	m.body = NULL;
	m.fd = -1;
	return 1;
}
