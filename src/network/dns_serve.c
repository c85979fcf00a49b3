/* src/network/dns_serve.c */
#include "network/dns_serve.h"

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/ip.h"
#include "base/number.h"
#include "network/dns_forward.h"
#include "network/dns_jail.h"
#include "network/dns_resolve.h"

#define FORWARDS_MAX        256 /* with 3 sockets each: below the usual 1024 descriptors */
#define FORWARDS_CLIENT_MAX 96  /* so that one container does not take them all */
#define STREAMS_MAX         64
#define STREAMS_CLIENT_MAX  16
#define STREAM_IDLE_MS      10000
#define CONTROLS_MAX        8
#define BURST               64 /* datagrams of one socket before others have their turn */
#define RESOLV_CONF         "/etc/resolv.conf"

struct stream_client {
	struct dns_source source; /* first */
	struct server *server;
	struct stream_client *next;
	union dns_address from;
	struct dns_stream stream;
	struct dns_forward *waits_for;
	int64_t end_ms;
};

struct control {
	struct dns_source source; /* first */
	struct server *server;
	struct buf text;
};

struct listener {
	struct dns_source source; /* first */
	struct server *server;
};

struct server {
	int epoll;
	struct dns_zone zone;
	struct ip_net subnets[DNS_GATEWAYS_MAX];
	size_t nsubnets;
	struct dns_servers servers; /* n 0: as conf says */
	struct dns_conf conf;
	struct listener udp[DNS_GATEWAYS_MAX], tcp[DNS_GATEWAYS_MAX], control;
	struct dns_forward *forwards;
	struct stream_client *streams;
	size_t ncontrols;
	uint8_t packet[DNS_MESSAGE_MAX + 1];
	uint8_t answer[DNS_MESSAGE_MAX];
	bool ends;
};

/* clients */

/* Clients are this network's containers and, with one of our own addresses, this host.  To the rest
 * of the world we are not there: a resolver that answers everybody is a weapon.
 */
static bool is_client(const struct server *s, const union dns_address *from)
{
	struct ip ip = { .family = (uint8_t)from->any.sa_family };

	if (ip.family == AF_INET)
		memcpy(ip.bytes, &from->in.sin_addr, 4);
	else
		memcpy(ip.bytes, &from->in6.sin6_addr, 16);
	for (size_t i = 0; i < s->nsubnets; i++)
		if (ip_net_has(&s->subnets[i], &ip))
			return true;
	return false;
}

static bool same_host(const union dns_address *a, const union dns_address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	return a->any.sa_family == AF_INET ? a->in.sin_addr.s_addr == b->in.sin_addr.s_addr
					   : memcmp(&a->in6.sin6_addr, &b->in6.sin6_addr, 16) == 0;
}

static bool may_forward(const struct server *s, const union dns_address *from)
{
	size_t all = 0, of_client = 0;

	for (const struct dns_forward *f = s->forwards; f; f = f->next) {
		all++;
		of_client += same_host(&f->from, from);
	}
	return all < FORWARDS_MAX && of_client < FORWARDS_CLIENT_MAX;
}

/* The client's own --dns, the network's, the host's. */
static struct dns_servers *servers_for(struct server *s, const struct dns_endpoint *client,
				       struct dns_servers *own)
{
	own->n = own->first = 0;
	for (const char *p = client ? client->servers : ""; *p && own->n < DNS_SERVERS_MAX;
	     p += strlen(p) + 1)
		own->n += dns_server_parse(p, &own->list[own->n]);
	if (own->n > 0)
		return own;
	return s->servers.n > 0
		       ? &s->servers
		       : dns_conf_servers(&s->conf, s->zone.gateways, clock_monotonic_ms());
}

/* One question.  The length of an answer that is in s->answer; 0: none; -EINPROGRESS: *ret_forward
 * will have one, it wants its client and dns_forward_start().
 */
static ssize_t ask(struct server *s, const union dns_address *from, const uint8_t *message,
		   size_t len, bool tcp, struct dns_forward **ret_forward)
{
	char address[INET6_ADDRSTRLEN] = "";
	struct dns_servers own, *servers;
	struct dns_query query;
	struct dns_answer a;
	struct dns_view view;
	int rcode = dns_query_parse(message, len, &query);

	if (rcode < 0)
		return 0;
	dns_answer_init(&a, &query, s->answer,
			tcp ? sizeof(s->answer) : MIN((size_t)query.udp_max, DNS_UDP_MAX));
	if (rcode > 0)
		return (ssize_t)dns_answer_finish(&a, rcode);
	(void)dns_address_format(from, address);
	view = dns_view_of(s->zone.records, s->zone.network, address);
	rcode = dns_resolve(&s->zone, &view, &query, &a);
	if (rcode != DNS_FORWARD)
		return (ssize_t)dns_answer_finish(&a, rcode);
	servers = servers_for(s, view.client, &own);
	if (servers->n == 0 || !may_forward(s, from))
		return (ssize_t)dns_answer_finish(&a, ns_r_servfail);
	*ret_forward = dns_forward_new(s->epoll, &query, message, len, servers, tcp);
	(*ret_forward)->owner = s;
	(*ret_forward)->from = *from;
	(*ret_forward)->prefer = servers == &own ? NULL : servers;
	return -EINPROGRESS;
}

