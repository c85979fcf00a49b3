/* src/why/value.c */
#include "why/value.h"

#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/ip.h"
#include "base/number.h"

#define NAME_BYTES 16

struct word {
	const char *text; /* as nft(8) writes it comes first */
	unsigned value;
};

static const struct word protocols[] = {
	{ "icmp", 1 },    { "igmp", 2 },       { "ipencap", 4 },   { "tcp", 6 },    { "udp", 17 },
	{ "dccp", 33 },   { "ipv6", 41 },      { "gre", 47 },      { "esp", 50 },   { "ah", 51 },
	{ "icmpv6", 58 }, { "ipv6-icmp", 58 }, { "ospf", 89 },     { "pim", 103 },  { "vrrp", 112 },
	{ "comp", 108 },  { "sctp", 132 },     { "udplite", 136 }, { "icmp6", 58 }, { NULL, 0 },
};
static const struct word ethertypes[] = {
	{ "ip", 0x0800 },    { "IPv4", 0x0800 }, { "ip6", 0x86dd },  { "IPv6", 0x86dd },
	{ "arp", 0x0806 },   { "ARP", 0x0806 },  { "vlan", 0x8100 }, { "802_1Q", 0x8100 },
	{ "8021q", 0x8100 }, { NULL, 0 },
};
static const struct word families[] = {
	{ "ipv4", 2 }, { "ipv6", 10 },  { "ip", 2 }, { "ip6", 10 },
	{ "arp", 3 },  { "bridge", 7 }, { NULL, 0 },
};
static const struct word states[] = {
	{ "invalid", STATE_INVALID },     { "established", STATE_ESTABLISHED },
	{ "related", STATE_RELATED },     { "new", STATE_NEW },
	{ "untracked", STATE_UNTRACKED }, { "snat", STATE_SNAT },
	{ "dnat", STATE_DNAT },           { NULL, 0 },
};
static const struct word statuses[] = {
	{ "expected", 1 },       { "seen-reply", STATUS_SEEN_REPLY },
	{ "assured", 4 },        { "confirmed", 8 },
	{ "snat", STATUS_SNAT }, { "dnat", STATUS_DNAT },
	{ "dying", 512 },        { NULL, 0 },
};
static const struct word tcp_flags[] = {
	{ "fin", 1 },  { "syn", 2 },  { "rst", 4 },   { "psh", 8 }, { "ack", 16 },
	{ "urg", 32 }, { "ecn", 64 }, { "cwr", 128 }, { NULL, 0 },
};
static const struct word icmp_types[] = {
	{ "echo-reply", 0 },
	{ "destination-unreachable", 3 },
	{ "source-quench", 4 },
	{ "redirect", 5 },
	{ "echo-request", 8 },
	{ "router-advertisement", 9 },
	{ "router-solicitation", 10 },
	{ "time-exceeded", 11 },
	{ "parameter-problem", 12 },
	{ "timestamp-request", 13 },
	{ "timestamp-reply", 14 },
	{ "info-request", 15 },
	{ "info-reply", 16 },
	{ "address-mask-request", 17 },
	{ "address-mask-reply", 18 },
	{ "ping", 8 },
	{ "pong", 0 },
	{ "ttl-exceeded", 11 },
	{ NULL, 0 },
};
static const struct word icmp6_types[] = {
	{ "destination-unreachable", 1 },
	{ "packet-too-big", 2 },
	{ "time-exceeded", 3 },
	{ "parameter-problem", 4 },
	{ "echo-request", 128 },
	{ "echo-reply", 129 },
	{ "mld-listener-query", 130 },
	{ "mld-listener-report", 131 },
	{ "mld-listener-done", 132 },
	{ "nd-router-solicit", 133 },
	{ "nd-router-advert", 134 },
	{ "nd-neighbor-solicit", 135 },
	{ "nd-neighbor-advert", 136 },
	{ "nd-redirect", 137 },
	{ "router-renumbering", 138 },
	{ "ind-neighbor-solicit", 141 },
	{ "ind-neighbor-advert", 142 },
	{ "mld2-listener-report", 143 },
	{ "router-solicitation", 133 },
	{ "router-advertisement", 134 },
	{ "neighbour-solicitation", 135 },
	{ "neighbor-solicitation", 135 },
	{ "neighbour-advertisement", 136 },
	{ "neighbor-advertisement", 136 },
	{ NULL, 0 },
};
static const struct word icmp_codes[] = {
	{ "net-unreachable", 0 },  { "host-unreachable", 1 },  { "prot-unreachable", 2 },
	{ "port-unreachable", 3 }, { "frag-needed", 4 },       { "net-prohibited", 9 },
	{ "host-prohibited", 10 }, { "admin-prohibited", 13 }, { NULL, 0 },
};
static const struct word icmp6_codes[] = {
	{ "no-route", 0 },
	{ "admin-prohibited", 1 },
	{ "addr-unreachable", 3 },
	{ "port-unreachable", 4 },
	{ "policy-fail", 5 },
	{ "reject-route", 6 },
	{ NULL, 0 },
};
static const struct word packet_types[] = {
	{ "host", 0 },      { "unicast", 0 }, { "broadcast", 1 },
	{ "multicast", 2 }, { "other", 3 },   { NULL, 0 },
};
static const struct word address_types[] = {
	{ "unspec", 0 },
	{ "unicast", ADDRESS_UNICAST },
	{ "local", ADDRESS_LOCAL },
	{ "broadcast", ADDRESS_BROADCAST },
	{ "anycast", 4 },
	{ "multicast", ADDRESS_MULTICAST },
	{ "blackhole", 6 },
	{ "unreachable", 7 },
	{ "prohibit", 8 },
	{ NULL, 0 },
};
static const struct word directions[] = { { "original", 0 }, { "reply", 1 }, { NULL, 0 } };
static const struct word exists[] = { { "missing", 0 }, { "exists", 1 }, { NULL, 0 } };
static const struct word dscps[] = {
	{ "cs0", 0 },   { "cs1", 8 },   { "cs2", 16 },  { "cs3", 24 },  { "cs4", 32 },
	{ "cs5", 40 },  { "cs6", 48 },  { "cs7", 56 },  { "af11", 10 }, { "af12", 12 },
	{ "af13", 14 }, { "af21", 18 }, { "af22", 20 }, { "af23", 22 }, { "af31", 26 },
	{ "af32", 28 }, { "af33", 30 }, { "af41", 34 }, { "af42", 36 }, { "af43", 38 },
	{ "ef", 46 },   { "df", 0 },    { "be", 0 },    { "lephb", 1 }, { NULL, 0 },
};
/* What nft(8) and people write by name; iptables-save does not. */
static const struct word ports[] = {
	{ "ssh", 22 },    { "domain", 53 }, { "http", 80 },
	{ "https", 443 }, { "ntp", 123 },   { NULL, 0 },
};

