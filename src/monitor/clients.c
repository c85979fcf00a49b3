/* src/monitor/clients.c */
#include "monitor/clients.h"

#include <sys/socket.h>
#include <unistd.h>

void clients_add(struct clients *all, int fd, bool foreground)
{
	if (all->n == CLIENTS_MAX) {
		unsigned char header[FRAME_HEADER_LEN];

		frame_header(FRAME_REFUSED, 0, header);
		(void)send(fd, header, sizeof(header), MSG_DONTWAIT | MSG_NOSIGNAL);
		(void)close(fd);
		return;
	}
	all->items[all->n++] = (struct connection) {
		.fd = fd,
		.in = BUF_INIT(2 * (FRAME_BYTES_MAX + FRAME_HEADER_LEN)),
		.out = BUF_INIT(CLIENT_BACKLOG_MAX),
		.foreground = foreground,
	};
}

static void drop(struct connection *c)
{
	if (c->fd >= 0)
		(void)close(c->fd);
	c->fd = -1;
}

/* Closed ones leave the table at a quiet moment, so that indexes stay valid within one round. */
static void sweep(struct clients *all)
{
	size_t kept = 0;

	for (size_t i = 0; i < all->n; i++) {
		if (all->items[i].fd >= 0) {
			all->items[kept++] = all->items[i];
			continue;
		}
		buf_done(&all->items[i].in);
		buf_done(&all->items[i].out);
	}
	all->n = kept;
}

void clients_done(struct clients *all)
{
	for (size_t i = 0; i < all->n; i++)
		drop(&all->items[i]);
	sweep(all);
}

bool clients_are_full(const struct clients *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->items[i].foreground && all->items[i].out.len > CLIENT_HIGH_WATER)
			return true;
	return false;
}

bool clients_have_foreground(const struct clients *all)
{
	for (size_t i = 0; i < all->n; i++)
		if (all->items[i].foreground && all->items[i].fd >= 0)
			return true;
	return false;
}

static void flush(struct connection *c)
{
	ssize_t n;

	while (c->fd >= 0 && c->out.len > 0) {
		n = send(c->fd, c->out.data, c->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			drop(c);
		if (n <= 0)
			return;
		buf_drop_front(&c->out, (size_t)n);
	}
}

void clients_send(struct clients *all, enum frame_type type, const void *bytes, size_t len)
{
	for (size_t i = 0; i < all->n; i++) {
		struct connection *c = &all->items[i];

		if (c->fd < 0)
			continue;
		frame_add(&c->out, type, bytes, len);
		if (buf_result(&c->out) < 0)
			drop(c);
		else
			flush(c);
	}
}

void clients_poll(const struct clients *all, bool input, struct pollfd *ret)
{
	for (size_t i = 0; i < all->n; i++)
		ret[i] = (struct pollfd) {
			.fd = all->items[i].fd,
			.events = (short)((input ? POLLIN : 0) |
					  (all->items[i].out.len ? POLLOUT : 0)),
		};
}

static void take(struct connection *c, client_frame_fn fn, void *data)
{
	char bytes[32768];
	ssize_t n = recv(c->fd, bytes, MIN(sizeof(bytes), c->in.max - c->in.len), MSG_DONTWAIT);
	size_t used = 0;

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n <= 0) {
		drop(c);
		return;
	}
	buf_add(&c->in, bytes, (size_t)n);
	for (;;) {
		struct frame frame;
		int took = frame_parse((const unsigned char *)c->in.data + used, c->in.len - used,
				       &frame);

		if (took < 0)
			drop(c);
		if (took <= 0)
			break;
		fn(data, &frame);
		used += (size_t)took;
	}
	buf_drop_front(&c->in, used);
}

void clients_handle(struct clients *all, const struct pollfd *polled, client_frame_fn fn,
		    void *data)
{
	size_t n = all->n;

	for (size_t i = 0; i < n; i++) {
		struct connection *c = &all->items[i];

		if (polled[i].revents & POLLOUT)
			flush(c);
		if (c->fd >= 0 && polled[i].revents & POLLIN)
			take(c, fn, data);
		else if (polled[i].revents & (POLLHUP | POLLERR))
			drop(c);
	}
	sweep(all);
}

bool clients_finish(struct clients *all)
{
	bool cleaned = false;

	for (size_t i = 0; i < all->n; i++) {
		struct connection *c = &all->items[i];

		flush(c);
		while (c->foreground && c->fd >= 0 && c->out.len > 0) {
			struct pollfd p = { .fd = c->fd, .events = POLLOUT };

			(void)poll(&p, 1, -1);
			flush(c);
		}
		cleaned = cleaned || (c->fd >= 0 && c->foreground && c->out.len == 0);
	}
	return cleaned;
}
