/* src/base/ip.h - IP addresses and subnets of either family, as values.
 *
 * An address of family 0 is none at all; functions take it and say "" or false.
 */
#ifndef BASE_IP_H
#define BASE_IP_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"

struct ip {
	uint8_t family;    /* AF_INET, AF_INET6; 0: none */
	uint8_t bytes[16]; /* network order; 4 of them for AF_INET, the rest 0 */
};

struct ip_net {
	struct ip ip; /* of a subnet: all host bits 0; of an interface: its own address */
	uint8_t prefix_len;
};

#define IP_TEXT_LEN     INET6_ADDRSTRLEN
#define IP_NET_TEXT_LEN (INET6_ADDRSTRLEN + 4)

struct ip ip_from_in(struct in_addr in);
/* Exactly one address, nothing around it; -EINVAL. */
int ip_parse(const char *text, struct ip *ret) must_check;
/* "10.0.0.0/8", "fd00::/64"; without /N a single address.  Host bits are kept.  -EINVAL */
int ip_net_parse(const char *text, struct ip_net *ret) must_check;
void ip_format(const struct ip *ip, char ret[IP_TEXT_LEN]);
void ip_net_format(const struct ip_net *net, char ret[IP_NET_TEXT_LEN]);

static inline bool ip_is_set(const struct ip *ip)
{
	return ip->family != 0;
}
static inline size_t ip_len(const struct ip *ip) /* in bytes */
{
	return ip->family == AF_INET6 ? 16 : 4;
}
bool ip_is_any(const struct ip *ip);      /* 0.0.0.0 or :: */
bool ip_is_loopback(const struct ip *ip); /* 127.0.0.0/8 or ::1 */
bool ip_equal(const struct ip *a, const struct ip *b);
int ip_compare(const struct ip *a, const struct ip *b); /* as memcmp(); IPv4 first */
/* The address n behind, and how many b is behind a (both in one subnet; UINT64_MAX: too far). */
struct ip ip_plus(const struct ip *ip, uint64_t n);
uint64_t ip_distance(const struct ip *a, const struct ip *b);

struct ip ip_net_first(const struct ip_net *net);      /* host bits 0 */
struct ip ip_net_last(const struct ip_net *net);       /* host bits 1 */
struct ip_net ip_net_of(const struct ip_net *address); /* the subnet that it lies in */
bool ip_net_has(const struct ip_net *net, const struct ip *ip);
/* The subnet's own address, or IPv4's broadcast address in it. */
bool ip_net_is_edge(const struct ip_net *net, const struct ip *ip);
bool ip_net_overlaps(const struct ip_net *a, const struct ip_net *b);

/* fe80::/64 with what the kernel makes of a hardware address. */
struct ip_net ip_link_local(const unsigned char mac[6]);

#endif
