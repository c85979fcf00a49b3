/* src/why/probe.c */
#include "why/probe.h"

#include <arpa/inet.h>
#include <netinet/icmp6.h>
#include <netinet/in.h>
#include <linux/icmp.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>

#include "why/inside.h"

#define PAYLOAD_MAX 65000

static bool is_icmp(const struct probe_plan *plan)
{
	return plan->protocol == IPPROTO_ICMP || plan->protocol == IPPROTO_ICMPV6;
}

static socklen_t address_of(const struct ip *ip, uint16_t port, struct sockaddr_storage *ret)
{
	struct sockaddr_in6 *v6 = (struct sockaddr_in6 *)ret;
	struct sockaddr_in *v4 = (struct sockaddr_in *)ret;

	memset(ret, 0, sizeof(*ret));
	if (ip->family == AF_INET6) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(port);
		memcpy(&v6->sin6_addr, ip->bytes, 16);
		return sizeof(*v6);
	}
	v4->sin_family = AF_INET;
	v4->sin_port = htons(port);
	memcpy(&v4->sin_addr, ip->bytes, 4);
	return sizeof(*v4);
}

/* Our own port must be known before the first packet goes. */
static int take_port(struct probe *p, struct error *err)
{
	const struct probe_plan *plan = p->plan;
	struct ip any = { .family = plan->to.family };
	struct sockaddr_storage at;
	socklen_t len = address_of(ip_is_set(&plan->from) ? &plan->from : &any, 0, &at);

	if (bind(p->fd, (const struct sockaddr *)&at, len) < 0)
		return error_sys(err, -errno, "send from that address");
	if (is_icmp(plan)) {
		p->id = (uint16_t)(0x4000 | ((unsigned)getpid() & 0x3fff));
		return 0;
	}
	len = sizeof(at);
	if (getsockname(p->fd, (struct sockaddr *)&at, &len) < 0)
		return error_sys(err, -errno, "ask for our own port");
	p->id = ntohs(at.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&at)->sin6_port
					       : ((struct sockaddr_in *)&at)->sin_port);
	return 0;
}

static int open_here(void *data, struct error *err)
{
	struct probe *p = data;
	const struct probe_plan *plan = p->plan;
	bool v6 = plan->to.family == AF_INET6;
	const int on = 1, whole = IP_PMTUDISC_DO;
	int type = is_icmp(plan)                   ? SOCK_RAW
		   : plan->protocol == IPPROTO_TCP ? SOCK_STREAM
						   : SOCK_DGRAM;

	p->fd = socket(plan->to.family, type | SOCK_CLOEXEC | SOCK_NONBLOCK, plan->protocol);
	if (p->fd < 0)
		return error_sys(err, -errno, "open a socket for the probe");
	(void)setsockopt(p->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP, v6 ? IPV6_RECVERR : IP_RECVERR, &on,
			 sizeof(on));
	if (plan->size > 0 && !v6)
		(void)setsockopt(p->fd, IPPROTO_IP, IP_MTU_DISCOVER, &whole, sizeof(whole));
	if (plan->ttl > 0) {
		const int ttl = plan->ttl;

		(void)setsockopt(p->fd, v6 ? IPPROTO_IPV6 : IPPROTO_IP,
				 v6 ? IPV6_UNICAST_HOPS : IP_TTL, &ttl, sizeof(ttl));
	}
	return take_port(p, err);
}

int probe_open(int netns_fd, const struct probe_plan *plan, struct probe *ret, struct error *err)
{
	struct probe p = { .plan = plan, .fd = -1 };
	int r = inside(netns_fd, open_here, &p, err);

	if (r < 0) {
		probe_close(&p);
		return r;
	}
	*ret = p;
	return 0;
}

void probe_close(struct probe *p)
{
	if (p->fd >= 0)
		(void)close(p->fd);
	p->fd = -1;
}

static uint16_t checksum(const uint8_t *bytes, size_t len)
{
	uint32_t sum = 0;

	for (size_t i = 0; i < len; i++)
		sum += (uint32_t)bytes[i] << (i & 1 ? 0 : 8);
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t)~sum;
}

