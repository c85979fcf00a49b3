/* src/disk/machine/link.c */
#include "disk/machine/link.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <fcntl.h>
#include <net/if.h>
#include <net/route.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "disk/machine/dhcp.h"
#include "disk/machine/say.h"

#define SERVER_PORT 67
#define CLIENT_PORT 68
#define TRIES       4
#define FIRST_MS    1000 /* doubled with each try */
#define RETRY_S     60

static void set_name(struct ifreq *ifr, const char *name)
{
	memset(ifr, 0, sizeof(*ifr));
	memcpy(ifr->ifr_name, name, strnlen(name, sizeof(ifr->ifr_name) - 1));
}

static int set_up(int sock, const char *name)
{
	struct ifreq ifr;

	set_name(&ifr, name);
	if (ioctl(sock, SIOCGIFFLAGS, &ifr) < 0)
		return -1;
	ifr.ifr_flags |= IFF_UP;
	return ioctl(sock, SIOCSIFFLAGS, &ifr);
}

/* The first by name that is no loopback. */
static int find_link(char ret[IFNAMSIZ])
{
	DIR *dir = opendir("/sys/class/net");
	const struct dirent *item;

	ret[0] = '\0';
	while (dir && (item = readdir(dir))) {
		size_t n = strlen(item->d_name);

		if (item->d_name[0] == '.' || n >= IFNAMSIZ || strcmp(item->d_name, "lo") == 0 ||
		    strncmp(item->d_name, "sit", 3) == 0 || strncmp(item->d_name, "ip6", 3) == 0)
			continue;
		if (!ret[0] || strcmp(item->d_name, ret) < 0)
			memcpy(ret, item->d_name, n + 1);
	}
	if (dir)
		(void)closedir(dir);
	return ret[0] ? 0 : -1;
}

static int64_t now_ms(void)
{
	struct timespec ts;

	(void)clock_gettime(CLOCK_MONOTONIC, &ts);
	return (int64_t)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

static int open_socket(const char *name)
{
	const struct sockaddr_in here = { .sin_family = AF_INET, .sin_port = htons(CLIENT_PORT) };
	const int on = 1;
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (sock >= 0 &&
	    setsockopt(sock, SOL_SOCKET, SO_BINDTODEVICE, name, (socklen_t)strlen(name) + 1) == 0 &&
	    setsockopt(sock, SOL_SOCKET, SO_BROADCAST, &on, sizeof(on)) == 0 &&
	    bind(sock, (const struct sockaddr *)&here, sizeof(here)) == 0)
		return sock;
	if (sock >= 0)
		(void)close(sock);
	return -1;
}

struct exchange {
	int sock;
	uint32_t xid;
	unsigned char mac[6];
};

static void send_message(const struct exchange *x, enum dhcp_type type,
			 const struct dhcp_lease *lease)
{
	const struct sockaddr_in all = { .sin_family = AF_INET,
					 .sin_port = htons(SERVER_PORT),
					 .sin_addr.s_addr = INADDR_BROADCAST };
	unsigned char bytes[DHCP_MESSAGE_MAX];
	size_t len = dhcp_build(bytes, type, x->xid, x->mac, lease);

	(void)sendto(x->sock, bytes, len, 0, (const struct sockaddr *)&all, sizeof(all));
}

/* Until the deadline for one of a kind: 1 it came, 0 it did not, -1 the server says no. */
static int wait_for(const struct exchange *x, enum dhcp_type type, int64_t until,
		    struct dhcp_lease *lease)
{
	struct pollfd fd = { .fd = x->sock, .events = POLLIN };
	unsigned char bytes[DHCP_MESSAGE_MAX];
	struct dhcp_lease got;
	int64_t left;

	while ((left = until - now_ms()) > 0) {
		ssize_t n = poll(&fd, 1, (int)left) > 0
				    ? recv(x->sock, bytes, sizeof(bytes), MSG_DONTWAIT)
				    : -1;
		int kind = n > 0 ? dhcp_parse(bytes, (size_t)n, x->xid, x->mac, &got) : 0;

		if (kind == DHCP_NAK)
			return -1;
		if (kind == (int)type) {
			*lease = got;
			return 1;
		}
	}
	return 0;
}

static int ask(const struct exchange *x, enum dhcp_type type, enum dhcp_type answer,
	       struct dhcp_lease *lease)
{
	int64_t wait_ms = FIRST_MS;
	int r = 0;

	for (int i = 0; r == 0 && i < TRIES; i++, wait_ms *= 2) {
		send_message(x, type, lease);
		r = wait_for(x, answer, now_ms() + wait_ms, lease);
	}
	return r > 0 ? 0 : -1;
}

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

static void write_resolver(const struct dhcp_lease *lease)
{
	FILE *to = lease->ndns ? fopen("/etc/resolv.conf", "we") : NULL;
	char text[INET_ADDRSTRLEN];

	if (!to)
		return;
	if (lease->domain[0])
		(void)fprintf(to, "search %s\n", lease->domain);
	for (size_t i = 0; i < lease->ndns; i++)
		if (inet_ntop(AF_INET, &lease->dns[i], text, sizeof(text)))
			(void)fprintf(to, "nameserver %s\n", text);
	(void)fclose(to);
}

static uint32_t use(int sock, const char *name, const struct dhcp_lease *lease)
{
	char text[INET_ADDRSTRLEN];

	set_address(sock, SIOCSIFADDR, name, lease->address);
	if (lease->mask)
		set_address(sock, SIOCSIFNETMASK, name, lease->mask);
	if (lease->router)
		set_route(sock, lease->router);
	(void)mkdir("/etc", 0755);
	write_resolver(lease);
	if (inet_ntop(AF_INET, &lease->address, text, sizeof(text)))
		say("network: %s has %s", name, text);
	return lease->seconds / 2;
}

static uint32_t negotiate(const char *name)
{
	struct exchange x = { .sock = open_socket(name) };
	struct dhcp_lease lease = { .address = 0 };
	struct ifreq ifr;
	uint32_t seconds = RETRY_S;

	set_name(&ifr, name);
	if (x.sock < 0 || getrandom(&x.xid, sizeof(x.xid), GRND_NONBLOCK) < 0)
		x.xid = (uint32_t)now_ms();
	if (x.sock >= 0 && ioctl(x.sock, SIOCGIFHWADDR, &ifr) == 0) {
		memcpy(x.mac, ifr.ifr_hwaddr.sa_data, sizeof(x.mac));
		if (ask(&x, DHCP_DISCOVER, DHCP_OFFER, &lease) == 0 &&
		    ask(&x, DHCP_REQUEST, DHCP_ACK, &lease) == 0)
			seconds = use(x.sock, name, &lease);
		else
			say("network: no DHCP server answers on %s", name);
	}
	if (x.sock >= 0)
		(void)close(x.sock);
	return seconds;
}

uint32_t link_renew(void)
{
	char name[IFNAMSIZ];

	return find_link(name) < 0 ? 0 : negotiate(name);
}

uint32_t link_start(void)
{
	int sock = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	char name[IFNAMSIZ];
	int found = find_link(name);

	if (sock < 0)
		return 0;
	(void)set_up(sock, "lo");
	if (found == 0)
		found = set_up(sock, name);
	(void)close(sock);
	return found < 0 ? 0 : negotiate(name);
}
