/* src/network/table.c
 *
 * The text below is the table as nft(8) would load it, for narration and scripts; build_table()
 * makes the same over netlink.  A test compares what the kernel lists after either.
 */
#include "network/table.h"

#include <arpa/inet.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "kernel/nft.h"

#define BRIDGE_PREFIX "strake"

static const char table_text[] =
	"add table inet %s {\n"
	"	set bridges { type ifname; }\n"
	"	set self { type ifname . ifname; }\n"
	"	set subnets4 { type ipv4_addr; flags interval; }\n"
	"	set samenet4 { type ipv4_addr . ipv4_addr; flags interval; }\n"
	"	map pub4 { type inet_proto . inet_service : ipv4_addr . inet_service; }\n"
	"	map pub4ip { type ipv4_addr . inet_proto . inet_service : ipv4_addr . inet_service; }\n"
	"	chain raw_pre {\n"
	"		type filter hook prerouting priority raw; policy accept;\n"
	"		iifname != \"lo\" ip daddr 127.0.0.0/8 counter drop\n"
	"		iifname @bridges accept\n"
	"		ip daddr @subnets4 fib daddr type != local counter drop\n"
	"	}\n"
	"	chain publish {\n"
	"		dnat ip to ip daddr . meta l4proto . th dport map @pub4ip\n"
	"		meta nfproto ipv4 dnat ip to meta l4proto . th dport map @pub4\n"
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
	"		ct status dnat ip saddr . ip daddr @samenet4 counter masquerade\n"
	"		oifname @bridges ip saddr 127.0.0.0/8 counter masquerade\n"
	"		oifname @bridges accept\n"
	"		ip saddr @subnets4 counter masquerade\n"
	"	}\n"
	"	chain forward {\n"
	"		type filter hook forward priority filter; policy accept;\n"
	"		ct state established,related accept\n"
	"		ct state invalid counter drop\n"
	"		iifname . oifname @self accept\n"
	"		ct status dnat accept\n"
	"		oifname @bridges counter drop\n"
	"	}\n"
	"}";

static const struct nft_set bridges = { .name = "bridges",
					.key_type = NFT_TYPE_IFNAME,
					.key_len = IF_NAMESIZE };
static const struct nft_set self = { .name = "self",
				     .key_type = NFT_CONCAT(NFT_TYPE_IFNAME, NFT_TYPE_IFNAME),
				     .key_len = 2 * IF_NAMESIZE };
static const struct nft_set subnets4 = {
	.name = "subnets4", .key_type = NFT_TYPE_IPADDR, .key_len = 4, .interval = true
};
static const struct nft_set samenet4 = { .name = "samenet4",
					 .key_type = NFT_CONCAT(NFT_TYPE_IPADDR, NFT_TYPE_IPADDR),
					 .key_len = 8,
					 .interval = true,
					 .fields = { 4, 4 } };
static const struct nft_set pub4 = { .name = "pub4",
				     .key_type = NFT_CONCAT(NFT_TYPE_PROTO, NFT_TYPE_SERVICE),
				     .key_len = 8,
				     .data_type = NFT_CONCAT(NFT_TYPE_IPADDR, NFT_TYPE_SERVICE),
				     .data_len = 8 };
static const struct nft_set pub4ip = {
	.name = "pub4ip",
	.key_type = NFT_CONCAT(NFT_CONCAT(NFT_TYPE_IPADDR, NFT_TYPE_PROTO), NFT_TYPE_SERVICE),
	.key_len = 12,
	.data_type = NFT_CONCAT(NFT_TYPE_IPADDR, NFT_TYPE_SERVICE),
	.data_len = 8,
};

/* pieces of rules; register 0 is scratch */

enum { IP_SADDR = 12, IP_DADDR = 16 };

static void match_ipv4(struct nftnl_rule *r)
{
	const uint8_t family = NFPROTO_IPV4;

	nft_meta(r, NFT_META_NFPROTO, 0);
	nft_compare(r, true, 0, &family, sizeof(family));
}

