/* src/network/table_rules.c
 *
 * The text below is the table as nft(8) would load it, for narration and scripts; build() makes the
 * same over netlink.  A test compares what the kernel lists after either.
 */
#include "network/table.h"

#include <net/if.h>

#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_conntrack_tuple_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <string.h>

const char table_rules_text[] =
	"add table inet %s {\n"
	"	set bridges { type ifname; }\n"
	"	set self { type ifname . ifname; }\n"
	"	set peers { type ifname . ifname; }\n"
	"	set internal { type ifname; }\n"
	"	set strict { type ifname; }\n"
	"	set open { type ifname; }\n"
	"	set routed { type ifname; }\n"
	"	set closed4 { type ipv4_addr; flags interval; }\n"
	"	set closed6 { type ipv6_addr; flags interval; }\n"
	"	set masq4 { type ipv4_addr; flags interval; }\n"
	"	set masq6 { type ipv6_addr; flags interval; }\n"
	"	set same4 { type ipv4_addr . ipv4_addr; flags interval; }\n"
	"	set same6 { type ipv6_addr . ipv6_addr; flags interval; }\n"
	"	map loop6 { type inet_proto . inet_service : ipv6_addr; }\n"
	"	map loop6range { type inet_proto . inet_service : ipv6_addr; flags interval; }\n"
	"	map pub4 { type inet_proto . inet_service : ipv4_addr . inet_service; counter; }\n"
	"	map pub4ip { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; counter; }\n"
	"	map pub4range { type inet_proto . inet_service : ipv4_addr; flags interval; counter; }\n"
	"	map pub4iprange { type ipv4_addr . inet_proto . inet_service : ipv4_addr; flags interval; counter; }\n"
	"	map pub6 { type inet_proto . inet_service : ipv6_addr . inet_service; counter; }\n"
	"	map pub6ip { type ipv6_addr . inet_proto . inet_service : ipv6_addr . inet_service; counter; }\n"
	"	map pub6range { type inet_proto . inet_service : ipv6_addr; flags interval; counter; }\n"
	"	map pub6iprange { type ipv6_addr . inet_proto . inet_service : ipv6_addr; flags interval; counter; }\n"
	"	chain raw_pre {\n"
	"		type filter hook prerouting priority raw; policy accept;\n"
	"		iifname != \"lo\" ip daddr 127.0.0.0/8 counter drop\n"
	"		iifname @bridges accept\n"
	"		ip daddr @closed4 fib daddr type != local counter drop\n"
	"		ip6 daddr @closed6 fib daddr type != local counter drop\n"
	"	}\n"
	"	chain local_out {\n"
	"		type filter hook output priority raw; policy accept;\n"
	"		ip6 saddr ::1 ip6 daddr ::1 ip6 saddr set meta l4proto . th dport map @loop6\n"
	"		ip6 saddr ::1 ip6 daddr ::1 ip6 saddr set meta l4proto . th dport map @loop6range\n"
	"	}\n"
	"	chain local_in {\n"
	"		type filter hook input priority 200; policy accept;\n"
	"		ip6 saddr ::1 ct direction reply ct original ip6 daddr ::1 ip6 daddr set ::1\n"
	"	}\n"
	"	chain publish {\n"
	"		dnat ip to ip daddr . meta l4proto . th dport map @pub4ip\n"
	"		meta nfproto ipv4 dnat ip to meta l4proto . th dport map @pub4\n"
	"		dnat ip to ip daddr . meta l4proto . th dport map @pub4iprange\n"
	"		meta nfproto ipv4 dnat ip to meta l4proto . th dport map @pub4range\n"
	"		dnat ip6 to ip6 daddr . meta l4proto . th dport map @pub6ip\n"
	"		meta nfproto ipv6 dnat ip6 to meta l4proto . th dport map @pub6\n"
	"		dnat ip6 to ip6 daddr . meta l4proto . th dport map @pub6iprange\n"
	"		meta nfproto ipv6 dnat ip6 to meta l4proto . th dport map @pub6range\n"
	"	}\n"
	"	chain nat_pre {\n"
	"		type nat hook prerouting priority dstnat; policy accept;\n"
	"		fib daddr type local jump publish\n"
	"	}\n"
	"	chain nat_out {\n"
	"		type nat hook output priority -100; policy accept;\n"
	"		fib daddr type local jump publish\n"
	"	}\n"
	"	chain nat_post {\n"
	"		type nat hook postrouting priority srcnat; policy accept;\n"
	"		oifname \"lo\" accept\n"
	"		ct status dnat ip saddr . ip daddr @same4 counter masquerade\n"
	"		ct status dnat ip6 saddr . ip6 daddr @same6 counter masquerade\n"
	"		oifname != \"lo\" ct status dnat ip saddr 127.0.0.0/8 counter masquerade\n"
	"		oifname @bridges accept\n"
	"		ip saddr @masq4 counter masquerade\n"
	"		ip6 saddr @masq6 counter masquerade\n"
	"	}\n"
	"	chain forward {\n"
	"		type filter hook forward priority filter; policy accept;\n"
	"		ct state established,related accept\n"
	"		ct state invalid counter drop\n"
	"		iifname . oifname @self accept\n"
	"		iifname . oifname @peers accept\n"
	"		iifname @internal counter drop\n"
	"		oifname @internal counter drop\n"
	"		iifname @bridges oifname @strict counter drop\n"
	"		iifname @strict oifname @bridges counter drop\n"
	"		ct status dnat accept\n"
	"		iifname @open oifname @open accept\n"
	"		iifname != @bridges oifname @routed accept\n"
	"		oifname @bridges counter drop\n"
	"	}\n"
	"}";

