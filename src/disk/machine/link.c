/* src/disk/machine/link.c */
#include "disk/machine/link.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <net/route.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "disk/machine/clock.h"
#include "disk/machine/say.h"

#define SERVER_PORT  67
#define CLIENT_PORT  68
#define FIRST_MS     500 /* doubled with each try, up to the next */
#define LONGEST_MS   32000
#define PATIENCE_MS  8000 /* of a machine's start, for an address */
#define CABLE_MS     5000 /* a card talks to its switch for seconds */
#define CANDIDATES   16
#define RESOLV_CONF  "/etc/resolv.conf"
#define ARPHRD_ETHER 1

/* linux/netlink.h, rtnetlink.h: musl's headers have none of it. */
#define NETLINK_ROUTE       0
#define GROUP_ND_USEROPT    (1U << 19)
#define NETLINK_HEAD        16
#define USEROPT_HEAD        16
#define USEROPT_LEN_AT      (NETLINK_HEAD + 2)
#define NETLINK_MESSAGE_MAX 8192

struct netlink_address {
	sa_family_t family;
	unsigned short pad;
	uint32_t pid, groups;
};

/* linux/ipv6.h */
struct in6_change {
	struct in6_addr address;
	uint32_t prefix_len;
	int index;
};

static void set_name(struct ifreq *ifr, const char *name)
{
	memset(ifr, 0, sizeof(*ifr));
	memcpy(ifr->ifr_name, name, strnlen(name, sizeof(ifr->ifr_name) - 1));
}

static int set_up(int sock, const char *name, bool up)
{
	struct ifreq ifr;

	set_name(&ifr, name);
	if (ioctl(sock, SIOCGIFFLAGS, &ifr) < 0)
		return -1;
	if (up)
		ifr.ifr_flags |= IFF_UP;
	else
		ifr.ifr_flags &= (short)~IFF_UP;
	return ioctl(sock, SIOCSIFFLAGS, &ifr);
}

/* which link */

struct candidate {
	char name[IFNAMSIZ];
	long index;
};

static long number_in(const char *name, const char *file)
{
	char path[64 + IFNAMSIZ], text[24];
	int fd;
	ssize_t n;

	(void)snprintf(path, sizeof(path), "/sys/class/net/%s/%s", name, file);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	n = fd < 0 ? -1 : read(fd, text, sizeof(text) - 1);
	if (fd >= 0)
		(void)close(fd);
	if (n <= 0)
		return -1;
	text[n] = '\0';
	return strtol(text, NULL, 10);
}

static int by_index(const void *a, const void *b)
{
	const struct candidate *left = a, *right = b;

	return left->index < right->index ? -1 : left->index > right->index;
}

/* Ethernet, with hardware or a peer behind it, in the order in which the kernel found them. */
static size_t find_candidates(struct candidate list[CANDIDATES])
{
	DIR *dir = opendir("/sys/class/net");
	const struct dirent *item;
	size_t n = 0;

	while (dir && n < CANDIDATES && (item = readdir(dir))) {
		size_t len = strlen(item->d_name);

		if (item->d_name[0] == '.' || len >= IFNAMSIZ || strcmp(item->d_name, "lo") == 0 ||
		    number_in(item->d_name, "type") != ARPHRD_ETHER)
			continue;
		memcpy(list[n].name, item->d_name, len + 1);
		list[n].index = number_in(item->d_name, "ifindex");
		n++;
	}
	if (dir)
		(void)closedir(dir);
	qsort(list, n, sizeof(list[0]), by_index);
	return n;
}

/* A change of any link wakes it up: which one, the files say. */
static const struct candidate *first_with_cable(const struct candidate *list, size_t n, int events,
						int64_t until)
{
	char bytes[NETLINK_MESSAGE_MAX];
	struct pollfd fd = { .fd = events, .events = POLLIN };

	for (;;) {
		int64_t left = until - now_ms();

		for (size_t i = 0; i < n; i++)
			if (number_in(list[i].name, "carrier") == 1)
				return &list[i];
		if (left <= 0 || poll(&fd, 1, (int)left) <= 0)
			return NULL;
		(void)!read(events, bytes, sizeof(bytes));
	}
}

static int netlink_open(uint32_t groups)
{
	const struct netlink_address here = { .family = AF_NETLINK, .groups = groups };
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC | SOCK_NONBLOCK, NETLINK_ROUTE);

	if (fd >= 0 && bind(fd, (const struct sockaddr *)&here, sizeof(here)) < 0) {
		(void)close(fd);
		fd = -1;
	}
	return fd;
}

