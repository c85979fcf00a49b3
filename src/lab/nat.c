/* src/lab/nat.c - each rule is said as text for a script, and built over netlink, side by side. */
#include "lab/nat.h"

#include <fcntl.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_conntrack_common.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/rtnetlink.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "kernel/nft.h"

#define TABLE      "lab"
#define SCRIPT_MAX (1U << 16)
#define PRIO_DST   (-100)
#define PRIO_SRC   100

struct rules {
	const struct node *node;
	struct nft *nft;
	struct buf text; /* what nft(8) would be told */
};

/* conditions */

static void if_name(struct nftnl_rule *rule, uint32_t key, const char *name)
{
	char padded[16] = "";

	(void)snprintf(padded, sizeof(padded), "%s", name);
	nft_meta(rule, key, 0);
	nft_compare(rule, true, 0, padded, sizeof(padded));
}

static void if_byte(struct nftnl_rule *rule, uint32_t key, uint8_t value)
{
	nft_meta(rule, key, 0);
	nft_compare(rule, true, 0, &value, sizeof(value));
}

static void if_address(struct nftnl_rule *rule, const struct ip *ip, bool is_source)
{
	bool v6 = ip->family == AF_INET6;
	uint32_t offset = v6 ? (is_source ? 8 : 24) : (is_source ? 12 : 16);

	nft_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, offset, (uint32_t)ip_len(ip), 0);
	nft_compare(rule, true, 0, ip->bytes, (uint32_t)ip_len(ip));
}

/* The first whole bytes of a source address; prefixes that end within one are cut to them. */
static void if_source_in(struct nftnl_rule *rule, const struct ip_net *net)
{
	uint32_t len = net->prefix_len / 8;

	if (len == 0)
		return;
	nft_payload(rule, NFT_PAYLOAD_NETWORK_HEADER, net->ip.family == AF_INET6 ? 8 : 12, len, 0);
	nft_compare(rule, true, 0, net->ip.bytes, len);
}

static void if_local(struct nftnl_rule *rule)
{
	const uint32_t local = RTN_LOCAL;

	nft_fib_type(rule, 0);
	nft_compare(rule, true, 0, &local, sizeof(local));
}

static void if_port(struct nftnl_rule *rule, const struct lab_publish *p)
{
	const uint16_t port = htons(p->port);

	if_byte(rule, NFT_META_L4PROTO, p->protocol);
	nft_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, 2, 2, 0);
	nft_compare(rule, true, 0, &port, sizeof(port));
}

/* rules */

static void masquerade_link(struct rules *s, const char *link)
{
	struct nftnl_rule *rule = nft_rule(s->nft, "postrouting");

	buf_addf(&s->text,
		 "; add rule inet " TABLE " postrouting oifname \"%s\" counter masquerade", link);
	if_name(rule, NFT_META_OIFNAME, link);
	nft_counter(rule);
	nft_masquerade(rule);
	nft_add_rule(s->nft, rule);
}

/* A packet that the target, or its neighbour, sends to the published port would be answered past
 * us, from an address that was not asked.
 */
