/* src/network/dns_forward.c */
#include "network/dns_forward.h"

#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/clock.h"

static void try_ready(struct dns_source *source, uint32_t events);

struct dns_forward *dns_forward_new(int epoll, const struct dns_query *query, const void *message,
				    size_t len, const struct dns_servers *servers, bool tcp)
{
	struct dns_forward *f = xnew(struct dns_forward);

	f->epoll = epoll;
	f->tcp = tcp;
	f->query = *query;
	f->servers = *servers;
	f->message = xmalloc(len);
	memcpy(f->message, message, len);
	f->len = len;
	for (size_t i = 0; i < DNS_SERVERS_MAX; i++) {
		f->tries[i] = (struct dns_try) { .source = { try_ready, -1 }, .forward = f };
		dns_stream_init(&f->tries[i].stream);
	}
	return f;
}

void dns_forward_cancel(struct dns_forward *f)
{
	if (f->link) {
		*f->link = f->next;
		if (f->next)
			f->next->link = f->link;
	}
	for (size_t i = 0; i < DNS_SERVERS_MAX; i++) {
		dns_source_close(&f->tries[i].source);
		dns_stream_done(&f->tries[i].stream);
	}
	free(f->refusal);
	free(f->message);
	free(f);
}

static void finish(struct dns_forward *f, uint8_t *message, size_t len)
{
	f->done(f, message, len);
	dns_forward_cancel(f);
}

/* one server */

static int try_open(struct dns_forward *f, struct dns_try *t)
{
	const union dns_address *server = &f->servers.list[t->server];
	int type = (f->tcp ? SOCK_STREAM : SOCK_DGRAM) | SOCK_CLOEXEC | SOCK_NONBLOCK;
	int fd = socket(server->any.sa_family, type, 0), r;

	if (fd < 0)
		return -errno;
	r = dns_source_open(&t->source, f->epoll, fd, f->tcp ? EPOLLOUT : EPOLLIN);
	if (r == 0 && connect(fd, &server->any, dns_address_len(server)) < 0 &&
	    errno != EINPROGRESS)
		r = -errno;
	return r;
}

static int try_send(struct dns_forward *f, struct dns_try *t)
{
	int r = 0;

	if (t->source.fd < 0) {
		t->id = (uint16_t)arc4random_uniform(UINT16_MAX + 1U);
		r = try_open(f, t);
		memcpy(f->message, &t->id, sizeof(t->id));
		if (r == 0 && f->tcp)
			dns_stream_put(&t->stream, f->message, f->len);
	}
	if (r < 0 || f->tcp)
		return r; /* a stream does not need to be told twice */
	memcpy(f->message, &t->id, sizeof(t->id));
	return send(t->source.fd, f->message, f->len, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 ? -errno : 0;
}

static void try_fail(struct dns_try *t)
{
	t->failed = true;
	dns_source_close(&t->source);
}

/* Asks the next one; after all of them, after a while, those again that have said nothing. */
static void ask(struct dns_forward *f, int64_t now_ms)
{
	size_t n = f->servers.n;

	while (f->asked < 2 * n) {
		size_t server = (f->servers.first + f->asked) % n;
		struct dns_try *t = &f->tries[server];
		bool last = ++f->asked % n == 0;

		t->server = server;
		if (t->failed)
			continue;
		if (try_send(f, t) < 0) {
			try_fail(t);
			continue;
		}
		f->next_ms = now_ms + (last ? DNS_AGAIN_MS : DNS_RACE_MS);
		return;
	}
	f->next_ms = f->end_ms;
}

static bool is_hopeless(const struct dns_forward *f)
{
	for (size_t i = 0; i < f->servers.n; i++)
		if (!f->tries[i].failed)
			return false;
	return true;
}

/* Whoever failed is not waited for. */
static void go_on(struct dns_forward *f, int64_t now_ms)
{
	ask(f, now_ms);
	if (is_hopeless(f) || now_ms >= f->end_ms)
		finish(f, f->refusal, f->refusal_len);
}

void dns_forward_start(struct dns_forward *f, struct dns_forward **list, int64_t now_ms)
{
	f->next = *list;
	f->link = list;
	if (f->next)
		f->next->link = &f->next;
	*list = f;
	f->end_ms = now_ms + DNS_GIVE_UP_MS;
	go_on(f, now_ms);
}

void dns_forward_timer(struct dns_forward *f, int64_t now_ms)
{
	if (now_ms >= f->next_ms || now_ms >= f->end_ms)
		go_on(f, now_ms);
}

/* answers */

static void keep_refusal(struct dns_forward *f, const uint8_t *message, size_t len)
{
	free(f->refusal);
	f->refusal = xmalloc(len);
	memcpy(f->refusal, message, len);
	f->refusal_len = len;
}

/* Whether the forward is over, and freed. */
static bool take(struct dns_try *t, uint8_t *message, size_t len)
{
	struct dns_forward *f = t->forward;
	int rcode;

	if (!dns_response_fits(message, len, t->id, &f->query))
		return false; /* a forgery, or late: the right one may still come */
	rcode = dns_response_rcode(message);
	if (rcode == ns_r_servfail || rcode == ns_r_refused || rcode == ns_r_notimpl) {
		keep_refusal(f, message, len);
		try_fail(t);
		go_on(f, clock_monotonic_ms());
		return true;
	}
	if (f->prefer)
		f->prefer->first = t->server;
	finish(f, message, len);
	return true;
}

static void lost(struct dns_try *t)
{
	try_fail(t);
	go_on(t->forward, clock_monotonic_ms());
}

static void datagram_ready(struct dns_try *t)
{
	uint8_t message[DNS_MESSAGE_MAX];
	ssize_t n = recv(t->source.fd, message, sizeof(message), MSG_DONTWAIT);

	if (n >= 0)
		(void)take(t, message, (size_t)n);
	else if (errno != EAGAIN && errno != EINTR)
		lost(t); /* nobody listens there: ICMP said so */
}

static void stream_ready(struct dns_try *t, uint32_t events)
{
	const void *message;
	size_t len;
	ssize_t n;

	if (events & EPOLLOUT) {
		int left = dns_stream_flush(&t->stream, t->source.fd);

		if (left < 0) {
			lost(t);
			return;
		}
		if (left == 0)
			dns_source_want(&t->source, t->forward->epoll, EPOLLIN);
		return;
	}
	n = dns_stream_read(&t->stream, t->source.fd);
	if (n == -EAGAIN)
		return;
	message = n > 0 ? dns_stream_message(&t->stream, &len) : NULL;
	if (n <= 0) {
		lost(t);
	} else if (message) {
		autofree uint8_t *copy = xmalloc(len + 1);

		memcpy(copy, message, len);
		if (!take(t, copy, len))
			lost(t);
	}
}

static void try_ready(struct dns_source *source, uint32_t events)
{
	struct dns_try *t = (struct dns_try *)source;

	if (t->forward->tcp)
		stream_ready(t, events);
	else
		datagram_ready(t);
}