/* sets */

#define PAIR(a, b)      NFT_CONCAT(a, b)
#define TRIPLE(a, b, c) NFT_CONCAT(NFT_CONCAT(a, b), c)
#define IF              NFT_TYPE_IFNAME
#define IP4             NFT_TYPE_IPADDR
#define IP6             NFT_TYPE_IP6ADDR
#define PROTO           NFT_TYPE_PROTO
#define PORT            NFT_TYPE_SERVICE

#define LINKS(name_)                                                                               \
	{                                                                                          \
		.name = (name_), .key_type = IF, .key_len = IF_NAMESIZE                            \
	}
#define LINK_PAIRS(name_)                                                                          \
	{                                                                                          \
		.name = (name_), .key_type = PAIR(IF, IF), .key_len = 2 * IF_NAMESIZE              \
	}
#define SUBNETS(name_, type, len)                                                                  \
	{                                                                                          \
		.name = (name_), .key_type = (type), .key_len = (len), .interval = true            \
	}
#define SUBNET_PAIRS(name_, type, len)                                                             \
	{                                                                                          \
		.name = (name_), .key_type = PAIR(type, type), .key_len = 2 * (len),               \
		.interval = true, .fields = { (len), (len) },                                      \
	}
#define TO_PORT(name_, key, len, type, data)                                                       \
	{                                                                                          \
		.name = (name_), .key_type = (key), .key_len = (len),                              \
		.data_type = PAIR(type, PORT), .data_len = (data) + 4, .counted = true,            \
	}
#define TO_RANGE(name_, key, len, type, data, ...)                                                 \
	{                                                                                          \
		.name = (name_), .key_type = (key), .key_len = (len), .data_type = (type),         \
		.data_len = (data), .counted = true, .interval = true, .fields = { __VA_ARGS__ },  \
	}

const struct nft_set table_sets[SETS] = {
	[SET_BRIDGES] = LINKS("bridges"),
	[SET_SELF] = LINK_PAIRS("self"),
	[SET_PEERS] = LINK_PAIRS("peers"),
	[SET_INTERNAL] = LINKS("internal"),
	[SET_STRICT] = LINKS("strict"),
	[SET_OPEN] = LINKS("open"),
	[SET_ROUTED] = LINKS("routed"),
	[SET_CLOSED4] = SUBNETS("closed4", IP4, 4),
	[SET_CLOSED6] = SUBNETS("closed6", IP6, 16),
	[SET_MASQ4] = SUBNETS("masq4", IP4, 4),
	[SET_MASQ6] = SUBNETS("masq6", IP6, 16),
	[SET_SAME4] = SUBNET_PAIRS("same4", IP4, 4),
	[SET_SAME6] = SUBNET_PAIRS("same6", IP6, 16),
	[SET_LOOP6] = { .name = "loop6",
			.key_type = PAIR(PROTO, PORT),
			.key_len = 8,
			.data_type = IP6,
			.data_len = 16 },
	[SET_LOOP6RANGE] = { .name = "loop6range",
			     .key_type = PAIR(PROTO, PORT),
			     .key_len = 8,
			     .data_type = IP6,
			     .data_len = 16,
			     .interval = true,
			     .fields = { 1, 2 } },
	[SET_PUB4] = TO_PORT("pub4", PAIR(PROTO, PORT), 8, IP4, 4),
	[SET_PUB4IP] = TO_PORT("pub4ip", TRIPLE(IP4, PROTO, PORT), 12, IP4, 4),
	[SET_PUB4RANGE] = TO_RANGE("pub4range", PAIR(PROTO, PORT), 8, IP4, 4, 1, 2),
	[SET_PUB4IPRANGE] = TO_RANGE("pub4iprange", TRIPLE(IP4, PROTO, PORT), 12, IP4, 4, 4, 1, 2),
	[SET_PUB6] = TO_PORT("pub6", PAIR(PROTO, PORT), 8, IP6, 16),
	[SET_PUB6IP] = TO_PORT("pub6ip", TRIPLE(IP6, PROTO, PORT), 24, IP6, 16),
	[SET_PUB6RANGE] = TO_RANGE("pub6range", PAIR(PROTO, PORT), 8, IP6, 16, 1, 2),
	[SET_PUB6IPRANGE] =
		TO_RANGE("pub6iprange", TRIPLE(IP6, PROTO, PORT), 24, IP6, 16, 16, 1, 2),
};