static void masquerade_source(struct rules *s, const struct ip_net *net, const char *why)
{
	const uint32_t status = IPS_DST_NAT, none = 0;
	struct nftnl_rule *rule = nft_rule(s->nft, "postrouting");
	struct ip_net whole = *net;
	char text[IP_NET_TEXT_LEN];

	whole.prefix_len = (uint8_t)(whole.prefix_len / 8 * 8);
	whole = ip_net_of(&whole);
	ip_net_format(&whole, text);
	buf_addf(&s->text,
		 "; add rule inet " TABLE
		 " postrouting ct status dnat %s saddr %s counter masquerade comment \"%s\"",
		 net->ip.family == AF_INET6 ? "ip6" : "ip", text, why);
	nft_ct(rule, NFT_CT_STATUS, 0);
	nft_and(rule, 0, status);
	nft_compare(rule, false, 0, &none, sizeof(none));
	if_byte(rule, NFT_META_NFPROTO, net->ip.family == AF_INET6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
	if_source_in(rule, &whole);
	nft_counter(rule);
	nft_masquerade(rule);
	nft_add_rule(s->nft, rule);
}

static void publish_in(struct rules *s, const struct lab_publish *p, const char *chain)
{
	bool v6 = p->to.family == AF_INET6;
	const char *ip = v6 ? "ip6" : "ip", *protocol = p->protocol == IPPROTO_UDP ? "udp" : "tcp";
	const uint16_t port = htons(p->to_port);
	struct nftnl_rule *rule = nft_rule(s->nft, chain);
	char to[IP_TEXT_LEN], address[IP_TEXT_LEN];

	ip_format(&p->to, to);
	ip_format(&p->address, address);
	buf_addf(&s->text, "; add rule inet " TABLE " %s meta nfproto ipv%s ", chain,
		 v6 ? "6" : "4");
	if_byte(rule, NFT_META_NFPROTO, v6 ? NFPROTO_IPV6 : NFPROTO_IPV4);
	if (ip_is_set(&p->address)) {
		buf_addf(&s->text, "%s daddr %s ", ip, address);
		if_address(rule, &p->address, false);
	} else {
		buf_add_str(&s->text, "fib daddr type local ");
		if_local(rule);
	}
	buf_addf(&s->text,
		 v6 ? "%s dport %u counter dnat %s to [%s]:%u"
		    : "%s dport %u counter dnat %s to %s:%u",
		 protocol, p->port, ip, to, p->to_port);
	if_port(rule, p);
	nft_counter(rule);
	nft_load(rule, 0, p->to.bytes, (uint32_t)ip_len(&p->to));
	nft_load(rule, 4, &port, sizeof(port));
	nft_dnat(rule, v6 ? NFPROTO_IPV6 : NFPROTO_IPV4, 0, 4);
	nft_add_rule(s->nft, rule);
}

static void add_chain(struct rules *s, const char *name, int hook, int priority)
{
	buf_addf(&s->text, "; add chain inet " TABLE " %s { type nat hook %s priority %d ; }", name,
		 name, priority);
	nft_add_chain(s->nft, name, "nat", hook, priority);
}

/* The subnet that a published target is in, on our side. */
static bool subnet_of(const struct node *node, const struct ip *ip, struct ip_net *ret)
{
	for (size_t i = 0; i < node->n_interfaces; i++)
		for (size_t k = 0; k < node->interfaces[i].n_addresses; k++)
			if (ip_net_has(&node->interfaces[i].addresses[k], ip)) {
				*ret = ip_net_of(&node->interfaces[i].addresses[k]);
				return true;
			}
	return false;
}

static void fill(struct rules *s)
{
	const struct node *node = s->node;
	const struct ip_net loopback = { .ip = { AF_INET, { 127 } }, .prefix_len = 8 };
	bool from_itself = false;

	buf_add_str(&s->text, "add table inet " TABLE);
	nft_add_table(s->nft);
	add_chain(s, "prerouting", NF_INET_PRE_ROUTING, PRIO_DST);
	add_chain(s, "output", NF_INET_LOCAL_OUT, PRIO_DST);
	add_chain(s, "postrouting", NF_INET_POST_ROUTING, PRIO_SRC);
	for (size_t i = 0; i < node->n_publish; i++) {
		const struct lab_publish *p = &node->publish[i];
		struct ip_net net;

		if (p->from_outside)
			publish_in(s, p, "prerouting");
		if (p->from_itself)
			publish_in(s, p, "output");
		from_itself |= p->from_itself && p->to.family == AF_INET;
		if (p->from_outside && subnet_of(node, &p->to, &net))
			masquerade_source(s, &net, "a neighbour of the target asks");
	}
	if (from_itself)
		masquerade_source(s, &loopback, "127.0.0.1 is nowhere else");
	for (size_t i = 0; i < node->n_nat; i++)
		masquerade_link(s, node->interfaces[node->nat[i]].name);
}

static int commit_there(struct nft *nft, int netns)
{
	autoclose int home = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC);
	int r;

	if (home < 0 || setns(netns, CLONE_NEWNET) < 0)
		return -errno;
	r = nft_commit(nft);
	if (setns(home, CLONE_NEWNET) < 0)
		abort(); /* going on in the wrong network would be worse */
	return r;
}

int nat_set(const struct raised *raised, size_t n, struct error *err)
{
	const struct node *node = &raised->topology->nodes[n];
	struct rules s = { .node = node, .text = BUF_INIT(SCRIPT_MAX) };
	int r = 0;

	if (node->n_nat == 0 && node->n_publish == 0)
		return 0;
	s.nft = nft_new(TABLE);
	fill(&s);
	if (!explain("addresses are translated here", "ip netns exec %s nft %s",
		     sq(raised->names[n]), sq(buf_text(&s.text))))
		r = commit_there(s.nft, raised->ns[n].fd);
	nft_free(s.nft);
	buf_done(&s.text);
	if (r < 0)
		return error_sys(err, r, "translate addresses in %s", node->name);
	/* Without it an answer to 127.0.0.1 from elsewhere is dropped as a lie. */
	for (size_t i = 0; r == 0 && i < node->n_publish; i++)
		if (node->publish[i].from_itself)
			return raised_put(raised, n, "1", err, "ipv4/conf/all/route_localnet");
	return r;
}
