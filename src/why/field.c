/* src/why/field.c */
#include "why/field.h"

#include <netinet/in.h>
#include <string.h>

enum { NFPROTO_V4 = 2, NFPROTO_V6 = 10 };

static const struct field_row {
	enum kind kind;
	const char *text, *words;
} fields[FIELD_COUNT] = {
	[FIELD_UNKNOWN] = { KIND_NUMBER, "?", NULL },
	[FIELD_IIF] = { KIND_NAME, "iifname", "arriving on" },
	[FIELD_OIF] = { KIND_NAME, "oifname", "leaving by" },
	[FIELD_MARK] = { KIND_HEX, "meta mark", "with mark" },
	[FIELD_FAMILY] = { KIND_FAMILY, "meta nfproto", "of family" },
	[FIELD_ETHERTYPE] = { KIND_ETHERTYPE, "meta protocol", "of ether type" },
	[FIELD_PROTOCOL] = { KIND_PROTOCOL, "meta l4proto", "of protocol" },
	[FIELD_PACKET_TYPE] = { KIND_PACKET_TYPE, "meta pkttype", "sent as" },
	[FIELD_UID] = { KIND_NUMBER, "meta skuid", "of user" },
	[FIELD_GID] = { KIND_NUMBER, "meta skgid", "of group" },
	[FIELD_LENGTH] = { KIND_NUMBER, "meta length", "of length" },
	[FIELD_ETHER_SADDR] = { KIND_MAC, "ether saddr", "from MAC address" },
	[FIELD_ETHER_DADDR] = { KIND_MAC, "ether daddr", "to MAC address" },
	[FIELD_VLAN] = { KIND_NUMBER, "vlan id", "in VLAN" },
	[FIELD_IP_SADDR] = { KIND_IP, "ip saddr", "from" },
	[FIELD_IP_DADDR] = { KIND_IP, "ip daddr", "to" },
	[FIELD_IP6_SADDR] = { KIND_IP6, "ip6 saddr", "from" },
	[FIELD_IP6_DADDR] = { KIND_IP6, "ip6 daddr", "to" },
	[FIELD_TTL] = { KIND_NUMBER, "ip ttl", "with TTL" },
	[FIELD_DSCP] = { KIND_DSCP, "ip dscp", "with DSCP" },
	[FIELD_FRAGMENT] = { KIND_NUMBER, "ip frag-off", "at fragment offset" },
	[FIELD_VERSION] = { KIND_NUMBER, "ip version", "of IP version" },
	[FIELD_SPORT] = { KIND_PORT, "th sport", "from port" },
	[FIELD_DPORT] = { KIND_PORT, "th dport", "to port" },
	[FIELD_TCP_FLAGS] = { KIND_TCP_FLAGS, "tcp flags", "with flags" },
	[FIELD_ICMP_TYPE] = { KIND_ICMP, "icmp type", "of type" },
	[FIELD_ICMP_CODE] = { KIND_ICMP_CODE, "icmp code", "of code" },
	[FIELD_ICMP6_TYPE] = { KIND_ICMP6, "icmpv6 type", "of type" },
	[FIELD_ICMP6_CODE] = { KIND_ICMP6_CODE, "icmpv6 code", "of code" },
	[FIELD_CT_STATE] = { KIND_STATE, "ct state", "of connections" },
	[FIELD_CT_STATUS] = { KIND_STATUS, "ct status", "of connections with status" },
	[FIELD_CT_MARK] = { KIND_HEX, "ct mark", "of connections with mark" },
	[FIELD_CT_DIRECTION] = { KIND_DIRECTION, "ct direction", "in direction" },
	[FIELD_CT_PROTOCOL] = { KIND_PROTOCOL, "ct protocol", "of connections of protocol" },
	[FIELD_CT_IP_SADDR] = { KIND_IP, "ct original ip saddr", "of connections begun by" },
	[FIELD_CT_IP_DADDR] = { KIND_IP, "ct original ip daddr", "of connections first sent to" },
	[FIELD_CT_IP6_SADDR] = { KIND_IP6, "ct original ip6 saddr", "of connections begun by" },
	[FIELD_CT_IP6_DADDR] = { KIND_IP6, "ct original ip6 daddr",
				 "of connections first sent to" },
	[FIELD_CT_SPORT] = { KIND_PORT, "ct original proto-src", "of connections begun from port" },
	[FIELD_CT_DPORT] = { KIND_PORT, "ct original proto-dst",
			     "of connections first sent to port" },
	[FIELD_FIB_SADDR_TYPE] = { KIND_ADDRESS_TYPE, "fib saddr type", "whose source is" },
	[FIELD_FIB_DADDR_TYPE] = { KIND_ADDRESS_TYPE, "fib daddr type", "whose destination is" },
	[FIELD_PHYSIN] = { KIND_NAME, "physdev in", "arriving through bridge port" },
	[FIELD_PHYSOUT] = { KIND_NAME, "physdev out", "leaving through bridge port" },
};