/* pieces of rules; register 0 is scratch */

struct family {
	uint8_t nfproto;
	uint32_t saddr, daddr; /* offsets in the network header */
	uint32_t len;          /* of an address */
	unsigned registers;    /* that one takes */
};
static const struct family v4 = { NFPROTO_IPV4, 12, 16, 4, 1 }, v6 = { NFPROTO_IPV6, 8, 24, 16, 4 };

static void match_family(struct nftnl_rule *r, const struct family *f)
{
	nft_meta(r, NFT_META_NFPROTO, 0);
	nft_compare(r, true, 0, &f->nfproto, sizeof(f->nfproto));
}

static void load_saddr(struct nftnl_rule *r, const struct family *f, unsigned reg)
{
	nft_payload(r, NFT_PAYLOAD_NETWORK_HEADER, f->saddr, f->len, reg);
}

static void load_daddr(struct nftnl_rule *r, const struct family *f, unsigned reg)
{
	nft_payload(r, NFT_PAYLOAD_NETWORK_HEADER, f->daddr, f->len, reg);
}

static void match_loopback_net(struct nftnl_rule *r, uint32_t which)
{
	const uint8_t first = 127;

	match_family(r, &v4);
	nft_payload(r, NFT_PAYLOAD_NETWORK_HEADER, which, 1, 0);
	nft_compare(r, true, 0, &first, sizeof(first));
}

static void match_not_lo(struct nftnl_rule *r, uint32_t which)
{
	static const char lo[IF_NAMESIZE] = "lo";

	nft_meta(r, which, 0);
	nft_compare(r, false, 0, lo, sizeof(lo));
}

static void match_link(struct nftnl_rule *r, uint32_t which, enum table_set set)
{
	nft_meta(r, which, 0);
	nft_lookup(r, table_sets[set].name, 0);
}

static void match_bits(struct nftnl_rule *r, uint32_t key, uint32_t mask)
{
	const uint32_t none = 0;

	nft_ct(r, key, 0);
	nft_and(r, 0, mask);
	nft_compare(r, false, 0, &none, sizeof(none));
}

static void match_local(struct nftnl_rule *r, bool local)
{
	const uint32_t type = RTN_LOCAL;

	nft_fib_type(r, 0);
	nft_compare(r, local, 0, &type, sizeof(type));
}

static void finish(struct nft *nft, struct nftnl_rule *r, int verdict)
{
	nft_verdict(r, verdict, NULL);
	nft_add_rule(nft, r);
}

static void drop(struct nft *nft, struct nftnl_rule *r)
{
	nft_counter(r);
	finish(nft, r, NF_DROP);
}

static void masquerade(struct nft *nft, struct nftnl_rule *r)
{
	nft_counter(r);
	nft_masquerade(r);
	nft_add_rule(nft, r);
}

/* chains */

static void add_closed(struct nft *nft, const struct family *f, enum table_set set)
{
	struct nftnl_rule *r = nft_rule(nft, "raw_pre");

	match_family(r, f);
	load_daddr(r, f, 0);
	nft_lookup(r, table_sets[set].name, 0);
	match_local(r, false);
	drop(nft, r);
}

static void build_raw_pre(struct nft *nft)
{
	struct nftnl_rule *r;

	nft_add_chain(nft, "raw_pre", "filter", NF_INET_PRE_ROUTING, -300);
	r = nft_rule(nft, "raw_pre");
	match_not_lo(r, NFT_META_IIFNAME);
	match_loopback_net(r, v4.daddr);
	drop(nft, r);

	r = nft_rule(nft, "raw_pre");
	match_link(r, NFT_META_IIFNAME, SET_BRIDGES);
	finish(nft, r, NF_ACCEPT);
	add_closed(nft, &v4, SET_CLOSED4);
	add_closed(nft, &v6, SET_CLOSED6);
}

