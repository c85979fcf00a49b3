/* src/lab/probe.c
 *
 * The kernel keeps one table of neighbours for all namespaces together, and refuses to learn more
 * than gc_thresh3 (1024) of them within 5 seconds.  A matrix of 200 hosts needs 40,000: so nodes
 * are told of each other, as something that somebody outside has learned (NTF_EXT_LEARNED), which
 * is not counted, and that is taken away after each batch.
 */
#include "lab/probe.h"

#include <fcntl.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "kernel/netlink.h"
#include "lab/frame.h"
#include "lab/observe.h"

#define BATCH_MAX   150U   /* pings whose answers are waited for together */
#define KNOWN_MAX   40000U /* of neighbours that know each other: 20 MB of the kernel's memory */
#define TELL_MAX    (32U << 10) /* bytes to the kernel at once */
#define PACKET_MAX  65535U
#define QUIET_MS    12
#define GIVE_UP_MS  5000
#define TRIES_LOSSY 5
#define TRIES       2 /* a busy machine may let a frame lie where it is not counted */
#define BUFFER_LEN  (4 << 20)
#define HEAD4_LEN   20U
#define HEAD6_LEN   40U
#define ECHO_LEN    8U

struct mouth {
	int fds[2];    /* IPv4, IPv6; -1 */
	int splits[2]; /* how its packets may be split, as it was set last; -1: not yet */
	struct nl nl;
	bool is_open;
};

struct prober {
	struct lab *lab;
	struct mouth *mouths;
	size_t n;
	uint16_t id;
	int quiet_ms;
	bool lossy;
	/* the batch */
	struct ping *pings;
	size_t n_pings, waiting;
	uint8_t *packet; /* PACKET_MAX bytes */
};

/* opening */

static void take_answers_only(int fd4, int fd6)
{
	const struct icmp_filter v4 = { .data = ~(1U << ICMP_ECHOREPLY | 1U << ICMP_DEST_UNREACH |
						  1U << ICMP_TIME_EXCEEDED) };
	struct icmp6_filter v6;
	const int size = BUFFER_LEN, on = 1;

	(void)setsockopt(fd4, SOL_RAW, ICMP_FILTER, &v4, sizeof(v4));
	(void)setsockopt(fd4, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	if (fd6 < 0)
		return;
	memset(&v6, 0xff, sizeof(v6)); /* a bit set blocks */
	for (unsigned type = 1; type <= 3; type++)
		v6.data[0] &= ~(1U << type);
	v6.data[ICMPV6_ECHO_REPLY >> 5] &= ~(1U << (ICMPV6_ECHO_REPLY & 31));
	(void)setsockopt(fd6, SOL_ICMPV6, ICMPV6_FILTER, &v6, sizeof(v6));
	(void)setsockopt(fd6, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size));
	(void)setsockopt(fd6, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, &on, sizeof(on));
}

static int open_mouth(void *data, struct error *err)
{
	struct mouth *m = data;
	int r;

	m->fds[0] = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMP);
	if (m->fds[0] < 0)
		return error_sys(err, -errno, "open a socket for ICMP");
	m->fds[1] = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, IPPROTO_ICMPV6);
	take_answers_only(m->fds[0], m->fds[1]);
	r = nl_open(&m->nl, err);
	m->splits[0] = m->splits[1] = -1;
	m->is_open = r == 0;
	return r;
}

int prober_open(struct lab *lab, const bool *nodes, struct prober **ret, struct error *err)
{
	cleanup(prober_cleanup) struct prober *p = xnew(struct prober);
	const struct topology *t = lab->topology;

	p->lab = lab;
	p->n = t->n_nodes;
	p->id = (uint16_t)(getpid() ^ getpid() >> 16);
	p->quiet_ms = QUIET_MS + (int)lab_delay_ms(t);
	for (size_t i = 0; i < t->n_links; i++)
		p->lossy = p->lossy || t->links[i].impair.loss_ppm;
	p->packet = xcalloc(1, PACKET_MAX);
	p->mouths = xcalloc(p->n, sizeof(*p->mouths));
	for (size_t i = 0; i < p->n; i++)
		p->mouths[i].fds[0] = p->mouths[i].fds[1] = -1;
	for (size_t i = 0; i < p->n; i++) {
		int r = nodes && !nodes[i] ? 0 : lab_inside(lab, i, open_mouth, &p->mouths[i], err);

		if (r < 0)
			return r;
	}
	*ret = steal_ptr(&p);
	return 0;
}