static size_t build_echo(const struct probe *p, uint8_t *bytes)
{
	bool v6 = p->plan->protocol == IPPROTO_ICMPV6;
	size_t header = sizeof(struct icmphdr), ip = v6 ? 40 : 20;
	size_t len =
		MAX(header, p->plan->size > ip ? MIN(p->plan->size - ip, (size_t)PAYLOAD_MAX) : 0);
	uint16_t sum;

	memset(bytes, 0, len);
	bytes[0] = v6 ? ICMP6_ECHO_REQUEST : ICMP_ECHO;
	bytes[4] = (uint8_t)(p->id >> 8);
	bytes[5] = (uint8_t)p->id;
	bytes[7] = (uint8_t)(p->sent + 1);
	sum = v6 ? 0 : checksum(bytes, len); /* of ICMPv6 the kernel makes it */
	bytes[2] = (uint8_t)(sum >> 8);
	bytes[3] = (uint8_t)sum;
	return len;
}

static void end(struct probe *p, int error)
{
	if (p->end != PROBE_PENDING)
		return;
	p->end = error == ECONNREFUSED ? PROBE_REFUSED : PROBE_UNREACHABLE;
	p->error = error;
}

void probe_send(struct probe *p)
{
	static uint8_t bytes[PAYLOAD_MAX];
	const struct probe_plan *plan = p->plan;
	struct sockaddr_storage to;
	socklen_t len = address_of(&plan->to, is_icmp(plan) ? 0 : plan->port, &to);
	size_t n;

	p->end = PROBE_PENDING;
	/* A raw socket that is not connected hears of errors about everybody's pings. */
	if (connect(p->fd, (const struct sockaddr *)&to, len) < 0 && errno != EINPROGRESS)
		end(p, errno);
	if (is_icmp(plan))
		n = build_echo(p, bytes);
	else
		n = plan->size > 28 ? MIN(plan->size - 28, (unsigned)PAYLOAD_MAX) : 1;
	if (plan->protocol != IPPROTO_TCP && p->end == PROBE_PENDING &&
	    send(p->fd, bytes, n, 0) < 0)
		end(p, errno);
	p->sent++;
}

short probe_events(const struct probe *p)
{
	return p->plan->protocol == IPPROTO_TCP ? POLLOUT : POLLIN;
}

static int pending_error(const struct probe *p)
{
	int error = 0;
	socklen_t len = sizeof(error);

	return getsockopt(p->fd, SOL_SOCKET, SO_ERROR, &error, &len) < 0 ? errno : error;
}

/* A raw socket hears of every echo reply here. */
static bool is_ours(const struct probe *p, const uint8_t *bytes, size_t len)
{
	size_t ip = p->plan->protocol == IPPROTO_ICMP && len > 0 ? (bytes[0] & 15U) * 4 : 0;

	if (len < ip + 8 || bytes[ip] != (ip ? ICMP_ECHOREPLY : ICMP6_ECHO_REPLY))
		return false;
	return (bytes[ip + 4] << 8 | bytes[ip + 5]) == p->id && bytes[ip + 7] == (uint8_t)p->sent;
}

void probe_listen(struct probe *p)
{
	uint8_t bytes[2048];
	struct pollfd fd = { .fd = p->fd, .events = probe_events(p) };
	int error;
	ssize_t n;

	if (p->end != PROBE_PENDING || poll(&fd, 1, 0) <= 0)
		return;
	error = pending_error(p);
	if (error != 0) {
		end(p, error);
		return;
	}
	if (p->plan->protocol == IPPROTO_TCP) {
		p->end = PROBE_ANSWERED;
		return;
	}
	do {
		n = recv(p->fd, bytes, sizeof(bytes), MSG_DONTWAIT);
		if (n >= 0 && (p->plan->protocol == IPPROTO_UDP || is_ours(p, bytes, (size_t)n)))
			p->end = PROBE_ANSWERED;
	} while (n >= 0 && p->end == PROBE_PENDING);
	if (n < 0 && errno != EAGAIN)
		end(p, errno);
}
