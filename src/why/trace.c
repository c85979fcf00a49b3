/* src/why/trace.c */
#include "why/trace.h"

#include <arpa/inet.h>
#include <endian.h>
#include <libmnl/libmnl.h>
#include <limits.h>
#include <linux/netfilter.h>
#include <linux/netfilter/nf_tables.h>
#include <linux/netfilter/nfnetlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdalign.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/alloc.h"
#include "kernel/nft.h"
#include "why/inside.h"

#define EVENTS_BYTES  65536
#define SOCKET_BYTES  (8 << 20) /* events of some thousand packets */
#define BEFORE_OTHERS (INT_MIN + 1)
#define BEHIND_OTHERS (INT_MAX - 1)

/* NF_INET_ and NF_BR_ number the same hooks alike. */
static const struct own_chain {
	const char *name;
	enum trace_mark mark;
	int hook, priority;
	bool marks; /* the packets: where they begin */
} own_chains[] = {
	{ "in", TRACE_IN, NF_INET_PRE_ROUTING, BEFORE_OTHERS, true },
	{ "out", TRACE_OUT, NF_INET_LOCAL_OUT, BEFORE_OTHERS, true },
	{ "forwarded", TRACE_FORWARDED, NF_INET_FORWARD, BEFORE_OTHERS, false },
	{ "delivered", TRACE_DELIVERED, NF_INET_LOCAL_IN, BEHIND_OTHERS, false },
	{ "sent", TRACE_SENT, NF_INET_POST_ROUTING, BEHIND_OTHERS, false },
};

/* Of newer kernels than our headers are of. */
enum { TRACE_CT_ID = 18, TRACE_CT_DIRECTION, TRACE_CT_STATUS, TRACE_CT_STATE };

struct tracer {
	struct nft_door doors[2]; /* they own the tables */
	struct mnl_socket *events;
	const struct trace_filter *filter; /* while it is opened */
	char table[32];
	alignas(struct nlmsghdr) char bytes[EVENTS_BYTES];
	const struct nlmsghdr *next;
	int left;
};

/* the table */

static void mark(struct nft *nft, struct nftnl_rule *rule)
{
	const uint8_t on = 1;

	nft_load(rule, 8, &on, sizeof(on));
	nft_set_meta(rule, NFT_META_NFTRACE, 8);
	nft_add_rule(nft, rule);
}

static struct nftnl_rule *begin(struct nft *nft, const char *chain, uint8_t protocol)
{
	struct nftnl_rule *rule = nft_rule(nft, chain);

	nft_meta(rule, NFT_META_L4PROTO, 8);
	nft_compare(rule, true, 8, &protocol, sizeof(protocol));
	return rule;
}

/* Two bytes of the transport header. */
static void mark_at(struct nft *nft, const char *chain, uint8_t protocol, uint32_t offset,
		    uint16_t port)
{
	struct nftnl_rule *rule = begin(nft, chain, protocol);
	const uint16_t wanted = htons(port);

	nft_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, offset, sizeof(wanted), 8);
	nft_compare(rule, true, 8, &wanted, sizeof(wanted));
	mark(nft, rule);
}

/* An error about a packet has that packet's headers behind its own. */
enum { TCP_FLAGS = 13, ICMP_ID = 4, ICMP_HEADER = 8, IPV4_HEADER = 20, IPV6_HEADER = 40 };

static void mark_firsts(struct nft *nft, const char *chain, uint8_t protocol)
{
	struct nftnl_rule *rule = begin(nft, chain, protocol);
	const uint8_t flags[4] = { TH_SYN | TH_RST }, none = 0;
	uint32_t mask;

	if (protocol == IPPROTO_TCP) {
		memcpy(&mask, flags, sizeof(mask));
		nft_payload(rule, NFT_PAYLOAD_TRANSPORT_HEADER, TCP_FLAGS, 1, 8);
		nft_and(rule, 8, mask);
		nft_compare(rule, false, 8, &none, sizeof(none));
	}
	mark(nft, rule);
	mark(nft, begin(nft, chain, IPPROTO_ICMP));
	mark(nft, begin(nft, chain, IPPROTO_ICMPV6));
}

static void fill_chain(struct nft *nft, const char *chain, const struct trace_filter *filter)
{
	uint32_t id = filter->protocol == IPPROTO_ICMP || filter->protocol == IPPROTO_ICMPV6
			      ? ICMP_ID
			      : 0;

	if (filter->protocol == 0) {
		mark(nft, nft_rule(nft, chain));
		return;
	}
	if (filter->port == 0) {
		mark_firsts(nft, chain, filter->protocol);
		return;
	}
	mark_at(nft, chain, filter->protocol, id, filter->port);
	if (id == 0)
		mark_at(nft, chain, filter->protocol, 2, filter->port);
	mark_at(nft, chain, IPPROTO_ICMP, ICMP_HEADER + IPV4_HEADER + id, filter->port);
	mark_at(nft, chain, IPPROTO_ICMPV6, ICMP_HEADER + IPV6_HEADER + id, filter->port);
	if (id == 0) {
		mark_at(nft, chain, IPPROTO_ICMP, ICMP_HEADER + IPV4_HEADER + 2, filter->port);
		mark_at(nft, chain, IPPROTO_ICMPV6, ICMP_HEADER + IPV6_HEADER + 2, filter->port);
	}
}