static const uint8_t loopback6[16] = { [15] = 1 };

static void match_loopback6(struct nftnl_rule *r, uint32_t which)
{
	nft_payload(r, NFT_PAYLOAD_NETWORK_HEADER, which, v6.len, 0);
	nft_compare(r, true, 0, loopback6, sizeof(loopback6));
}

/* There is no route_localnet for IPv6: a packet from a link that has ::1 in it is dropped when it
 * arrives.  So a client at ::1 gets another address before connection tracking sees it, and the
 * answer is given back ::1 behind it, just before it goes to its socket.  The kernel's own
 * translation could do the way there; the way back it does on arrival, with bridge netfilter before
 * that check.
 */
static void add_local_out(struct nft *nft, enum table_set set)
{
	struct nftnl_rule *r = nft_rule(nft, "local_out");

	match_family(r, &v6);
	match_loopback6(r, v6.saddr);
	match_loopback6(r, v6.daddr);
	nft_meta(r, NFT_META_L4PROTO, 0);
	nft_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, 1);
	nft_lookup_map(r, table_sets[set].name, 0, 0);
	nft_set_address6(r, v6.saddr, 0);
	nft_add_rule(nft, r);
}

static void build_local(struct nft *nft)
{
	const uint8_t reply = IP_CT_DIR_REPLY;
	struct nftnl_rule *r;

	nft_add_chain(nft, "local_out", "filter", NF_INET_LOCAL_OUT, -300);
	add_local_out(nft, SET_LOOP6);
	add_local_out(nft, SET_LOOP6RANGE);

	nft_add_chain(nft, "local_in", "filter", NF_INET_LOCAL_IN, 200);
	r = nft_rule(nft, "local_in");
	match_family(r, &v6);
	match_loopback6(r, v6.saddr);
	nft_ct(r, NFT_CT_DIRECTION, 0);
	nft_compare(r, true, 0, &reply, sizeof(reply));
	nft_ct_original(r, NFT_CT_DST_IP6, 0);
	nft_compare(r, true, 0, loopback6, sizeof(loopback6));
	nft_load(r, 0, loopback6, sizeof(loopback6));
	nft_set_address6(r, v6.daddr, 0);
	nft_add_rule(nft, r);
}

/* The key is loaded from register 0 on; the target takes its place. */
static void add_publish(struct nft *nft, const struct family *f, enum table_set set, bool with_ip,
			bool with_port)
{
	struct nftnl_rule *r = nft_rule(nft, "publish");
	unsigned reg = with_ip ? f->registers : 0;

	match_family(r, f);
	if (with_ip)
		load_daddr(r, f, 0);
	nft_meta(r, NFT_META_L4PROTO, reg);
	nft_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, reg + 1);
	nft_lookup_map(r, table_sets[set].name, 0, 0);
	nft_dnat(r, f->nfproto, 0, with_port ? (int)f->registers : -1);
	nft_add_rule(nft, r);
}

static void build_publish(struct nft *nft)
{
	nft_add_chain(nft, "publish", NULL, -1, 0);
	add_publish(nft, &v4, SET_PUB4IP, true, true);
	add_publish(nft, &v4, SET_PUB4, false, true);
	add_publish(nft, &v4, SET_PUB4IPRANGE, true, false);
	add_publish(nft, &v4, SET_PUB4RANGE, false, false);
	add_publish(nft, &v6, SET_PUB6IP, true, true);
	add_publish(nft, &v6, SET_PUB6, false, true);
	add_publish(nft, &v6, SET_PUB6IPRANGE, true, false);
	add_publish(nft, &v6, SET_PUB6RANGE, false, false);
}

static void build_jump(struct nft *nft, const char *chain, int hook)
{
	struct nftnl_rule *r;

	nft_add_chain(nft, chain, "nat", hook, -100);
	r = nft_rule(nft, chain);
	match_local(r, true);
	nft_verdict(r, NFT_JUMP, "publish");
	nft_add_rule(nft, r);
}

static void add_hairpin(struct nft *nft, const struct family *f, enum table_set set)
{
	struct nftnl_rule *r = nft_rule(nft, "nat_post");

	match_bits(r, NFT_CT_STATUS, IPS_DST_NAT);
	match_family(r, f);
	load_saddr(r, f, 0);
	load_daddr(r, f, f->registers);
	nft_lookup(r, table_sets[set].name, 0);
	masquerade(nft, r);
}

static void add_outbound(struct nft *nft, const struct family *f, enum table_set set)
{
	struct nftnl_rule *r = nft_rule(nft, "nat_post");

	match_family(r, f);
	load_saddr(r, f, 0);
	nft_lookup(r, table_sets[set].name, 0);
	masquerade(nft, r);
}