/* What others said, or that they said nothing, as the client's: with its ID, in its size. */
static size_t adapt(struct dns_forward *f, uint8_t **message, size_t len, uint8_t *room, size_t max)
{
	struct dns_answer a;

	if (*message && len <= max) {
		memcpy(*message, &f->query.id, sizeof(f->query.id));
		return len;
	}
	dns_answer_init(&a, &f->query, room, DNS_UDP_PLAIN);
	a.truncated = *message != NULL;
	len = dns_answer_finish(&a, *message ? dns_response_rcode(*message) : ns_r_servfail);
	*message = room;
	return len;
}

/* datagrams */

static void datagram_done(struct dns_forward *f, uint8_t *message, size_t len)
{
	struct server *s = f->owner;

	len = adapt(f, &message, len, s->answer, f->query.udp_max);
	(void)sendto(f->client->fd, message, len, MSG_DONTWAIT | MSG_NOSIGNAL, &f->from.any,
		     dns_address_len(&f->from));
}

static void datagrams_ready(struct dns_source *source, uint32_t events)
{
	struct server *s = ((struct listener *)source)->server;

	(void)events;
	for (unsigned i = 0; i < BURST; i++) {
		struct dns_forward *f = NULL;
		union dns_address from = { .any.sa_family = AF_UNSPEC };
		socklen_t room = sizeof(from);
		ssize_t n = recvfrom(source->fd, s->packet, sizeof(s->packet), MSG_DONTWAIT,
				     &from.any, &room);

		if (n < 0)
			return;
		if (!is_client(s, &from))
			continue;
		n = ask(s, &from, s->packet, (size_t)n, false, &f);
		if (f) {
			f->client = source;
			f->done = datagram_done;
			dns_forward_start(f, &s->forwards, clock_monotonic_ms());
		} else if (n > 0) {
			(void)sendto(source->fd, s->answer, (size_t)n, MSG_DONTWAIT | MSG_NOSIGNAL,
				     &from.any, dns_address_len(&from));
		}
	}
}

/* connections */

static void stream_close(struct server *s, struct stream_client *c)
{
	struct stream_client **at = &s->streams;

	while (*at != c)
		at = &(*at)->next;
	*at = c->next;
	if (c->waits_for)
		dns_forward_cancel(c->waits_for);
	dns_source_close(&c->source);
	dns_stream_done(&c->stream);
	free(c);
}

static void stream_go_on(struct stream_client *c);

static void stream_done(struct dns_forward *f, uint8_t *message, size_t len)
{
	struct stream_client *c = (struct stream_client *)f->client;
	struct server *s = f->owner;

	len = adapt(f, &message, len, s->answer, DNS_MESSAGE_MAX);
	c->waits_for = NULL;
	dns_stream_put(&c->stream, message, len);
	dns_source_want(&c->source, s->epoll, EPOLLOUT);
}

/* Questions of one connection are answered one after the other. */
static bool stream_ask(struct stream_client *c)
{
	struct server *s = c->server;
	struct dns_forward *f = NULL;
	size_t len;
	const void *message = dns_stream_message(&c->stream, &len);
	ssize_t n;

	if (!message)
		return false;
	n = ask(s, &c->from, message, len, true, &f);
	dns_stream_drop(&c->stream);
	if (f) {
		f->client = &c->source;
		f->done = stream_done;
		c->waits_for = f;
		dns_source_want(&c->source, s->epoll, 0);
		dns_forward_start(f, &s->forwards, clock_monotonic_ms());
	} else if (n > 0) {
		dns_stream_put(&c->stream, s->answer, (size_t)n);
	}
	return true;
}

static void stream_go_on(struct stream_client *c)
{
	int left;

	c->end_ms = clock_monotonic_ms() + STREAM_IDLE_MS;
	do {
		left = dns_stream_flush(&c->stream, c->source.fd);
	} while (left == 0 && !c->waits_for && stream_ask(c));
	if (left < 0)
		stream_close(c->server, c);
	else if (!c->waits_for)
		dns_source_want(&c->source, c->server->epoll, left ? EPOLLOUT : EPOLLIN);
}