static void load_address(struct nftnl_rule *r, uint32_t which, unsigned reg)
{
	nft_payload(r, NFT_PAYLOAD_NETWORK_HEADER, which, 4, reg);
}

static void match_loopback_net(struct nftnl_rule *r, uint32_t which)
{
	const uint8_t first = 127;

	match_ipv4(r);
	nft_payload(r, NFT_PAYLOAD_NETWORK_HEADER, which, 1, 0);
	nft_compare(r, true, 0, &first, sizeof(first));
}

static void match_bridge(struct nftnl_rule *r, uint32_t which)
{
	nft_meta(r, which, 0);
	nft_lookup(r, bridges.name, 0);
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

/* chains */

static void build_raw_pre(struct nft *nft)
{
	static const char lo[IF_NAMESIZE] = "lo";
	struct nftnl_rule *r;

	nft_add_chain(nft, "raw_pre", "filter", NF_INET_PRE_ROUTING, -300);
	r = nft_rule(nft, "raw_pre");
	nft_meta(r, NFT_META_IIFNAME, 0);
	nft_compare(r, false, 0, lo, sizeof(lo));
	match_loopback_net(r, IP_DADDR);
	nft_counter(r);
	nft_verdict(r, NF_DROP, NULL);
	nft_add_rule(nft, r);

	r = nft_rule(nft, "raw_pre");
	match_bridge(r, NFT_META_IIFNAME);
	nft_verdict(r, NF_ACCEPT, NULL);
	nft_add_rule(nft, r);

	r = nft_rule(nft, "raw_pre");
	match_ipv4(r);
	load_address(r, IP_DADDR, 0);
	nft_lookup(r, subnets4.name, 0);
	match_local(r, false);
	nft_counter(r);
	nft_verdict(r, NF_DROP, NULL);
	nft_add_rule(nft, r);
}

static void load_port_key(struct nftnl_rule *r, unsigned reg)
{
	nft_meta(r, NFT_META_L4PROTO, reg);
	nft_payload(r, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, reg + 1);
}

static void build_publish(struct nft *nft)
{
	struct nftnl_rule *r;

	nft_add_chain(nft, "publish", NULL, -1, 0);
	r = nft_rule(nft, "publish");
	match_ipv4(r);
	load_address(r, IP_DADDR, 0);
	load_port_key(r, 1);
	nft_lookup_map(r, pub4ip.name, 0, 0);
	nft_dnat4(r, 0, 1);
	nft_add_rule(nft, r);

	r = nft_rule(nft, "publish");
	match_ipv4(r);
	load_port_key(r, 0);
	nft_lookup_map(r, pub4.name, 0, 0);
	nft_dnat4(r, 0, 1);
	nft_add_rule(nft, r);
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

static void build_nat_post(struct nft *nft)
{
	struct nftnl_rule *r;

	nft_add_chain(nft, "nat_post", "nat", NF_INET_POST_ROUTING, 100);
	r = nft_rule(nft, "nat_post");
	match_bits(r, NFT_CT_STATUS, IPS_DST_NAT);
	match_ipv4(r);
	load_address(r, IP_SADDR, 0);
	load_address(r, IP_DADDR, 1);
	nft_lookup(r, samenet4.name, 0);
	nft_counter(r);
	nft_masquerade(r);
	nft_add_rule(nft, r);

	r = nft_rule(nft, "nat_post");
	match_bridge(r, NFT_META_OIFNAME);
	match_loopback_net(r, IP_SADDR);
	nft_counter(r);
	nft_masquerade(r);
	nft_add_rule(nft, r);

	r = nft_rule(nft, "nat_post");
	match_bridge(r, NFT_META_OIFNAME);
	nft_verdict(r, NF_ACCEPT, NULL);
	nft_add_rule(nft, r);

	r = nft_rule(nft, "nat_post");
	match_ipv4(r);
	load_address(r, IP_SADDR, 0);
	nft_lookup(r, subnets4.name, 0);
	nft_counter(r);
	nft_masquerade(r);
	nft_add_rule(nft, r);
}

#define STATE_INVALID     1U
#define STATE_ESTABLISHED 2U
#define STATE_RELATED     4U

static void build_forward(struct nft *nft)
{
	struct nftnl_rule *r;

	nft_add_chain(nft, "forward", "filter", NF_INET_FORWARD, 0);
	r = nft_rule(nft, "forward");
	match_bits(r, NFT_CT_STATE, STATE_ESTABLISHED | STATE_RELATED);
	nft_verdict(r, NF_ACCEPT, NULL);
	nft_add_rule(nft, r);

	r = nft_rule(nft, "forward");
	match_bits(r, NFT_CT_STATE, STATE_INVALID);
	nft_counter(r);
	nft_verdict(r, NF_DROP, NULL);
	nft_add_rule(nft, r);

	r = nft_rule(nft, "forward");
	nft_meta(r, NFT_META_IIFNAME, 0);
	nft_meta(r, NFT_META_OIFNAME, 4);
	nft_lookup(r, self.name, 0);
	nft_verdict(r, NF_ACCEPT, NULL);
	nft_add_rule(nft, r);

	r = nft_rule(nft, "forward");
	match_bits(r, NFT_CT_STATUS, IPS_DST_NAT);
	nft_verdict(r, NF_ACCEPT, NULL);
	nft_add_rule(nft, r);

	r = nft_rule(nft, "forward");
	match_bridge(r, NFT_META_OIFNAME);
	nft_counter(r);
	nft_verdict(r, NF_DROP, NULL);
	nft_add_rule(nft, r);
}

static void build_table(struct nft *nft)
{
	const struct nft_set *const sets[] = {
		&bridges, &self, &subnets4, &samenet4, &pub4, &pub4ip
	};

	nft_add_table(nft);
	for (size_t i = 0; i < ARRAY_SIZE(sets); i++)
		nft_add_set(nft, sets[i]);
	build_raw_pre(nft);
	build_publish(nft);
	build_jump(nft, "nat_pre", NF_INET_PRE_ROUTING);
	build_jump(nft, "nat_out", NF_INET_LOCAL_OUT);
	build_nat_post(nft);
	build_forward(nft);
}

/* networks */

void table_name(const char *bridge, char ret[TABLE_NAME_LEN])
{
	const char *number = bridge + strlen(BRIDGE_PREFIX);

	if (strncmp(bridge, BRIDGE_PREFIX "0", strlen(BRIDGE_PREFIX) + 2) == 0)
		(void)snprintf(ret, TABLE_NAME_LEN, "strake");
	else
		(void)snprintf(ret, TABLE_NAME_LEN, "strake-%s", number);
}

struct range {
	uint32_t from, to; /* host order */
};

static struct range range_of(const struct table_network *network)
{
	uint32_t host = UINT32_MAX >> network->prefix_len;
	uint32_t from = ntohl(network->net.s_addr) & ~host;

	return (struct range) { from, from | host };
}

static struct nft_element bridge_element(const char *bridge)
{
	struct nft_element e = { .has_end = false };

	memcpy(e.key, bridge, strlen(bridge));
	memcpy(e.key + IF_NAMESIZE, bridge, strlen(bridge));
	return e;
}

static struct nft_element samenet_element(const struct table_network *network)
{
	struct range range = range_of(network);
	const uint32_t from[] = { htonl(range.from), htonl(range.from) };
	const uint32_t to[] = { htonl(range.to), htonl(range.to) };
	struct nft_element e = { .has_end = true };

	memcpy(e.key, from, sizeof(from));
	memcpy(e.key_end, to, sizeof(to));
	return e;
}

static void add_network(struct nft *nft, const struct table_network *network)
{
	struct nft_element b = bridge_element(network->bridge), s = samenet_element(network);
	struct range range = range_of(network);

	nft_add_element(nft, &bridges, &b);
	nft_add_element(nft, &self, &b);
	nft_add_interval(nft, &subnets4, range.from, range.to);
	nft_add_element(nft, &samenet4, &s);
}

static bool narrate_add(const struct table_network *network)
{
	autofree char *text = NULL;
	char net[INET_ADDRSTRLEN];

	if (explain_mode() == EXPLAIN_OFF)
		return false;
	text = xasprintf(table_text, network->table);
	(void)inet_ntop(AF_INET, &network->net, net, sizeof(net));
	return explain(
		"one table for all networks, whose rules never change, and this network's place in it",
		"nft list table inet %1$s > /dev/null 2>&1 || nft -f - <<'TABLE'\n%2$s\nTABLE\n"
		"nft -f - <<'NETWORK'\n"
		"add element inet %1$s bridges { \"%3$s\" }\n"
		"add element inet %1$s self { \"%3$s\" . \"%3$s\" }\n"
		"add element inet %1$s subnets4 { %4$s/%5$u }\n"
		"add element inet %1$s samenet4 { %4$s/%5$u . %4$s/%5$u }\n"
		"NETWORK",
		network->table, text, network->bridge, net, network->prefix_len);
}

int table_add_network(const struct table_network *network, struct error *err)
{
	int r = -EEXIST;

	if (narrate_add(network))
		return 0;
	/* The table may be there from another network, or be new: the kernel decides, not we. */
	for (unsigned round = 0; round < 2 && (r == -EEXIST || r == -ENOENT); round++) {
		struct nft *nft = nft_new(network->table);

		if (round == 0)
			build_table(nft);
		add_network(nft, network);
		r = nft_commit(nft);
		nft_free(nft);
	}
	if (r == -EPROTONOSUPPORT || r == -EOPNOTSUPP)
		return error_set(
			err, r,
			"set up nftables table inet %s: this kernel has no nf_tables with NAT; "
			"'modprobe nft_chain_nat' may bring it, --network none needs none",
			network->table);
	return r < 0 ? error_sys(err, r, "set up nftables table inet %s", network->table) : 0;
}

int table_del_network(const struct table_network *network, bool last, struct error *err)
{
	struct nft_element b = bridge_element(network->bridge), s = samenet_element(network);
	struct range range = range_of(network);
	struct nft *nft;
	int r;

	if (last ? explain(NULL, "nft delete table inet %s", network->table)
		 : explain(NULL, "nft delete element inet %s bridges { %s }", network->table,
			   network->bridge))
		return 0;
	nft = nft_new(network->table);
	if (last) {
		nft_del_table(nft);
	} else {
		nft_del_element(nft, &bridges, &b);
		nft_del_element(nft, &self, &b);
		nft_del_interval(nft, &subnets4, range.from, range.to);
		nft_del_element(nft, &samenet4, &s);
	}
	r = nft_commit(nft);
	nft_free(nft);
	return r < 0 && r != -ENOENT
		       ? error_sys(err, r, "clean nftables table inet %s", network->table)
		       : 0;
}

/* ports */

/* A field of a concatenation begins at a register's start. */
static struct nft_element port_element(const struct port *port, uint16_t offset, struct in_addr to)
{
	const uint16_t host = htons((uint16_t)(port->host + offset));
	const uint16_t container = htons((uint16_t)(port->container + offset));
	struct nft_element e = { .has_end = false };
	unsigned char *key = e.key;

	if (port->ip.s_addr) {
		memcpy(key, &port->ip, sizeof(port->ip));
		key += 4;
	}
	key[0] = port->protocol;
	memcpy(key + 4, &host, sizeof(host));
	memcpy(e.data, &to, sizeof(to));
	memcpy(e.data + 4, &container, sizeof(container));
	return e;
}

static bool narrate_port(const char *table, const struct port *p, const char *verb,
			 struct in_addr to)
{
	char ip[INET_ADDRSTRLEN], target[INET_ADDRSTRLEN];
	struct buf list = BUF_INIT(1U << 20);
	bool add = strcmp(verb, "add") == 0, dry;

	(void)inet_ntop(AF_INET, &p->ip, ip, sizeof(ip));
	(void)inet_ntop(AF_INET, &to, target, sizeof(target));
	for (uint16_t i = 0; i < p->count; i++) {
		buf_addf(&list, "%s%s%s%s . %u", i ? ", " : "", p->ip.s_addr ? ip : "",
			 p->ip.s_addr ? " . " : "", port_protocol_name(p->protocol), p->host + i);
		if (add)
			buf_addf(&list, " : %s . %u", target, p->container + i);
	}
	dry = explain(add ? "a published port is one element of a map" : NULL,
		      "nft '%s element inet %s %s { %s }'", verb, table,
		      p->ip.s_addr ? "pub4ip" : "pub4", buf_text(&list));
	buf_done(&list);
	return dry;
}

static bool narrate_ports(const char *table, const struct port *ports, size_t n, const char *verb,
			  struct in_addr to)
{
	bool dry = false;

	for (size_t i = 0; explain_mode() != EXPLAIN_OFF && i < n; i++)
		dry = narrate_port(table, &ports[i], verb, to);
	return dry;
}

int table_add_ports(const char *table, const struct port *ports, size_t n, struct in_addr to,
		    struct error *err)
{
	struct nft *nft;
	int r;

	if (n == 0 || narrate_ports(table, ports, n, "add", to))
		return 0;
	nft = nft_new(table);
	for (size_t i = 0; i < n; i++) {
		for (uint16_t k = 0; k < ports[i].count; k++) {
			struct nft_element e = port_element(&ports[i], k, to);

			nft_add_element(nft, ports[i].ip.s_addr ? &pub4ip : &pub4, &e);
		}
	}
	r = nft_commit(nft);
	nft_free(nft);
	return r < 0 ? error_sys(err, r, "publish ports in nftables table inet %s", table) : 0;
}

/* One that is gone already must not keep the others: each is a transaction of its own then. */
int table_del_ports(const char *table, const struct port *ports, size_t n, struct in_addr to,
		    struct error *err)
{
	int r = 0;

	if (n == 0 || narrate_ports(table, ports, n, "delete", to))
		return 0;
	for (size_t i = 0; i < n; i++) {
		for (uint16_t k = 0; k < ports[i].count && (r == 0 || r == -ENOENT); k++) {
			struct nft_element e = port_element(&ports[i], k, to);
			struct nft *nft = nft_new(table);

			nft_del_element(nft, ports[i].ip.s_addr ? &pub4ip : &pub4, &e);
			r = nft_commit(nft);
			nft_free(nft);
		}
	}
	return r < 0 && r != -ENOENT ? error_sys(err, r, "take back published ports") : 0;
}

struct port_listing {
	table_port_fn each;
	void *data;
	bool with_ip;
};

/* The reverse of port_element(). */
static void list_port(void *data, const struct nft_element *e)
{
	const struct port_listing *listing = data;
	const unsigned char *key = e->key;
	struct port port = { .count = 1 };
	struct in_addr to;
	uint16_t host, container;

	if (listing->with_ip) {
		memcpy(&port.ip, key, sizeof(port.ip));
		key += 4;
	}
	memcpy(&host, key + 4, sizeof(host));
	memcpy(&to, e->data, sizeof(to));
	memcpy(&container, e->data + 4, sizeof(container));
	port.protocol = key[0];
	port.host = ntohs(host);
	port.container = ntohs(container);
	listing->each(listing->data, &port, to);
}

int table_list_ports(const char *table, table_port_fn each, void *data)
{
	struct port_listing listing = { each, data, false };
	int r = nft_list_elements(table, &pub4, list_port, &listing);

	listing.with_ip = true;
	return r < 0 ? r : nft_list_elements(table, &pub4ip, list_port, &listing);
}