static const struct kind_row {
	const struct word *words;
	unsigned bytes;       /* width; a larger number is none of this kind */
	bool is_bits, speaks; /* speaks: its words are written, too */
} kinds[KIND_COUNT] = {
	[KIND_NUMBER] = { NULL, 8, false, false },
	[KIND_HEX] = { NULL, 8, false, false },
	[KIND_IP] = { NULL, 4, false, false },
	[KIND_IP6] = { NULL, 16, false, false },
	[KIND_MAC] = { NULL, 6, false, false },
	[KIND_NAME] = { NULL, 16, false, false },
	[KIND_PORT] = { ports, 2, false, false },
	[KIND_PROTOCOL] = { protocols, 1, false, true },
	[KIND_ETHERTYPE] = { ethertypes, 2, false, true },
	[KIND_FAMILY] = { families, 1, false, true },
	[KIND_STATE] = { states, 4, true, true },
	[KIND_STATUS] = { statuses, 4, true, true },
	[KIND_TCP_FLAGS] = { tcp_flags, 1, true, true },
	[KIND_ICMP] = { icmp_types, 1, false, true },
	[KIND_ICMP6] = { icmp6_types, 1, false, true },
	[KIND_ICMP_CODE] = { icmp_codes, 1, false, false },
	[KIND_ICMP6_CODE] = { icmp6_codes, 1, false, false },
	[KIND_PACKET_TYPE] = { packet_types, 1, false, true },
	[KIND_ADDRESS_TYPE] = { address_types, 1, false, true },
	[KIND_DIRECTION] = { directions, 1, false, true },
	[KIND_DSCP] = { dscps, 1, false, true },
	[KIND_EXISTS] = { exists, 1, false, true },
};