void prober_close(struct prober *p)
{
	if (!p)
		return;
	for (size_t i = 0; i < p->n; i++) {
		if (p->mouths[i].is_open)
			nl_close(&p->mouths[i].nl);
		for (size_t k = 0; k < 2; k++)
			if (p->mouths[i].fds[k] >= 0)
				(void)close(p->mouths[i].fds[k]);
	}
	free(p->mouths);
	free(p->packet);
	free(p);
}

uint16_t prober_id(const struct prober *p)
{
	return p->id;
}

int prober_fd(const struct prober *p, size_t node, uint8_t family)
{
	return p->mouths[node].fds[family == AF_INET6];
}

/* neighbours */

struct forgetting {
	struct nl_req q;
	struct nl *nl;
	struct nlmsghdr **found;
	size_t n, room;
};

static int each_neighbour(const struct nlmsghdr *h, void *data)
{
	const struct ndmsg *nd = mnl_nlmsg_get_payload(h);
	struct forgetting *f = data;

	if (nd->ndm_state & (NUD_PERMANENT | NUD_NOARP))
		return MNL_CB_OK;
	/* NOLINTNEXTLINE(bugprone-sizeof-expression): a vector of pointers */
	VEC_GROW(f->found, f->n, f->room);
	f->found[f->n] = xmalloc(h->nlmsg_len);
	memcpy(f->found[f->n++], h, h->nlmsg_len);
	return MNL_CB_OK;
}

static void forget(struct nl *nl, uint8_t family)
{
	const struct ndmsg all = { .ndm_family = family };
	struct forgetting f = { .nl = nl };

	nl_req_init(&f.q, RTM_GETNEIGH, NLM_F_DUMP, &all, sizeof(all));
	ignore_result(nl_query(nl, &f.q, each_neighbour, &f));
	for (size_t i = 0; i < f.n; i++) {
		const struct ndmsg *nd = mnl_nlmsg_get_payload(f.found[i]);
		const struct nlattr *a;

		nl_req_init(&f.q, RTM_DELNEIGH, 0, nd, sizeof(*nd));
		mnl_attr_for_each (a, f.found[i], sizeof(*nd))
			if (mnl_attr_get_type(a) == NDA_DST)
				nl_put(&f.q, NDA_DST, mnl_attr_get_payload(a),
				       mnl_attr_get_payload_len(a));
		ignore_result(nl_call(nl, &f.q)); /* gone by itself is fine */
		free(f.found[i]);
	}
	free(f.found);
}

/* What routers said of shorter ways and smaller packets. */
static int forget_routes(void *data, struct error *err)
{
	(void)data;
	return file_put_at(AT_FDCWD, "/proc/sys/net/ipv4/route/flush", "1", err);
}

void prober_forget(struct prober *p, size_t node, uint8_t family)
{
	forget(&p->mouths[node].nl, family);
}

/* Everywhere: the answer takes a way of its own. */
void prober_forget_routes(struct prober *p)
{
	for (size_t i = 0; i < p->n; i++)
		ignore_result(lab_inside(p->lab, i, forget_routes, NULL, NULL));
}

/* What one of two knows of the other. */
struct known {
	const struct acquainted *a;
	size_t who;
};

static int compare_known(const void *x, const void *y)
{
	const struct known *a = x, *b = y;
	size_t m = a->a->node[a->who], n = b->a->node[b->who];

	return m != n ? (m < n ? -1 : 1) : ip_compare(&a->a->ip[!a->who], &b->a->ip[!b->who]);
}