static bool choose(struct link *l, int sock)
{
	struct candidate list[CANDIDATES];
	size_t n = find_candidates(list);
	int events = netlink_open(1 /* RTMGRP_LINK */);
	const struct candidate *chosen = NULL;

	for (size_t i = 0; i < n; i++)
		if (*l->name ? strcmp(list[i].name, l->name) == 0 : n == 1)
			chosen = &list[i];
	if (!chosen && !*l->name) {
		for (size_t i = 0; i < n; i++)
			(void)set_up(sock, list[i].name, true);
		chosen = first_with_cable(list, n, events, now_ms() + CABLE_MS);
		chosen = chosen ? chosen : n ? &list[0] : NULL;
		for (size_t i = 0; i < n; i++)
			if (&list[i] != chosen)
				(void)set_up(sock, list[i].name, false);
	}
	if (events >= 0)
		(void)close(events);
	if (chosen)
		memcpy(l->name, chosen->name, sizeof(l->name));
	else
		say("network: there is no %s", *l->name ? l->name : "card");
	return chosen && set_up(sock, l->name, true) == 0;
}

/* addresses */

static void set_address(int sock, unsigned long request, const char *name, uint32_t address)
{
	struct sockaddr_in in = { .sin_family = AF_INET, .sin_addr.s_addr = address };
	struct ifreq ifr;

	set_name(&ifr, name);
	memcpy(&ifr.ifr_addr, &in, sizeof(in));
	if (ioctl(sock, (int)request, &ifr) < 0)
		say("network: an address could not be set");
}

static void set_route(int sock, uint32_t router)
{
	const struct sockaddr_in any = { .sin_family = AF_INET };
	const struct sockaddr_in via = { .sin_family = AF_INET, .sin_addr.s_addr = router };
	struct rtentry route = { .rt_flags = RTF_UP | RTF_GATEWAY };

	memcpy(&route.rt_dst, &any, sizeof(any));
	memcpy(&route.rt_genmask, &any, sizeof(any));
	memcpy(&route.rt_gateway, &via, sizeof(via));
	(void)ioctl(sock, SIOCADDRT, &route); /* EEXIST: renewed */
}

static uint32_t mask_of(unsigned prefix_len)
{
	return prefix_len ? htonl(UINT32_MAX << (32 - prefix_len)) : 0;
}

static int index_of(const char *name)
{
	return (int)number_in(name, "ifindex");
}

static void put_static6(const char *name, const char *text, unsigned prefix_len)
{
	int sock = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct in6_change change = { .prefix_len = prefix_len, .index = index_of(name) };

	if (inet_pton(AF_INET6, text, &change.address) != 1 || sock < 0 ||
	    ioctl(sock, SIOCSIFADDR, &change) < 0)
		say("network: %s could not be set", text);
	if (sock >= 0)
		(void)close(sock);
}

static void put_gateway6(const char *name, const char *text)
{
	struct in6_rtmsg {
		struct in6_addr dst, src, gateway;
		uint32_t type;
		uint16_t dst_len, src_len;
		uint32_t metric;
		unsigned long info;
		uint32_t flags;
		int index;
	} route = { .metric = 1, .flags = RTF_UP | RTF_GATEWAY, .index = index_of(name) };
	int sock = socket(AF_INET6, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (inet_pton(AF_INET6, text, &route.gateway) != 1 || sock < 0 ||
	    ioctl(sock, SIOCADDRT, &route) < 0)
		say("network: no route by %s", text);
	if (sock >= 0)
		(void)close(sock);
}

/* A second IPv4 address has a name of its own for the kernel: "eth0:1". */
static void put_static(struct link *l, int sock)
{
	unsigned four = 0;

	for (size_t i = 0; i < l->naddresses; i++) {
		char text[INET6_ADDRSTRLEN + 4], name[IFNAMSIZ + 4];
		char *slash;
		struct in_addr in;
		unsigned len;

		(void)snprintf(text, sizeof(text), "%s", l->addresses[i]);
		slash = strchr(text, '/');
		len = slash ? (unsigned)strtoul(slash + 1, NULL, 10) : 0;
		if (slash)
			*slash = '\0';
		if (inet_pton(AF_INET, text, &in) != 1) {
			put_static6(l->name, text, len);
			continue;
		}
		(void)snprintf(name, sizeof(name), four ? "%s:%u" : "%s", l->name, four);
		four++;
		set_address(sock, SIOCSIFADDR, name, in.s_addr);
		set_address(sock, SIOCSIFNETMASK, name, mask_of(len));
	}
	for (size_t i = 0; i < l->ngateways; i++) {
		struct in_addr in;

		if (inet_pton(AF_INET, l->gateways[i], &in) == 1)
			set_route(sock, in.s_addr);
		else
			put_gateway6(l->name, l->gateways[i]);
	}
}

/* the lease */

static void close_socket(struct link *l)
{
	if (l->sock >= 0)
		(void)close(l->sock);
	l->sock = -1;
}

static void open_socket(struct link *l)
{
	const struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(CLIENT_PORT) };
	const int on = 1;

	close_socket(l);
	l->sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (l->sock >= 0 && (setsockopt(l->sock, SOL_SOCKET, SO_BINDTODEVICE, l->name,
					(socklen_t)strlen(l->name) + 1) < 0 ||
			     setsockopt(l->sock, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) < 0 ||
			     bind(l->sock, (const struct sockaddr *)&here, sizeof(here)) < 0))
		close_socket(l);
}