static int make_table(struct tracer *t, uint8_t family, struct nft_door *door)
{
	struct nft *nft = nft_new_of(family, t->table);
	int r;

	nft_own_table(nft);
	for (size_t i = 0; i < ARRAY_SIZE(own_chains); i++) {
		const struct own_chain *c = &own_chains[i];

		nft_add_chain(nft, c->name, "filter", c->hook, c->priority);
		if (c->marks)
			fill_chain(nft, c->name, t->filter);
	}
	r = nft_commit_through(nft, door);
	nft_free(nft);
	return r;
}

static int open_events(struct tracer *t)
{
	int group = NFNLGRP_NFTRACE, size = SOCKET_BYTES, fd;

	t->events = mnl_socket_open2(NETLINK_NETFILTER, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!t->events || mnl_socket_bind(t->events, 0, MNL_SOCKET_AUTOPID) < 0)
		return -errno;
	fd = mnl_socket_get_fd(t->events);
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	return mnl_socket_setsockopt(t->events, NETLINK_ADD_MEMBERSHIP, &group, sizeof(group)) < 0
		       ? -errno
		       : 0;
}

static int open_here(void *data, struct error *err)
{
	struct tracer *t = data;
	int r = open_events(t);

	if (r < 0)
		return error_sys(err, r, "listen to the kernel's trace of packets");
	r = make_table(t, NFPROTO_INET, &t->doors[0]);
	if (r < 0)
		return error_sys(err, r, "make table inet %s to mark packets", t->table);
	/* Without bridges in the kernel there is nothing to trace on them. */
	r = make_table(t, NFPROTO_BRIDGE, &t->doors[1]);
	return r < 0 && r != -EOPNOTSUPP && r != -EAFNOSUPPORT && r != -ENOENT
		       ? error_sys(err, r, "make table bridge %s to mark frames", t->table)
		       : 0;
}

int tracer_open(int netns_fd, const struct trace_filter *filter, struct tracer **ret,
		struct error *err)
{
	struct tracer *t = xnew(struct tracer);
	int r;

	t->filter = filter;
	(void)snprintf(t->table, sizeof(t->table), TRACE_TABLE "-%d", (int)getpid());
	r = inside(netns_fd, open_here, t, err);
	if (r < 0) {
		tracer_close(t);
		return r;
	}
	*ret = t;
	return 0;
}

void tracer_close(struct tracer *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < ARRAY_SIZE(t->doors); i++)
		nft_door_close(&t->doors[i]);
	if (t->events)
		(void)mnl_socket_close(t->events);
	free(t);
}

int tracer_fd(const struct tracer *t)
{
	return mnl_socket_get_fd(t->events);
}

/* events */

static uint32_t be32(const struct nlattr *a)
{
	return ntohl(mnl_attr_get_u32(a));
}

static enum verdict verdict_of(uint32_t code)
{
	switch ((int)code) {
	case NF_ACCEPT:
		return VERDICT_ACCEPT;
	case NF_DROP:
		return VERDICT_DROP;
	case NFT_JUMP:
		return VERDICT_JUMP;
	case NFT_GOTO:
		return VERDICT_GOTO;
	case NFT_RETURN:
		return VERDICT_RETURN;
	case NF_QUEUE:
		return VERDICT_QUEUE;
	default:
		return (code & NF_VERDICT_MASK) == NF_QUEUE && (int)code >= 0 ? VERDICT_QUEUE
									      : VERDICT_NONE;
	}
}

static void read_verdict(const struct nlattr *nest, struct trace_event *e)
{
	const struct nlattr *a;

	mnl_attr_for_each_nested (a, nest) {
		if (mnl_attr_get_type(a) == NFTA_VERDICT_CODE)
			e->verdict = verdict_of(be32(a));
		else if (mnl_attr_get_type(a) == NFTA_VERDICT_CHAIN)
			(void)snprintf(e->target, sizeof(e->target), "%s", mnl_attr_get_str(a));
	}
}

static uint8_t read_header(const struct nlattr *a, uint8_t ret[TRACE_HEADER_MAX])
{
	size_t len = MIN((size_t)mnl_attr_get_payload_len(a), (size_t)TRACE_HEADER_MAX);

	memcpy(ret, mnl_attr_get_payload(a), len);
	return (uint8_t)len;
}

static enum trace_kind kind_of(uint32_t type)
{
	if (type == NFT_TRACETYPE_POLICY)
		return TRACE_POLICY;
	return type == NFT_TRACETYPE_RULE ? TRACE_RULE : TRACE_END;
}

static void read_connection(uint16_t type, const struct nlattr *a, struct trace_event *e)
{
	if (type == TRACE_CT_ID)
		e->ct_id = be32(a);
	else if (type == TRACE_CT_DIRECTION)
		e->is_reply = mnl_attr_get_u8(a) != 0;
	else if (type == TRACE_CT_STATUS)
		e->ct_status = be32(a);
	else if (type == TRACE_CT_STATE)
		e->ct_state = be32(a);
	else
		return;
	e->has_ct = true;
}