static void put_neighbour(struct buf *to, const struct known *k, bool add)
{
	const struct acquainted *a = k->a;
	const struct ip *ip = &a->ip[!k->who];
	const struct ndmsg nd = { .ndm_family = ip->family,
				  .ndm_ifindex = a->index[k->who],
				  .ndm_state = NUD_STALE,
				  .ndm_flags = NTF_EXT_LEARNED };
	struct nl_req q;

	nl_req_init(&q, add ? RTM_NEWNEIGH : RTM_DELNEIGH, add ? NLM_F_CREATE | NLM_F_REPLACE : 0,
		    &nd, sizeof(nd));
	nl_put(&q, NDA_DST, ip->bytes, ip_len(ip));
	if (add)
		nl_put(&q, NDA_LLADDR, a->mac[!k->who], MAC_LEN);
	q.hdr->nlmsg_flags &= (uint16_t)~NLM_F_ACK;
	buf_add(to, q.hdr, NLMSG_ALIGN(q.hdr->nlmsg_len));
}

/* All that is for one node at once.  What the kernel refuses (it says so before this returns) ARP
 * finds out after all.
 */
static void tell(struct mouth *m, struct buf *text)
{
	int fd = mnl_socket_get_fd(m->nl.sock);
	char refusal[512];

	(void)mnl_socket_sendto(m->nl.sock, text->data, text->len);
	while (recv(fd, refusal, sizeof(refusal), MSG_DONTWAIT) > 0)
		;
	buf_reset(text);
}

static void acquaint_all(struct prober *p, const struct ping *pings, size_t n, bool add)
{
	autofree struct known *list = xcalloc(n * 2 + 1, sizeof(*list));
	struct buf text = BUF_INIT(TELL_MAX * 2);
	size_t known = 0;

	for (size_t i = 0; i < n * 2; i++)
		if (pings[i / 2].known && (!add || !pings[i / 2].answered))
			list[known++] = (struct known) { pings[i / 2].known, i % 2 };
	qsort(list, known, sizeof(*list), compare_known);
	for (size_t i = 0; i < known; i++) {
		size_t node = list[i].a->node[list[i].who];
		bool last = i + 1 == known || list[i + 1].a->node[list[i + 1].who] != node;

		if (i == 0 || compare_known(&list[i - 1], &list[i]) != 0)
			put_neighbour(&text, &list[i], add);
		if (last || text.len > TELL_MAX)
			tell(&p->mouths[node], &text);
	}
	buf_done(&text);
}

/* sending */

static size_t make_packet(struct prober *p, const struct ping *ping, const struct ping_how *how)
{
	bool v6 = ping->to.family == AF_INET6;
	size_t head = v6 ? HEAD6_LEN : HEAD4_LEN;
	size_t len = how && how->size > head + ECHO_LEN ? how->size - head : ECHO_LEN + 8;
	uint16_t seq = (uint16_t)(ping - p->pings), sum;

	len = MIN(len, (size_t)PACKET_MAX - head);
	memset(p->packet, 0, ECHO_LEN);
	p->packet[0] = v6 ? ICMPV6_ECHO_REQUEST : ICMP_ECHO;
	p->packet[4] = (uint8_t)(p->id >> 8);
	p->packet[5] = (uint8_t)p->id;
	p->packet[6] = (uint8_t)(seq >> 8);
	p->packet[7] = (uint8_t)seq;
	if (!v6) { /* the kernel does it for IPv6 */
		sum = inet_sum(p->packet, len, 0);
		p->packet[2] = (uint8_t)(sum >> 8);
		p->packet[3] = (uint8_t)sum;
	}
	return len;
}