static void send_message(struct link *l, enum dhcp_type type, uint32_t to)
{
	const struct sockaddr_in server = { .sin_family = AF_INET,
					    .sin_port = htons(SERVER_PORT),
					    .sin_addr.s_addr = to };
	unsigned char bytes[DHCP_MESSAGE_MAX];
	size_t len = dhcp_build(bytes, type, l->xid, l->mac, &l->lease);

	if (l->sock >= 0)
		(void)sendto(l->sock, bytes, len, 0, (const struct sockaddr *)&server,
			     sizeof(server));
}

static void next_try(struct link *l)
{
	unsigned shift = l->tries < 6 ? l->tries : 6;
	int64_t wait_ms = (int64_t)FIRST_MS << shift;

	l->tries++;
	l->next_ms = now_ms() + (wait_ms < LONGEST_MS ? wait_ms : LONGEST_MS);
}

static void ask(struct link *l, enum link_state state)
{
	if (l->state != state)
		l->tries = 0;
	l->state = state;
	if (l->sock < 0)
		open_socket(l);
	send_message(l, state == LINK_SELECTING ? DHCP_DISCOVER : DHCP_REQUEST, INADDR_BROADCAST);
	next_try(l);
}

static void select_server(struct link *l)
{
	if (getrandom(&l->xid, sizeof(l->xid), GRND_NONBLOCK) < 0)
		l->xid = (uint32_t)now_ms();
	ask(l, LINK_SELECTING);
}

/* The address is in use from here on, the socket is not until it has to be renewed. */
static void use(struct link *l)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	bool known = l->state == LINK_RENEWING;
	char text[INET_ADDRSTRLEN];

	set_address(sock, SIOCSIFADDR, l->name, l->lease.address);
	if (l->lease.mask)
		set_address(sock, SIOCSIFNETMASK, l->name, l->lease.mask);
	if (l->lease.router)
		set_route(sock, l->lease.router);
	(void)close(sock);
	resolver_clear(&l->resolver, FROM_DHCP);
	memcpy(l->resolver.domain, l->lease.domain, sizeof(l->resolver.domain));
	for (size_t i = 0; i < l->lease.ndns; i++)
		resolver_add(&l->resolver, FROM_DHCP, AF_INET, &l->lease.dns[i]);
	resolver_write(&l->resolver, RESOLV_CONF);
	l->state = LINK_BOUND;
	l->bound_ms = now_ms();
	l->next_ms = l->lease.seconds ? l->bound_ms + (int64_t)l->lease.renew * 1000 : -1;
	close_socket(l);
	if (inet_ntop(AF_INET, &l->lease.address, text, sizeof(text)))
		say("network: %s %s %s", l->name, known ? "keeps" : "has", text);
}

static void lose(struct link *l)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	say("network: the address of %s has run out", l->name);
	set_address(sock, SIOCSIFADDR, l->name, INADDR_ANY);
	(void)close(sock);
	close_socket(l);
	select_server(l);
}