static const struct nft_row {
	const char *group, *name, *text;
	enum field field;
	uint8_t family, protocol;
} nft_rows[] = {
	{ "meta", "iifname", "iifname", FIELD_IIF, 0, 0 },
	{ "meta", "iif", "iif", FIELD_IIF, 0, 0 },
	{ "meta", "oifname", "oifname", FIELD_OIF, 0, 0 },
	{ "meta", "oif", "oif", FIELD_OIF, 0, 0 },
	{ "meta", "mark", "meta mark", FIELD_MARK, 0, 0 },
	{ "meta", "nfproto", "meta nfproto", FIELD_FAMILY, 0, 0 },
	{ "meta", "protocol", "meta protocol", FIELD_ETHERTYPE, 0, 0 },
	{ "meta", "l4proto", "meta l4proto", FIELD_PROTOCOL, 0, 0 },
	{ "meta", "pkttype", "meta pkttype", FIELD_PACKET_TYPE, 0, 0 },
	{ "meta", "skuid", "meta skuid", FIELD_UID, 0, 0 },
	{ "meta", "skgid", "meta skgid", FIELD_GID, 0, 0 },
	{ "meta", "length", "meta length", FIELD_LENGTH, 0, 0 },
	{ "ether", "saddr", "ether saddr", FIELD_ETHER_SADDR, 0, 0 },
	{ "ether", "daddr", "ether daddr", FIELD_ETHER_DADDR, 0, 0 },
	{ "ether", "type", "ether type", FIELD_ETHERTYPE, 0, 0 },
	{ "vlan", "id", "vlan id", FIELD_VLAN, 0, 0 },
	{ "ip", "saddr", "ip saddr", FIELD_IP_SADDR, NFPROTO_V4, 0 },
	{ "ip", "daddr", "ip daddr", FIELD_IP_DADDR, NFPROTO_V4, 0 },
	{ "ip", "protocol", "ip protocol", FIELD_PROTOCOL, NFPROTO_V4, 0 },
	{ "ip", "ttl", "ip ttl", FIELD_TTL, NFPROTO_V4, 0 },
	{ "ip", "dscp", "ip dscp", FIELD_DSCP, NFPROTO_V4, 0 },
	{ "ip", "length", "ip length", FIELD_LENGTH, NFPROTO_V4, 0 },
	{ "ip", "frag-off", "ip frag-off", FIELD_FRAGMENT, NFPROTO_V4, 0 },
	{ "ip", "version", "ip version", FIELD_VERSION, NFPROTO_V4, 0 },
	{ "ip6", "saddr", "ip6 saddr", FIELD_IP6_SADDR, NFPROTO_V6, 0 },
	{ "ip6", "daddr", "ip6 daddr", FIELD_IP6_DADDR, NFPROTO_V6, 0 },
	{ "ip6", "nexthdr", "ip6 nexthdr", FIELD_PROTOCOL, NFPROTO_V6, 0 },
	{ "ip6", "hoplimit", "ip6 hoplimit", FIELD_TTL, NFPROTO_V6, 0 },
	{ "ip6", "dscp", "ip6 dscp", FIELD_DSCP, NFPROTO_V6, 0 },
	{ "ip6", "version", "ip6 version", FIELD_VERSION, NFPROTO_V6, 0 },
	{ "th", "sport", "th sport", FIELD_SPORT, 0, 0 },
	{ "th", "dport", "th dport", FIELD_DPORT, 0, 0 },
	{ "tcp", "sport", "tcp sport", FIELD_SPORT, 0, IPPROTO_TCP },
	{ "tcp", "dport", "tcp dport", FIELD_DPORT, 0, IPPROTO_TCP },
	{ "tcp", "flags", "tcp flags", FIELD_TCP_FLAGS, 0, IPPROTO_TCP },
	{ "udp", "sport", "udp sport", FIELD_SPORT, 0, IPPROTO_UDP },
	{ "udp", "dport", "udp dport", FIELD_DPORT, 0, IPPROTO_UDP },
	{ "udplite", "sport", "udplite sport", FIELD_SPORT, 0, IPPROTO_UDPLITE },
	{ "udplite", "dport", "udplite dport", FIELD_DPORT, 0, IPPROTO_UDPLITE },
	{ "sctp", "sport", "sctp sport", FIELD_SPORT, 0, IPPROTO_SCTP },
	{ "sctp", "dport", "sctp dport", FIELD_DPORT, 0, IPPROTO_SCTP },
	{ "dccp", "sport", "dccp sport", FIELD_SPORT, 0, IPPROTO_DCCP },
	{ "dccp", "dport", "dccp dport", FIELD_DPORT, 0, IPPROTO_DCCP },
	{ "icmp", "type", "icmp type", FIELD_ICMP_TYPE, 0, IPPROTO_ICMP },
	{ "icmp", "code", "icmp code", FIELD_ICMP_CODE, 0, IPPROTO_ICMP },
	{ "icmpv6", "type", "icmpv6 type", FIELD_ICMP6_TYPE, 0, IPPROTO_ICMPV6 },
	{ "icmpv6", "code", "icmpv6 code", FIELD_ICMP6_CODE, 0, IPPROTO_ICMPV6 },
	{ "ct", "state", "ct state", FIELD_CT_STATE, 0, 0 },
	{ "ct", "status", "ct status", FIELD_CT_STATUS, 0, 0 },
	{ "ct", "mark", "ct mark", FIELD_CT_MARK, 0, 0 },
	{ "ct", "direction", "ct direction", FIELD_CT_DIRECTION, 0, 0 },
	{ "ct", "protocol", "ct protocol", FIELD_CT_PROTOCOL, 0, 0 },
	{ "ct original", "protocol", "ct original protocol", FIELD_CT_PROTOCOL, 0, 0 },
	{ "ct original", "ip saddr", "ct original ip saddr", FIELD_CT_IP_SADDR, NFPROTO_V4, 0 },
	{ "ct original", "ip daddr", "ct original ip daddr", FIELD_CT_IP_DADDR, NFPROTO_V4, 0 },
	{ "ct original", "ip6 saddr", "ct original ip6 saddr", FIELD_CT_IP6_SADDR, NFPROTO_V6, 0 },
	{ "ct original", "ip6 daddr", "ct original ip6 daddr", FIELD_CT_IP6_DADDR, NFPROTO_V6, 0 },
	{ "ct original", "proto-src", "ct original proto-src", FIELD_CT_SPORT, 0, 0 },
	{ "ct original", "proto-dst", "ct original proto-dst", FIELD_CT_DPORT, 0, 0 },
	{ "fib", "saddr type", "fib saddr type", FIELD_FIB_SADDR_TYPE, 0, 0 },
	{ "fib", "daddr type", "fib daddr type", FIELD_FIB_DADDR_TYPE, 0, 0 },
};

enum kind field_kind(enum field field)
{
	return fields[field].kind;
}

const char *field_words(enum field field)
{
	return fields[field].words;
}

struct selector selector_of(enum field field)
{
	return (struct selector) { .field = field, .mask = VALUE_ALL, .text = fields[field].text };
}

struct selector selector_of_nft(const char *group, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(nft_rows); i++) {
		const struct nft_row *row = &nft_rows[i];

		if (strcmp(row->group, group) == 0 && strcmp(row->name, name) == 0)
			return (struct selector) { .field = row->field,
						   .family = row->family,
						   .protocol = row->protocol,
						   .mask = VALUE_ALL,
						   .text = row->text };
	}
	return selector_of(FIELD_UNKNOWN);
}