static void set_splitting(struct mouth *m, bool v6, bool never)
{
	/* PROBE heeds the link's MTU alone, not what was heard on the way. */
	int discover = never ? IP_PMTUDISC_PROBE : IP_PMTUDISC_DONT, flag = never;

	if (m->splits[v6] == !never)
		return;
	m->splits[v6] = !never;
	if (v6)
		(void)setsockopt(m->fds[1], IPPROTO_IPV6, IPV6_DONTFRAG, &flag, sizeof(flag));
	else
		(void)setsockopt(m->fds[0], IPPROTO_IP, IP_MTU_DISCOVER, &discover,
				 sizeof(discover));
}

static void send_now(struct prober *p, struct ping *ping, const struct ping_how *how)
{
	bool v6 = ping->to.family == AF_INET6;
	int fd = p->mouths[ping->from].fds[v6];
	size_t len = make_packet(p, ping, how);
	struct sockaddr_in to4 = { .sin_family = AF_INET };
	struct sockaddr_in6 to6 = { .sin6_family = AF_INET6 };
	ssize_t n;

	ping->answered = false;
	ping->refused = 0;
	ping->complainer.family = 0;
	memcpy(&to4.sin_addr, ping->to.bytes, 4);
	memcpy(&to6.sin6_addr, ping->to.bytes, 16);
	set_splitting(&p->mouths[ping->from], v6, how && how->dont_fragment);
	ping->sent_ns = clock_now_ns();
	n = sendto(fd, p->packet, len, 0, v6 ? (const void *)&to6 : (const void *)&to4,
		   v6 ? sizeof(to6) : sizeof(to4));
	if (n < 0)
		ping->refused = errno == EAGAIN ? 0 : -errno;
}

/* hearing */

static void settle_one(struct prober *p)
{
	if (p->waiting)
		p->waiting--;
}

static struct ping *find(struct prober *p, size_t node, const uint8_t *echo)
{
	uint16_t id = (uint16_t)(echo[4] << 8 | echo[5]), seq = (uint16_t)(echo[6] << 8 | echo[7]);

	if (id != p->id || seq >= p->n_pings || p->pings[seq].from != node ||
	    p->pings[seq].answered)
		return NULL;
	return &p->pings[seq];
}

struct heard {
	bool v6;
	struct ip from;
	uint8_t ttl;
	const uint8_t *icmp;
	size_t len;
};

static void take_error(struct prober *p, size_t node, const struct heard *h)
{
	size_t head = ECHO_LEN + (h->v6 ? HEAD6_LEN : HEAD4_LEN);
	struct ping *ping;

	if (!h->v6 && h->len > ECHO_LEN)
		head = ECHO_LEN + (size_t)(h->icmp[ECHO_LEN] & 15) * 4;
	if (h->len < head + ECHO_LEN)
		return;
	ping = find(p, node, h->icmp + head);
	if (!ping || ip_is_set(&ping->complainer))
		return;
	ping->complainer = h->from;
	ping->icmp_type = h->icmp[0];
	ping->icmp_code = h->icmp[1];
	settle_one(p);
}

static void take_packet(struct prober *p, size_t node, const struct heard *h)
{
	struct ping *ping;

	if (h->len < ECHO_LEN)
		return;
	if (h->icmp[0] != (h->v6 ? ICMPV6_ECHO_REPLY : ICMP_ECHOREPLY)) {
		take_error(p, node, h);
		return;
	}
	ping = find(p, node, h->icmp);
	if (!ping)
		return;
	if (!ip_is_set(&ping->complainer) && ping->refused == 0)
		settle_one(p);
	ping->answered = true;
	ping->ttl = h->ttl;
	ping->rtt_ns = clock_now_ns() - ping->sent_ns;
}