/* Its server first; when that has been silent for long, anyone. */
static void renew(struct link *l)
{
	int64_t age_ms = now_ms() - l->bound_ms, end_ms = (int64_t)l->lease.seconds * 1000;
	bool any = age_ms >= (int64_t)l->lease.rebind * 1000;

	if (age_ms >= end_ms) {
		lose(l);
		return;
	}
	if (l->state != LINK_RENEWING)
		l->tries = 0;
	l->state = LINK_RENEWING;
	if (l->sock < 0)
		open_socket(l);
	send_message(l, DHCP_RENEW, any ? INADDR_BROADCAST : l->lease.server);
	next_try(l);
	if (l->next_ms > l->bound_ms + end_ms)
		l->next_ms = l->bound_ms + end_ms;
}

void link_tick(struct link *l)
{
	if (link_wait_ms(l) != 0)
		return;
	switch (l->state) {
	case LINK_OFF:
		break;
	case LINK_SELECTING:
		ask(l, LINK_SELECTING);
		break;
	case LINK_REQUESTING:
		if (l->tries > 3)
			select_server(l);
		else
			ask(l, LINK_REQUESTING);
		break;
	case LINK_BOUND:
	case LINK_RENEWING:
		renew(l);
		break;
	}
}

int link_wait_ms(const struct link *l)
{
	int64_t left = l->next_ms - now_ms();

	if (l->state == LINK_OFF || l->next_ms < 0)
		return -1;
	return left < 0 ? 0 : left > INT32_MAX ? INT32_MAX : (int)left;
}

void link_hear_server(struct link *l)
{
	unsigned char bytes[DHCP_MESSAGE_MAX];
	ssize_t n = recv(l->sock, bytes, sizeof(bytes), MSG_DONTWAIT);
	struct dhcp_lease got;
	int kind = n > 0 ? dhcp_parse(bytes, (size_t)n, l->xid, l->mac, &got) : 0;

	if (l->state == LINK_SELECTING && kind == DHCP_OFFER) {
		l->lease = got;
		ask(l, LINK_REQUESTING);
	} else if ((l->state == LINK_REQUESTING || l->state == LINK_RENEWING) && kind == DHCP_ACK) {
		if (!got.server)
			got.server = l->lease.server;
		l->lease = got;
		use(l);
	} else if (l->state == LINK_RENEWING && kind == DHCP_NAK) {
		lose(l);
	} else if (l->state == LINK_REQUESTING && kind == DHCP_NAK) {
		select_server(l);
	}
}

void link_hear_router(struct link *l)
{
	unsigned char bytes[NETLINK_MESSAGE_MAX];
	ssize_t n = recv(l->router, bytes, sizeof(bytes), MSG_DONTWAIT);
	uint16_t len;

	if (n < NETLINK_HEAD + USEROPT_HEAD)
		return;
	memcpy(&len, bytes + USEROPT_LEN_AT, sizeof(len));
	if (len > n - NETLINK_HEAD - USEROPT_HEAD)
		return;
	resolver_read_router(&l->resolver, bytes + NETLINK_HEAD + USEROPT_HEAD, len);
	resolver_write(&l->resolver, RESOLV_CONF);
}

/* its start */

static void wait_for_lease(struct link *l)
{
	int64_t until = now_ms() + PATIENCE_MS;

	while (l->state != LINK_BOUND) {
		struct pollfd fds[] = { { .fd = l->sock, .events = POLLIN },
					{ .fd = l->router, .events = POLLIN } };
		int64_t left = until - now_ms(), next = link_wait_ms(l);

		if (left <= 0) {
			say("network: no DHCP server answers on %s so far", l->name);
			return;
		}
		(void)poll(fds, 2, (int)(next >= 0 && next < left ? next : left));
		if (fds[0].revents)
			link_hear_server(l);
		if (fds[1].revents)
			link_hear_router(l);
		link_tick(l);
	}
}

void link_start(struct link *l)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	struct ifreq ifr;

	l->sock = l->router = -1;
	l->state = LINK_OFF;
	if (sock < 0)
		return;
	(void)set_up(sock, "lo", true);
	if (!l->dhcp && l->naddresses == 0) {
		(void)close(sock);
		return;
	}
	(void)mkdir("/etc", 0755);
	l->router = netlink_open(GROUP_ND_USEROPT);
	if (choose(l, sock)) {
		put_static(l, sock);
		set_name(&ifr, l->name);
		if (l->dhcp && ioctl(sock, SIOCGIFHWADDR, &ifr) == 0) {
			memcpy(l->mac, ifr.ifr_hwaddr.sa_data, sizeof(l->mac));
			select_server(l);
		}
	}
	(void)close(sock);
	resolver_write(&l->resolver, RESOLV_CONF);
	if (l->state != LINK_OFF)
		wait_for_lease(l);
}