static void read_attribute(const struct nlattr *a, struct trace_event *e)
{
	uint16_t type = mnl_attr_get_type(a);

	switch (type) {
	case NFTA_TRACE_TABLE:
		(void)snprintf(e->table, sizeof(e->table), "%s", mnl_attr_get_str(a));
		break;
	case NFTA_TRACE_CHAIN:
		(void)snprintf(e->chain, sizeof(e->chain), "%s", mnl_attr_get_str(a));
		break;
	case NFTA_TRACE_RULE_HANDLE:
		e->handle = be64toh(mnl_attr_get_u64(a));
		break;
	case NFTA_TRACE_TYPE:
		e->kind = kind_of(be32(a));
		break;
	case NFTA_TRACE_VERDICT:
		read_verdict(a, e);
		break;
	case NFTA_TRACE_POLICY:
		e->verdict = verdict_of(be32(a));
		break;
	case NFTA_TRACE_ID:
		e->id = be32(a);
		break;
	case NFTA_TRACE_NETWORK_HEADER:
		e->network_len = read_header(a, e->network);
		break;
	case NFTA_TRACE_TRANSPORT_HEADER:
		e->transport_len = read_header(a, e->transport);
		break;
	case NFTA_TRACE_IIF:
		e->iif = (int)be32(a);
		break;
	case NFTA_TRACE_OIF:
		e->oif = (int)be32(a);
		break;
	case NFTA_TRACE_MARK:
		e->mark = be32(a);
		break;
	case NFTA_TRACE_NFPROTO:
		e->is_v6 = be32(a) == NFPROTO_IPV6;
		break;
	default:
		read_connection(type, a, e);
	}
}

static enum family family_from(uint8_t nfproto)
{
	switch (nfproto) {
	case NFPROTO_IPV4:
		return FAMILY_IP;
	case NFPROTO_IPV6:
		return FAMILY_IP6;
	case NFPROTO_BRIDGE:
		return FAMILY_BRIDGE;
	case NFPROTO_ARP:
		return FAMILY_ARP;
	case NFPROTO_NETDEV:
		return FAMILY_NETDEV;
	default:
		return FAMILY_INET;
	}
}

static enum trace_mark mark_of(const struct tracer *t, const struct trace_event *e)
{
	if (strcmp(e->table, t->table) != 0)
		return TRACE_FOREIGN;
	for (size_t i = 0; i < ARRAY_SIZE(own_chains); i++)
		if (strcmp(own_chains[i].name, e->chain) == 0)
			return own_chains[i].mark;
	return TRACE_FOREIGN;
}

/* Somebody asks at the same time as we do.  What drops is told whatever its name. */
static bool is_anothers(const struct tracer *t, const struct trace_event *e)
{
	return e->verdict != VERDICT_DROP && strcmp(e->table, t->table) != 0 &&
	       strncmp(e->table, TRACE_TABLE "-", strlen(TRACE_TABLE "-")) == 0;
}

static bool read_message(const struct tracer *t, const struct nlmsghdr *hdr,
			 struct trace_event *ret)
{
	const struct nfgenmsg *nfg = mnl_nlmsg_get_payload(hdr);
	const struct nlattr *a;

	if (hdr->nlmsg_type != ((NFNL_SUBSYS_NFTABLES << 8) | NFT_MSG_TRACE))
		return false;
	*ret = (struct trace_event) { .family = family_from(nfg->nfgen_family) };
	mnl_attr_for_each (a, hdr, sizeof(*nfg))
		read_attribute(a, ret);
	/* The end of a chain that no rule took the packet from: a rule that is none. */
	if (ret->kind == TRACE_RULE && ret->handle == 0)
		ret->kind = TRACE_END;
	ret->mark_of = mark_of(t, ret);
	/* Of ours one event is enough: the first, which has the headers. */
	return ret->mark_of == TRACE_FOREIGN ? !is_anothers(t, ret) : ret->network_len > 0;
}

int tracer_read(struct tracer *t, struct trace_event *ret, struct error *err)
{
	for (;;) {
		ssize_t n;

		while (t->next && mnl_nlmsg_ok(t->next, t->left)) {
			const struct nlmsghdr *hdr = t->next;

			t->next = mnl_nlmsg_next(hdr, &t->left);
			if (read_message(t, hdr, ret))
				return 1;
		}
		t->next = NULL;
		n = mnl_socket_recvfrom(t->events, t->bytes, sizeof(t->bytes));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return 0;
		if (n < 0 && errno == ENOBUFS)
			return error_set(err, -ENOBUFS,
					 "more packets are traced here than can be followed: ask "
					 "again, or end the rules that set nftrace");
		if (n < 0)
			return error_sys(err, -errno, "read the kernel's trace of packets");
		t->next = (const struct nlmsghdr *)t->bytes;
		t->left = (int)n;
	}
}