static void hear(struct prober *p, size_t node, bool v6)
{
	int fd = p->mouths[node].fds[v6];
	uint8_t bytes[512];
	char control[64];

	for (;;) {
		struct sockaddr_in6 from;
		struct iovec io = { bytes, sizeof(bytes) };
		struct msghdr m = {
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &io,
			.msg_iovlen = 1,
			.msg_control = control,
			.msg_controllen = sizeof(control),
		};
		struct heard h = { .v6 = v6, .icmp = bytes };
		ssize_t n = recvmsg(fd, &m, 0);
		size_t head;

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			continue; /* an error that the kernel keeps for the socket: cleared by this
				   */
		if (n < 0)
			return;
		h.len = (size_t)n;
		if (v6) {
			const struct cmsghdr *c = CMSG_FIRSTHDR(&m);

			h.from.family = AF_INET6;
			memcpy(h.from.bytes, &from.sin6_addr, 16);
			h.ttl = c && c->cmsg_type == IPV6_HOPLIMIT ? *(const uint8_t *)CMSG_DATA(c)
								   : 0;
			take_packet(p, node, &h);
			continue;
		}
		head = (size_t)(bytes[0] & 15) * 4;
		if (h.len < MAX(head, (size_t)HEAD4_LEN))
			continue;
		h.from.family = AF_INET;
		memcpy(h.from.bytes, bytes + 12, 4);
		h.ttl = bytes[8];
		h.icmp += head;
		h.len -= head;
		take_packet(p, node, &h);
	}
}

void prober_send(struct prober *p, struct ping *ping, const struct ping_how *how)
{
	p->pings = ping;
	p->n_pings = 1;
	p->waiting = 1;
	send_now(p, ping, how);
}

void prober_receive(struct prober *p, struct ping *ping)
{
	hear(p, ping->from, ping->to.family == AF_INET6);
}

/* Until all have answered, or nothing moves any more. */
static void settle(struct prober *p)
{
	autofree struct pollfd *polls = xcalloc(p->n * 2, sizeof(*polls));
	int64_t end = clock_monotonic_ms() + GIVE_UP_MS;

	for (size_t i = 0; i < p->n * 2; i++)
		polls[i] = (struct pollfd) { .fd = p->mouths[i / 2].fds[i % 2], .events = POLLIN };
	while (p->waiting && clock_monotonic_ms() < end) {
		int n = poll(polls, p->n * 2, p->quiet_ms);

		if (n == 0 && network_is_idle() && poll(polls, p->n * 2, 0) == 0)
			return;
		for (size_t i = 0; n > 0 && i < p->n * 2; i++)
			if (polls[i].revents)
				hear(p, i / 2, i % 2);
	}
}

/* Nothing to be done with those that are answered. */
static bool all_answered(const struct ping *pings, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (!pings[i].answered)
			return false;
	return true;
}

static void run_batch(struct prober *p, struct ping *pings, size_t n, const struct ping_how *how)
{
	if (all_answered(pings, n))
		return;
	p->pings = pings;
	p->n_pings = n;
	p->waiting = 0;
	acquaint_all(p, pings, n, true);
	for (size_t i = 0; i < n; i++) {
		bool v6 = pings[i].to.family == AF_INET6;

		if (pings[i].answered)
			continue;
		p->waiting++;
		send_now(p, &pings[i], how);
		if (pings[i].refused < 0)
			p->waiting--;
		if (i % 16 == 15 || i + 1 == n || pings[i + 1].from != pings[i].from)
			hear(p, pings[i].from, v6);
	}
	if (p->waiting)
		settle(p);
	acquaint_all(p, pings, n, false);
}

/* Of pings whose neighbours know each other there may be many. */
static size_t batch_len(const struct ping *pings, size_t n)
{
	size_t len = 0;

	while (len < MIN(n, (size_t)KNOWN_MAX) && pings[len].known)
		len++;
	return MAX(len, MIN(n, (size_t)BATCH_MAX));
}

void prober_run(struct prober *p, struct ping *pings, size_t n, const struct ping_how *how)
{
	int first = p->quiet_ms;

	for (int tries = p->lossy ? TRIES_LOSSY : TRIES; tries > 0; tries--) {
		for (size_t i = 0, len = 0; i < n; i += len) {
			len = batch_len(pings + i, n - i);
			run_batch(p, pings + i, len, how);
		}
		p->quiet_ms = first * 2;
	}
	p->quiet_ms = first;
}