static void stream_ready(struct dns_source *source, uint32_t events)
{
	struct stream_client *c = (struct stream_client *)source;
	ssize_t n = events & EPOLLOUT ? -EAGAIN : dns_stream_read(&c->stream, source->fd);

	if (n == 0 || (n < 0 && n != -EAGAIN))
		stream_close(c->server, c);
	else
		stream_go_on(c);
}

static bool may_connect(const struct server *s, const union dns_address *from)
{
	size_t all = 0, of_client = 0;

	for (const struct stream_client *c = s->streams; c; c = c->next) {
		all++;
		of_client += same_host(&c->from, from);
	}
	return is_client(s, from) && all < STREAMS_MAX && of_client < STREAMS_CLIENT_MAX;
}

static void connection_ready(struct dns_source *source, uint32_t events)
{
	struct server *s = ((struct listener *)source)->server;
	union dns_address from = { .any.sa_family = AF_UNSPEC };
	socklen_t room = sizeof(from);
	int fd = accept4(source->fd, &from.any, &room, SOCK_CLOEXEC | SOCK_NONBLOCK), on = 1;
	struct stream_client *c;

	(void)events;
	if (fd < 0)
		return;
	if (!may_connect(s, &from)) {
		(void)close(fd);
		return;
	}
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	c = xnew(struct stream_client);
	c->source = (struct dns_source) { stream_ready, -1 };
	c->server = s;
	c->from = from;
	c->end_ms = clock_monotonic_ms() + STREAM_IDLE_MS;
	dns_stream_init(&c->stream);
	c->next = s->streams;
	s->streams = c;
	if (dns_source_open(&c->source, s->epoll, fd, EPOLLIN) < 0)
		stream_close(c->server, c);
}

/* changes */

static void control_close(struct control *c)
{
	c->server->ncontrols--;
	dns_source_close(&c->source);
	buf_done(&c->text);
	free(c);
}

/* Nobody is left who could ask.  Our addresses are free again before the answer goes out: the next
 * resolver may begin at once.
 */
static void end(struct server *s)
{
	s->ends = true;
	for (size_t i = 0; i < DNS_GATEWAYS_MAX; i++) {
		dns_source_close(&s->udp[i].source);
		dns_source_close(&s->tcp[i].source);
	}
	dns_source_close(&s->control.source);
}

static void control_ready(struct dns_source *source, uint32_t events)
{
	struct control *c = (struct control *)source;
	struct server *s = c->server;
	struct error err = { 0 };
	char bytes[16384];
	ssize_t n = recv(source->fd, bytes, sizeof(bytes), MSG_DONTWAIT);

	(void)events;
	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n > 0) {
		buf_add(&c->text, bytes, (size_t)n);
		if (buf_result(&c->text) == 0)
			return;
	}
	if (n == 0 &&
	    dns_records_apply(s->zone.records, buf_text(&c->text), c->text.len, &err) == 0 &&
	    dns_records_count(s->zone.records, s->zone.network) == 0)
		end(s);
	if (n == 0)
		(void)error_send(source->fd, &err);
	control_close(c);
}