bool kind_is_bits(enum kind kind)
{
	return kinds[kind].is_bits;
}

u128 value_of_ip(const struct ip *ip)
{
	u128 v = 0;

	for (size_t i = 0; i < ip_len(ip); i++)
		v = v << 8 | ip->bytes[i];
	return v;
}

void value_to_ip(u128 value, bool v6, struct ip *ret)
{
	*ret = (struct ip) { .family = v6 ? AF_INET6 : AF_INET };
	for (size_t i = ip_len(ret); i-- > 0; value >>= 8)
		ret->bytes[i] = (uint8_t)value;
}

u128 value_of_name(const char *name)
{
	size_t len = strnlen(name, NAME_BYTES);
	u128 v = 0;

	for (size_t i = 0; i < NAME_BYTES; i++)
		v = v << 8 | (i < len ? (uint8_t)name[i] : 0);
	return v;
}

struct range value_of_prefix(u128 address, unsigned bits, unsigned prefix_len)
{
	u128 host = prefix_len == 0 ? VALUE_ALL : ((u128)1 << (bits - prefix_len)) - 1;

	if (bits < 128)
		host &= ((u128)1 << bits) - 1;
	return (struct range) { address & ~host, (address & ~host) | host };
}

/* One value as text */

static int parse_ip(bool v6, const char *text, struct range *ret)
{
	struct ip_net net;
	int r = ip_net_parse(text, &net);

	if (r < 0)
		return r;
	if ((net.ip.family == AF_INET6) != v6)
		return -EINVAL;
	*ret = value_of_prefix(value_of_ip(&net.ip), v6 ? 128 : 32, net.prefix_len);
	return 0;
}

static int parse_mac(const char *text, u128 *ret)
{
	unsigned b[6];
	int n = 0;

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5],
		   &n) != 6 ||
	    text[n])
		return -EINVAL;
	*ret = 0;
	for (size_t i = 0; i < ARRAY_SIZE(b); i++)
		*ret = *ret << 8 | b[i];
	return 0;
}

/* nft(8) ends a prefix with "*", iptables with "+". */
static int parse_name(const char *text, struct range *ret)
{
	size_t len = strlen(text);
	bool prefix = len > 0 && (text[len - 1] == '*' || text[len - 1] == '+');
	char name[NAME_BYTES + 1];

	if (len == 0 || len - prefix > NAME_BYTES - 1)
		return -EINVAL;
	(void)snprintf(name, sizeof(name), "%.*s", (int)(len - prefix), text);
	*ret = prefix ? value_of_prefix(value_of_name(name), 128, 8 * (unsigned)(len - 1))
		      : (struct range) { value_of_name(name), value_of_name(name) };
	return 0;
}

static int parse_number(enum kind kind, const char *text, u128 *ret)
{
	uint64_t max = kinds[kind].bytes >= 8 ? UINT64_MAX : (1ULL << 8 * kinds[kind].bytes) - 1;
	uint64_t n;
	char *end;

	if (strncasecmp(text, "0x", 2) == 0) {
		errno = 0;
		n = strtoull(text + 2, &end, 16);
		if (errno || *end || end == text + 2 || n > max)
			return -EINVAL;
	} else if (number_parse(text, max, &n) < 0) {
		return -EINVAL;
	}
	*ret = n;
	return 0;
}

int value_of_word(enum kind kind, const char *word, u128 *ret)
{
	for (const struct word *w = kinds[kind].words; w && w->text; w++)
		if (strcasecmp(w->text, word) == 0) {
			*ret = w->value;
			return 0;
		}
	return parse_number(kind, word, ret);
}

static int parse_one(enum kind kind, const char *text, struct range *ret)
{
	int r;

	if (kind == KIND_IP || kind == KIND_IP6)
		return parse_ip(kind == KIND_IP6, text, ret);
	if (kind == KIND_NAME)
		return parse_name(text, ret);
	r = kind == KIND_MAC ? parse_mac(text, &ret->lo) : value_of_word(kind, text, &ret->lo);
	if (r == 0)
		ret->hi = ret->lo;
	return r;
}