static void add_from_localhost(struct nft *nft)
{
	struct nftnl_rule *r = nft_rule(nft, "nat_post");

	match_not_lo(r, NFT_META_OIFNAME);
	match_bits(r, NFT_CT_STATUS, IPS_DST_NAT);
	match_loopback_net(r, v4.saddr);
	masquerade(nft, r);
}

static void build_nat_post(struct nft *nft)
{
	const char lo[IF_NAMESIZE] = "lo";
	struct nftnl_rule *r;

	nft_add_chain(nft, "nat_post", "nat", NF_INET_POST_ROUTING, 100);
	/* This host asking its own gateway address for a name: what it is called, it stays. */
	r = nft_rule(nft, "nat_post");
	nft_meta(r, NFT_META_OIFNAME, 0);
	nft_compare(r, true, 0, lo, sizeof(lo));
	finish(nft, r, NF_ACCEPT);
	add_hairpin(nft, &v4, SET_SAME4);
	add_hairpin(nft, &v6, SET_SAME6);
	add_from_localhost(nft);

	r = nft_rule(nft, "nat_post");
	match_link(r, NFT_META_OIFNAME, SET_BRIDGES);
	finish(nft, r, NF_ACCEPT);
	add_outbound(nft, &v4, SET_MASQ4);
	add_outbound(nft, &v6, SET_MASQ6);
}

#define STATE_INVALID     1U
#define STATE_ESTABLISHED 2U
#define STATE_RELATED     4U

static void add_pair(struct nft *nft, enum table_set set)
{
	struct nftnl_rule *r = nft_rule(nft, "forward");

	nft_meta(r, NFT_META_IIFNAME, 0);
	nft_meta(r, NFT_META_OIFNAME, 4);
	nft_lookup(r, table_sets[set].name, 0);
	finish(nft, r, NF_ACCEPT);
}

static struct nftnl_rule *from_to(struct nft *nft, enum table_set from, enum table_set to)
{
	struct nftnl_rule *r = nft_rule(nft, "forward");

	match_link(r, NFT_META_IIFNAME, from);
	match_link(r, NFT_META_OIFNAME, to);
	return r;
}

static void drop_link(struct nft *nft, uint32_t which, enum table_set set)
{
	struct nftnl_rule *r = nft_rule(nft, "forward");

	match_link(r, which, set);
	drop(nft, r);
}

static void build_forward(struct nft *nft)
{
	struct nftnl_rule *r;

	nft_add_chain(nft, "forward", "filter", NF_INET_FORWARD, 0);
	r = nft_rule(nft, "forward");
	match_bits(r, NFT_CT_STATE, STATE_ESTABLISHED | STATE_RELATED);
	finish(nft, r, NF_ACCEPT);
	r = nft_rule(nft, "forward");
	match_bits(r, NFT_CT_STATE, STATE_INVALID);
	drop(nft, r);
	add_pair(nft, SET_SELF);
	add_pair(nft, SET_PEERS);
	drop_link(nft, NFT_META_IIFNAME, SET_INTERNAL);
	drop_link(nft, NFT_META_OIFNAME, SET_INTERNAL);
	drop(nft, from_to(nft, SET_BRIDGES, SET_STRICT));
	drop(nft, from_to(nft, SET_STRICT, SET_BRIDGES));
	r = nft_rule(nft, "forward");
	match_bits(r, NFT_CT_STATUS, IPS_DST_NAT);
	finish(nft, r, NF_ACCEPT);
	finish(nft, from_to(nft, SET_OPEN, SET_OPEN), NF_ACCEPT);
	r = nft_rule(nft, "forward");
	nft_meta(r, NFT_META_IIFNAME, 0);
	nft_lookup_not(r, table_sets[SET_BRIDGES].name, 0);
	match_link(r, NFT_META_OIFNAME, SET_ROUTED);
	finish(nft, r, NF_ACCEPT);
	drop_link(nft, NFT_META_OIFNAME, SET_BRIDGES);
}

void table_rules_build(struct nft *nft)
{
	nft_add_table(nft);
	for (size_t i = 0; i < ARRAY_SIZE(table_sets); i++)
		nft_add_set(nft, &table_sets[i]);
	build_raw_pre(nft);
	build_local(nft);
	build_publish(nft);
	build_jump(nft, "nat_pre", NF_INET_PRE_ROUTING);
	build_jump(nft, "nat_out", NF_INET_LOCAL_OUT);
	build_nat_post(nft);
	build_forward(nft);
}