static void change_ready(struct dns_source *source, uint32_t events)
{
	struct server *s = ((struct listener *)source)->server;
	int fd = accept4(source->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	struct control *c;

	(void)events;
	if (fd < 0)
		return;
	if (s->ncontrols == CONTROLS_MAX) {
		(void)close(fd);
		return;
	}
	c = xnew(struct control);
	c->source = (struct dns_source) { control_ready, -1 };
	c->server = s;
	buf_init(&c->text, DNS_UPDATE_MAX);
	s->ncontrols++;
	if (dns_source_open(&c->source, s->epoll, fd, EPOLLIN) < 0)
		control_close(c);
}

/* start */

static int listen_on(struct server *s, struct listener *listeners, const struct strv *fds,
		     void (*ready)(struct dns_source *source, uint32_t events))
{
	uint64_t fd;
	int r = 0;

	for (size_t i = 0; r == 0 && i < fds->n; i++) {
		if (i == DNS_GATEWAYS_MAX || number_parse(fds->items[i], INT32_MAX, &fd) < 0)
			return -EINVAL;
		listeners[i] = (struct listener) { { ready, -1 }, s };
		r = dns_source_open(&listeners[i].source, s->epoll, (int)fd, EPOLLIN);
	}
	return r;
}

static int take_request(struct server *s, const struct dns_serve_request *req, struct error *err)
{
	s->zone.network = req->network;
	s->zone.internal = req->internal;
	if (req->gateways.n >= DNS_GATEWAYS_MAX || req->subnets.n > DNS_GATEWAYS_MAX)
		return error_set(err, -E2BIG, "network %s has too many subnets", req->network);
	for (size_t i = 0; i < req->gateways.n; i++)
		s->zone.gateways[i] = req->gateways.items[i];
	for (size_t i = 0; i < req->subnets.n; i++)
		if (ip_net_parse(req->subnets.items[i], &s->subnets[s->nsubnets++]) < 0)
			return error_set(err, -EINVAL, "'%s' is not a subnet",
					 req->subnets.items[i]);
	for (size_t i = 0; i < req->servers.n && s->servers.n < DNS_SERVERS_MAX; i++)
		s->servers.n +=
			dns_server_parse(req->servers.items[i], &s->servers.list[s->servers.n]);
	s->conf.path = RESOLV_CONF;
	return 0;
}

static int take_records(struct server *s, int fd, struct error *err)
{
	autofree char *text = NULL;
	size_t len = 0;
	int r;

	s->zone.records = dns_records_new();
	if (lseek(fd, 0, SEEK_SET) < 0)
		return error_sys(err, -errno, "read the names of containers");
	r = file_read_fd(fd, "names of containers", DNS_UPDATE_MAX, &text, &len, err);
	(void)close(fd);
	if (r == 0)
		r = dns_records_apply(s->zone.records, text, len, err);
	if (r == 0 && dns_records_count(s->zone.records, s->zone.network) == 0)
		r = error_set(err, -ENOENT, "network %s has no containers", s->zone.network);
	return r;
}

static int start(struct server *s, const struct dns_serve_request *req, struct error *err)
{
	const struct strv control = { .n = 0 };
	int r = take_request(s, req, err);

	(void)control;
	if (r == 0)
		r = take_records(s, req->records_fd, err);
	if (r < 0)
		return r;
	s->epoll = epoll_create1(EPOLL_CLOEXEC);
	r = s->epoll < 0 ? -errno : listen_on(s, s->udp, &req->udp, datagrams_ready);
	if (r == 0)
		r = listen_on(s, s->tcp, &req->tcp, connection_ready);
	s->control = (struct listener) { { change_ready, -1 }, s };
	if (r == 0)
		r = dns_source_open(&s->control.source, s->epoll, req->control_fd, EPOLLIN);
	if (r < 0)
		return error_sys(err, r, "wait for questions");
	return dns_jail_enter(err);
}

/* life */

static void close_idle(struct server *s, int64_t now)
{
	for (struct stream_client *c = s->streams, *after; c; c = after) {
		after = c->next;
		if (now >= c->end_ms)
			stream_close(s, c);
	}
}

/* The timers that are due; returns for how long to wait. */
static int run_timers(struct server *s)
{
	int64_t now = clock_monotonic_ms(), next = now + 60000;

	for (struct dns_forward *f = s->forwards, *after; f; f = after) {
		after = f->next;
		dns_forward_timer(f, now);
	}
	close_idle(s, now);
	if (!s->forwards && !s->streams)
		return -1;
	for (const struct dns_forward *f = s->forwards; f; f = f->next)
		next = MIN(next, MIN(f->next_ms, f->end_ms));
	for (const struct stream_client *c = s->streams; c; c = c->next)
		next = MIN(next, c->end_ms);
	return (int)MAX(next - now, 1);
}

static void live(struct server *s)
{
	struct epoll_event event;

	while (!s->ends) {
		int n = epoll_wait(s->epoll, &event, 1, run_timers(s));

		if (n == 1) {
			struct dns_source *source = event.data.ptr;

			source->ready(source, event.events);
		} else if (n < 0 && errno != EINTR) {
			return;
		}
	}
}

int dns_serve(const struct dns_serve_request *req)
{
	struct server *s = xnew(struct server);
	struct error err = { 0 };
	int r;

	for (size_t i = 0; i < DNS_GATEWAYS_MAX; i++)
		s->udp[i].source.fd = s->tcp[i].source.fd = -1;
	s->control.source.fd = -1;
	r = start(s, req, &err);
	(void)error_send(req->status_fd, &err);
	(void)close(req->status_fd);
	if (r == 0)
		live(s);
	while (s->streams)
		stream_close(s, s->streams);
	while (s->forwards)
		dns_forward_cancel(s->forwards);
	end(s);
	dns_records_free(s->zone.records);
	free(s);
	return r < 0;
}