int value_parse(enum kind kind, const char *text, struct range *ret)
{
	struct range lo, hi;
	const char *dash;
	autofree char *first = NULL;

	if (parse_one(kind, text, ret) == 0)
		return 0;
	/* Words have dashes, too: the one is meant that has a value on either side. */
	for (dash = strchr(text, '-'); dash; dash = strchr(dash + 1, '-')) {
		free(first);
		first = xstrndup(text, (size_t)(dash - text));
		if (parse_one(kind, first, &lo) < 0 || parse_one(kind, dash + 1, &hi) < 0)
			continue;
		*ret = (struct range) { lo.lo, hi.hi };
		return lo.lo <= hi.hi ? 0 : -EINVAL;
	}
	return -EINVAL;
}

int value_parse_list(enum kind kind, const char *text, u128 *ret)
{
	u128 all = 0, one;

	while (*text) {
		size_t len = strcspn(text, ",");
		autofree char *word = xstrndup(text, len);
		int r = value_of_word(kind, word, &one);

		if (r < 0 && strcasecmp(word, "none") != 0)
			return r;
		all |= r < 0 ? 0 : one;
		text += len + (text[len] == ',');
	}
	*ret = all;
	return 0;
}

/* and back */

static void format_bits(const struct word *w, u128 value, struct buf *to)
{
	const char *comma = "";

	if (value == 0)
		buf_add_str(to, "0x0");
	for (; w->text && value; w++)
		if (value & w->value) {
			buf_addf(to, "%s%s", comma, w->text);
			value &= ~(u128)w->value;
			comma = ",";
		}
	if (value)
		buf_addf(to, "%s0x%llx", comma, (unsigned long long)value);
}

static void format_name(u128 value, struct buf *to)
{
	for (unsigned shift = 128; shift > 0 && (uint8_t)(value >> (shift - 8)); shift -= 8)
		buf_add_char(to, (char)(value >> (shift - 8)));
}

static void format_mac(u128 value, struct buf *to)
{
	for (unsigned shift = 48; shift > 0; shift -= 8)
		buf_addf(to, "%02x%s", (unsigned)(uint8_t)(value >> (shift - 8)),
			 shift > 8 ? ":" : "");
}

static void format_ip(bool v6, u128 value, struct buf *to)
{
	char text[IP_TEXT_LEN];
	struct ip ip;

	value_to_ip(value, v6, &ip);
	ip_format(&ip, text);
	buf_add_str(to, text);
}

static void format_number(enum kind kind, u128 value, struct buf *to)
{
	for (const struct word *w = kinds[kind].speaks ? kinds[kind].words : NULL; w && w->text;
	     w++)
		if (w->value == value) {
			buf_add_str(to, w->text);
			return;
		}
	buf_addf(to, kind == KIND_HEX || kind == KIND_ETHERTYPE ? "0x%llx" : "%llu",
		 (unsigned long long)value);
}

static void format_one(enum kind kind, u128 value, struct buf *to)
{
	if (kind == KIND_IP || kind == KIND_IP6)
		format_ip(kind == KIND_IP6, value, to);
	else if (kind == KIND_NAME)
		format_name(value, to);
	else if (kind == KIND_MAC)
		format_mac(value, to);
	else if (kinds[kind].is_bits)
		format_bits(kinds[kind].words, value, to);
	else
		format_number(kind, value, to);
}

/* How many leading bits a range that is a prefix shares; -1: it is none. */
static int prefix_of(const struct range *range, unsigned bits)
{
	u128 differ = range->lo ^ range->hi;
	int len = (int)bits;

	if ((differ & (differ + 1)) != 0 || (range->lo & differ) != 0)
		return -1;
	for (; differ; differ >>= 1)
		len--;
	return len;
}

void value_format(enum kind kind, const struct range *range, struct buf *to)
{
	unsigned bits = 8 * kinds[kind].bytes;
	int prefix = kind == KIND_IP || kind == KIND_IP6 || kind == KIND_NAME
			     ? prefix_of(range, bits)
			     : -1;

	format_one(kind, range->lo, to);
	if (range->lo == range->hi)
		return;
	if (prefix >= 0) {
		if (kind == KIND_NAME)
			buf_add_char(to, '*');
		else
			buf_addf(to, "/%d", prefix);
		return;
	}
	buf_add_char(to, '-');
	format_one(kind, range->hi, to);
}
