/* tests/differential/send.c */
#include "send.h"

#include <arpa/inet.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <netinet/in.h>
#include <netinet/icmp6.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <netinet/ip_icmp.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <netpacket/packet.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "why/inside.h"

#define PAYLOAD 8

static int open_ports(void *data, struct error *err)
{
	struct sender *s = data;

	for (unsigned i = 0; i < 2; i++) {
		const char *name = i == 0 ? "p0" : "p1";

		s->ports[i] = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0);
		s->peers[i] = (int)if_nametoindex(name);
		if (s->ports[i] < 0 || s->peers[i] == 0)
			return error_sys(err, -errno, "open %s", name);
	}
	return 0;
}

static int read_mac(int fd, const char *name, uint8_t ret[6], struct error *err)
{
	struct ifreq request = { 0 };

	(void)snprintf(request.ifr_name, sizeof(request.ifr_name), "%s", name);
	if (ioctl(fd, SIOCGIFHWADDR, &request) < 0)
		return error_sys(err, -errno, "read the address of %s", name);
	memcpy(ret, request.ifr_hwaddr.sa_data, 6);
	return 0;
}

int sender_open(int netns_fd, struct sender *ret, struct error *err)
{
	int r = inside(netns_fd, open_ports, ret, err);

	if (r < 0)
		return r;
	ret->raw = socket(AF_INET, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	ret->raw6 = socket(AF_INET6, SOCK_RAW | SOCK_CLOEXEC, IPPROTO_RAW);
	if (ret->raw < 0 || ret->raw6 < 0)
		return error_sys(err, -errno, "open a raw socket");
	r = read_mac(ret->raw, "eth0", ret->macs[0], err);
	return r < 0 ? r : read_mac(ret->raw, "eth1", ret->macs[1], err);
}

u128 sample_address(bool v6, uint32_t address)
{
	if (!v6)
		return address;
	return (u128)(0xfd00 | (address >> 16 & 0xff)) << 112 | (address & 0xff);
}

static struct in6_addr in6_of(uint32_t address)
{
	u128 value = sample_address(true, address);
	struct in6_addr ret;

	for (size_t i = 0; i < 16; i++)
		ret.s6_addr[i] = (uint8_t)(value >> (120 - 8 * i));
	return ret;
}

static uint32_t sum(const void *data, size_t len, uint32_t acc)
{
	const uint8_t *b = data;

	for (size_t i = 0; i + 1 < len; i += 2)
		acc += (uint32_t)b[i] << 8 | b[i + 1];
	if (len & 1)
		acc += (uint32_t)b[len - 1] << 8;
	return acc;
}

static uint16_t fold(uint32_t acc)
{
	while (acc >> 16)
		acc = (acc & 0xffff) + (acc >> 16);
	return htons((uint16_t)~acc);
}

static size_t transport_len(const struct sample *s)
{
	return s->protocol == IPPROTO_TCP   ? sizeof(struct tcphdr)
	       : s->protocol == IPPROTO_UDP ? sizeof(struct udphdr) + PAYLOAD
					    : sizeof(struct icmphdr) + PAYLOAD;
}

static void put_transport(const struct sample *s, uint8_t *at, uint32_t pseudo)
{
	size_t len = transport_len(s);

	if (s->protocol == IPPROTO_TCP) {
		struct tcphdr tcp = { .source = htons(s->sport),
				      .dest = htons(s->dport),
				      .seq = htonl(1000),
				      .doff = 5,
				      .window = htons(1024) };

		memcpy(at, &tcp, sizeof(tcp));
		at[13] = s->flags;
		tcp.check = fold(sum(at, len, pseudo));
		memcpy(at + offsetof(struct tcphdr, check), &tcp.check, 2);
	} else if (s->protocol == IPPROTO_UDP) {
		struct udphdr udp = { .source = htons(s->sport),
				      .dest = htons(s->dport),
				      .len = htons((uint16_t)len) };

		memcpy(at, &udp, sizeof(udp));
		udp.check = fold(sum(at, len, pseudo));
		memcpy(at + offsetof(struct udphdr, check), &udp.check, 2);
	} else {
		struct icmphdr icmp = { .type = ICMP_ECHO };

		if (s->v6)
			icmp.type = ICMP6_ECHO_REQUEST;
		icmp.un.echo.id = htons(s->sport);
		memcpy(at, &icmp, sizeof(icmp));
		icmp.checksum = fold(sum(at, len, s->v6 ? pseudo : 0));
		memcpy(at + offsetof(struct icmphdr, checksum), &icmp.checksum, 2);
	}
}

static uint8_t protocol_of(const struct sample *s)
{
	return s->v6 && s->protocol == IPPROTO_ICMP ? IPPROTO_ICMPV6 : s->protocol;
}

static size_t put_ip(const struct sample *s, size_t transport, uint8_t *packet,
		     uint32_t *ret_pseudo)
{
	size_t len = sizeof(struct iphdr) + transport;
	struct iphdr ip = { .version = 4,
			    .ihl = 5,
			    .ttl = 64,
			    .protocol = s->protocol,
			    .tot_len = htons((uint16_t)len),
			    .saddr = htonl(s->saddr),
			    .daddr = htonl(s->daddr),
			    .id = htons(s->sport) };

	ip.check = fold(sum(&ip, sizeof(ip), 0));
	memcpy(packet, &ip, sizeof(ip));
	*ret_pseudo = sum(packet + offsetof(struct iphdr, saddr), 8, 0);
	return sizeof(ip);
}

static size_t put_ip6(const struct sample *s, size_t transport, uint8_t *packet,
		      uint32_t *ret_pseudo)
{
	struct ip6_hdr ip = { .ip6_src = in6_of(s->saddr), .ip6_dst = in6_of(s->daddr) };

	ip.ip6_flow = htonl(6U << 28);
	ip.ip6_plen = htons((uint16_t)transport);
	ip.ip6_nxt = protocol_of(s);
	ip.ip6_hlim = 64;
	memcpy(packet, &ip, sizeof(ip));
	*ret_pseudo = sum(packet + offsetof(struct ip6_hdr, ip6_src), 32, 0);
	return sizeof(ip);
}

static size_t build(const struct sample *s, uint8_t *packet)
{
	size_t transport = transport_len(s), head;
	uint32_t pseudo;

	memset(packet, 0, sizeof(struct ip6_hdr) + transport);
	head = s->v6 ? put_ip6(s, transport, packet, &pseudo)
		     : put_ip(s, transport, packet, &pseudo);
	put_transport(s, packet + head, pseudo + protocol_of(s) + (uint32_t)transport);
	return head + transport;
}

/* A refusal by the rules is what is tested. */
static int send_here(const struct sender *s, const struct sample *sample, const uint8_t *packet,
		     size_t len)
{
	const struct sockaddr_in to = { .sin_family = AF_INET,
					.sin_addr.s_addr = htonl(sample->daddr) };
	const struct sockaddr_in6 to6 = { .sin6_family = AF_INET6,
					  .sin6_addr = in6_of(sample->daddr) };
	ssize_t n = sample->v6 ? sendto(s->raw6, packet, len, 0, (const void *)&to6, sizeof(to6))
			       : sendto(s->raw, packet, len, 0, (const void *)&to, sizeof(to));

	if (n < 0 && errno != EPERM && errno != ENETUNREACH && errno != EHOSTUNREACH &&
	    errno != EINVAL && errno != EACCES)
		return -errno;
	return 0;
}

int sender_send(const struct sender *s, const struct sample *sample, struct error *err)
{
	uint8_t frame[256];
	size_t len = build(sample, frame + ETHER_HDR_LEN);
	unsigned port = sample->origin == FROM_P1;
	const struct sockaddr_ll by = { .sll_family = AF_PACKET, .sll_ifindex = s->peers[port] };
	const uint8_t sender[6] = { 2, 0, 0, 0, 0, 9 };

	if (sample->origin == FROM_HERE) {
		int r = send_here(s, sample, frame + ETHER_HDR_LEN, len);

		return r < 0 ? error_sys(err, r, "send a packet from here") : 0;
	}
	memcpy(frame, s->macs[port], 6);
	memcpy(frame + 6, sender, 6);
	frame[12] = sample->v6 ? 0x86 : 0x08;
	frame[13] = sample->v6 ? 0xdd : 0x00;
	if (sendto(s->ports[port], frame, len + ETHER_HDR_LEN, 0, (const void *)&by, sizeof(by)) <
	    0)
		return error_sys(err, -errno, "send a packet from next door");
	return 0;
}

void sample_describe(const struct sample *s, struct packet *ret)
{
	static const char *const protocols[] = { [IPPROTO_TCP] = "tcp",
						 [IPPROTO_UDP] = "udp",
						 [IPPROTO_ICMP] = "icmp",
						 [IPPROTO_ICMPV6] = "icmpv6" };
	const struct in6_addr from6 = in6_of(s->saddr), to6 = in6_of(s->daddr);
	const struct in_addr from4 = { htonl(s->saddr) }, to4 = { htonl(s->daddr) };
	char from[INET6_ADDRSTRLEN], to[INET6_ADDRSTRLEN];
	bool here = s->daddr == 0x0a010001 || s->daddr == 0x0a020001;
	bool by_eth1 = (s->daddr & 0xffffff00) == 0x0a020000;
	struct strv words = { 0 };
	struct error err = { 0 };
	int r;

	if (s->v6) {
		(void)inet_ntop(AF_INET6, &from6, from, sizeof(from));
		(void)inet_ntop(AF_INET6, &to6, to, sizeof(to));
	} else {
		(void)inet_ntop(AF_INET, &from4, from, sizeof(from));
		(void)inet_ntop(AF_INET, &to4, to, sizeof(to));
	}
	if (s->origin != FROM_HERE)
		strv_addf(&words, "in %s", s->origin == FROM_P0 ? "eth0" : "eth1");
	if (s->origin == FROM_HERE || !here)
		strv_addf(&words, "out %s", here ? "lo" : by_eth1 ? "eth1" : "eth0");
	strv_addf(&words, "from %s to %s %s", from, to, protocols[protocol_of(s)]);
	if (s->protocol != IPPROTO_ICMP)
		strv_addf(&words, "sport %u dport %u", s->sport, s->dport);
	if (s->protocol == IPPROTO_TCP && s->flags != TH_SYN)
		strv_addf(&words, "flags syn,fin state invalid");
	strv_addf(&words, "ttl 64 dscp 0 length %zu",
		  (s->v6 ? sizeof(struct ip6_hdr) : sizeof(struct iphdr)) + transport_len(s));
	r = packet_parse(&words, ret, &err);
	if (r < 0) {
		(void)fprintf(stderr, "a description is wrong: %s\n", err.text);
		abort();
	}
	strv_done(&words);
}
