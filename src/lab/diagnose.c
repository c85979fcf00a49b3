/* src/lab/diagnose.c */
#include "lab/diagnose.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "lab/locate.h"
#include "lab/raise.h"
#include "lab/rules.h"
#include "lab/segment.h"

#define HOPS_MAX   40U
#define LOCATE_MAX 40U /* each takes a tenth of a second in a large lab */

void diagnosis_init(struct diagnosis *d, struct lab *lab)
{
	*d = (struct diagnosis) { .lab = lab };
	facts_init(&d->facts, lab);
}

void diagnosis_done(struct diagnosis *d)
{
	facts_done(&d->facts);
	domains_done(&d->domains);
}

int diagnosis_observe(struct diagnosis *d, struct error *err)
{
	int r = d->observed ? 0 : domains_observe(d->lab, &d->domains, err);

	d->observed = r == 0;
	return r;
}

static const char *name_of(const struct diagnosis *d, size_t node)
{
	return d->lab->topology->nodes[node].name;
}

bool node_address(struct facts *f, size_t node, uint8_t family, struct ip_net *ret)
{
	const struct node *n = &f->lab->topology->nodes[node];
	const struct facts_node *now;

	for (size_t i = 0; i < n->n_interfaces; i++)
		for (size_t k = 0; k < n->interfaces[i].n_addresses; k++)
			if (n->interfaces[i].addresses[k].ip.family == family) {
				*ret = n->interfaces[i].addresses[k];
				return true;
			}
	if (facts_node(f, node, &now, NULL) < 0)
		return false;
	for (size_t i = 0; i < now->n_addresses; i++) {
		const struct ip_net *net = &now->addresses[i].net;

		if (net->ip.family == family && !ip_is_loopback(&net->ip) &&
		    !(family == AF_INET6 && net->ip.bytes[0] == 0xfe)) {
			*ret = *net;
			return true;
		}
	}
	return false;
}

bool node_address_for(struct facts *f, size_t from, size_t to, uint8_t first, struct ip_net *ret)
{
	const uint8_t families[] = { first, first == AF_INET ? AF_INET6 : AF_INET };
	struct ip_net own;

	for (size_t i = 0; i < ARRAY_SIZE(families); i++)
		if (node_address(f, from, families[i], &own) &&
		    node_address(f, to, families[i], ret))
			return true;
	return node_address(f, to, families[0], ret) || node_address(f, to, families[1], ret);
}

/* walking */

struct walk {
	struct diagnosis *d;
	size_t start, want;
	struct ip source, target;
	bool back;
	unsigned size;
	struct verdict *v;
	/* where it is */
	size_t node;
	int in;         /* it came in by this link; 0: it begins here */
	struct way way; /* how it leaves */
	struct ip next; /* whose hardware address is asked for */
	size_t routers[HOPS_MAX];
	size_t n_routers;
	size_t masqueraded; /* the node that put its own address into it; NO_INDEX */
};

static const struct facts_node *facts_at(struct walk *w, size_t node)
{
	const struct facts_node *n;

	return facts_node(&w->d->facts, node, &n, NULL) < 0 ? NULL : n;
}

/* The owner's mask says that both are on one link, the asker's does not, or the other way. */
static bool mask_mismatch(struct walk *w, size_t node)
{
	const struct facts_node *here = facts_at(w, node), *there = facts_at(w, w->want);
	const struct fact_address *mine, *theirs;
	struct ip_net own;
	char a[IP_NET_TEXT_LEN], b[IP_NET_TEXT_LEN];

	if (!here || !there || node == w->want)
		return false;
	if (!ip_is_set(&w->source) && node_address(&w->d->facts, node, w->target.family, &own))
		mine = fact_address(here, &own.ip);
	else
		mine = fact_address(here, &w->source);
	theirs = fact_address(there, &w->target);
	if (!mine || !theirs || mine->net.prefix_len == theirs->net.prefix_len ||
	    ip_net_has(&mine->net, &theirs->net.ip) == ip_net_has(&theirs->net, &mine->net.ip))
		return false;
	ip_net_format(&mine->net, a);
	ip_net_format(&theirs->net, b);
	return verdict_set(w->v, CAUSE_MASK_MISMATCH, node,
			   "mask mismatch: %s has %s, %s has %s, so only one of them takes the "
			   "other to be on its own link",
			   name_of(w->d, node), a, name_of(w->d, w->want), b);
}

/* What the file gives the node and it does not have now. */
static bool address_lost(struct walk *w, size_t node)
{
	const struct node *n = &w->d->lab->topology->nodes[node];
	const struct facts_node *now = facts_at(w, node);
	char text[IP_NET_TEXT_LEN];

	for (size_t i = 0; now && i < n->n_interfaces; i++) {
		const struct interface *interface = &n->interfaces[i];
		const struct fact_link *l = fact_link(now, interface_index(i));

		if (!interface->n_addresses ||
		    interface->addresses[0].ip.family != w->target.family)
			continue;
		if (l && !l->up)
			return verdict_set(w->v, CAUSE_LINK_DOWN, node, "link down: %s:%s is down",
					   n->name, interface->name);
		ip_net_format(&interface->addresses[0], text);
		if (!fact_address(now, &interface->addresses[0].ip))
			return verdict_set(w->v, CAUSE_ADDRESS_MISSING, node,
					   "%s:%s does not have %s, which the file gives it",
					   n->name, interface->name, text);
	}
	return false;
}

static void no_route(struct walk *w, int r)
{
	char text[IP_TEXT_LEN];
	const char *node = name_of(w->d, w->node);
	bool at_start = w->node == w->start;

	ip_format(&w->target, text);
	if (r == -EACCES || r == -EINVAL || (r == -EHOSTUNREACH && at_start)) {
		verdict_set(w->v, CAUSE_ROUTE_REFUSES, w->node,
			    "%s has a route or rule that refuses %s (%s)", node, text,
			    r == -EACCES   ? "prohibit"
			    : r == -EINVAL ? "blackhole"
					   : "unreachable");
		return;
	}
	if (address_lost(w, w->node) || (at_start && mask_mismatch(w, w->node)))
		return;
	if (w->back) {
		verdict_set(w->v, CAUSE_NO_RETURN_ROUTE, w->node,
			    "no return route: %s has no route back to %s", node, text);
		return;
	}
	verdict_set(w->v, CAUSE_NO_ROUTE, w->node, "no route at %s to %s: %s", node, text,
		    at_start ? "nothing is sent (network is unreachable)"
			     : "it drops the packet there");
}

/* who answers the question for the next hop */

struct answerers {
	struct walk *w;
	size_t from;     /* point that asks; NO_INDEX: an interface that the file lacks */
	size_t nodes[4]; /* that have the address and hear the question */
	int in[4];       /* by which link */
	size_t n;
	size_t deaf; /* one that has it and does not hear; NO_INDEX */
	struct link_end deaf_at;
};

/* By which of its links a node hears the asker; 0: by none. */
static int heard_by(const struct diagnosis *d, size_t from, size_t node)
{
	for (size_t i = 0; i < d->domains.n; i++)
		if (d->domains.points[i].at.node == node && d->domains.points[i].is_end &&
		    i != from && domains_hears(&d->domains, from, i))
			return interface_index(d->domains.points[i].at.interface);
	return 0;
}

static bool each_owner(void *data, size_t node, const struct fact_address *address)
{
	struct answerers *a = data;
	int in;

	if (node == a->w->node)
		return false;
	in = a->from == NO_INDEX ? address->index : heard_by(a->w->d, a->from, node);
	if (in && a->n < ARRAY_SIZE(a->nodes)) {
		a->nodes[a->n] = node;
		a->in[a->n++] = in;
	} else if (!in && a->deaf == NO_INDEX && address->index >= interface_index(0)) {
		a->deaf = node;
		a->deaf_at =
			(struct link_end) { node, (size_t)(address->index - interface_index(0)) };
	}
	return false;
}

static int interface_sysctl(struct walk *w, size_t node, int index, uint8_t family, const char *key)
{
	const struct facts_node *n = facts_at(w, node);
	const struct fact_link *l = n ? fact_link(n, index) : NULL;
	autofree char *path =
		l ? xasprintf("ipv%c/conf/%s/%s", family == AF_INET6 ? '6' : '4', l->name, key)
		  : NULL;

	return path ? facts_sysctl(&w->d->facts, node, path) : -1;
}

/* In IPv6 each address has to be named, too. */
static bool is_proxy(struct walk *w, size_t node, int in)
{
	if (w->next.family != AF_INET6)
		return interface_sysctl(w, node, in, AF_INET, "proxy_arp") == 1;
	return interface_sysctl(w, node, in, AF_INET6, "proxy_ndp") == 1 &&
	       facts_proxies(&w->d->facts, node, in, &w->next);
}

/* A router that hears the question and knows another way to the address. */
static bool find_proxy(struct walk *w, size_t from, bool on, size_t *ret_node, int *ret_in)
{
	for (size_t i = 0; i < w->d->lab->topology->n_nodes; i++) {
		struct way way;
		int in;

		if (i == w->node)
			continue;
		in = heard_by(w->d, from, i);
		if (!in || is_proxy(w, i, in) != on ||
		    facts_route(&w->d->facts, i, &w->next, NULL, 0, &way) < 0 || way.index == in ||
		    way.type != RTN_UNICAST || !w->d->lab->topology->nodes[i].forwarding)
			continue;
		*ret_node = i;
		*ret_in = in;
		return true;
	}
	return false;
}

/* A router that would answer for the address, if it had a way there. */
static bool proxy_lost_way(struct walk *w, size_t from)
{
	bool v6 = w->next.family == AF_INET6;
	char text[IP_TEXT_LEN];

	ip_format(&w->next, text);
	for (size_t i = 0; i < w->d->lab->topology->n_nodes; i++) {
		int in = i == w->node ? 0 : heard_by(w->d, from, i);
		struct way way;

		if (!in || !is_proxy(w, i, in))
			continue;
		if (facts_route(&w->d->facts, i, &w->next, NULL, 0, &way) == 0 && way.index != in)
			continue;
		return verdict_set(w->v, CAUSE_NO_ROUTE, i,
				   "nobody answered %s for %s: router %s answers for those that it "
				   "has a route to, and has none there",
				   v6 ? "ND" : "ARP", text, name_of(w->d, i));
	}
	return false;
}

/* Two links of one node lead to one subnet: the kernel takes the first. */
static bool route_clash(struct walk *w)
{
	const struct facts_node *n = facts_at(w, w->node);
	const struct fact_address *first = NULL;
	char net[IP_NET_TEXT_LEN], target[IP_TEXT_LEN];

	for (size_t i = 0; n && i < n->n_addresses; i++) {
		const struct fact_address *a = &n->addresses[i];
		struct ip_net subnet = ip_net_of(&a->net);
		const struct fact_link *x, *y;

		if (!ip_net_has(&a->net, &w->next))
			continue;
		if (!first) {
			first = a;
			continue;
		}
		x = fact_link(n, first->index);
		y = fact_link(n, a->index);
		if (first->index == a->index || !x || !y)
			continue;
		ip_net_format(&subnet, net);
		ip_format(&w->next, target);
		return verdict_set(w->v, CAUSE_ROUTE_CLASH, w->node,
				   "two equal routes at %s: %s and %s both lead to %s, and the "
				   "first wins: %s is asked for on the wrong one",
				   name_of(w->d, w->node), x->name, y->name, net, target);
	}
	return false;
}

static void gateway_unanswered(struct walk *w, const struct answerers *a)
{
	const struct diagnosis *d = w->d;
	const struct link_end from = d->domains.points[a->from].at;
	char text[IP_TEXT_LEN], end[LINK_END_LEN], other[IP_NET_TEXT_LEN];

	ip_format(&w->next, text);
	if (a->deaf != NO_INDEX) {
		if (segment_is_wired(d->lab->topology, &from, &a->deaf_at)) {
			segment_explain(&d->domains, &w->d->facts, &from, &a->deaf_at, w->v);
			return;
		}
		link_end_format(d->lab->topology, &a->deaf_at, end);
		verdict_set(w->v, CAUSE_WRONG_GATEWAY, w->node,
			    "wrong gateway: %s sends by way of %s, which is %s and not on its "
			    "segment",
			    name_of(d, w->node), text, end);
		return;
	}
	for (size_t i = 0; i < d->lab->topology->n_nodes; i++) {
		const struct facts_node *n = facts_at(w, i);
		const struct fact_address *there = n ? fact_subnet(n, &w->next) : NULL;

		if (!there || i == w->node || !d->lab->topology->nodes[i].forwarding)
			continue;
		if (address_lost(w, i))
			return;
		ip_net_format(&there->net, other);
		verdict_set(w->v, CAUSE_WRONG_GATEWAY, w->node,
			    "wrong gateway: %s sends by way of %s, which nobody has; %s has %s",
			    name_of(d, w->node), text, name_of(d, i), other);
		return;
	}
	for (size_t i = 0; i < d->lab->topology->n_nodes; i++)
		if (d->lab->topology->nodes[i].forwarding && i != w->node && address_lost(w, i))
			return;
	verdict_set(w->v, CAUSE_WRONG_GATEWAY, w->node,
		    "wrong gateway: %s sends by way of %s, which nobody has", name_of(d, w->node),
		    text);
}

static void target_unanswered(struct walk *w, const struct answerers *a)
{
	const struct diagnosis *d = w->d;
	const struct link_end from = d->domains.points[a->from].at;
	const char *asking = w->next.family == AF_INET6 ? "ND" : "ARP";
	char text[IP_TEXT_LEN];
	size_t proxy;
	int in;

	ip_format(&w->next, text);
	if (a->deaf == NO_INDEX) {
		if (address_lost(w, w->want))
			return;
		verdict_set(w->v, CAUSE_ADDRESS_MISSING, w->want,
			    "%s unanswered: %s asked who has %s, and nobody in the lab has it",
			    asking, name_of(d, w->node), text);
		return;
	}
	if (segment_is_wired(d->lab->topology, &from, &a->deaf_at)) {
		struct verdict v = { .cause = CAUSE_NONE, .node = NO_INDEX };

		segment_explain(&d->domains, &w->d->facts, &from, &a->deaf_at, &v);
		/* Of two that are kept apart the one should not have asked the other. */
		if (v.cause != CAUSE_VLAN || !mask_mismatch(w, w->node))
			*w->v = v;
		return;
	}
	if (route_clash(w) || mask_mismatch(w, w->node))
		return;
	if (find_proxy(w, a->from, false, &proxy, &in)) {
		verdict_set(w->v, CAUSE_PROXY_ARP_OFF, proxy,
			    "nobody answered %s for %s; router %s could have (it has a route), "
			    "%s",
			    asking, text, name_of(d, proxy),
			    w->next.family != AF_INET6 ? "proxy_arp is off"
			    : interface_sysctl(w, proxy, in, AF_INET6, "proxy_ndp") == 1
				    ? "but proxy NDP answers for the addresses that are named to "
				      "it ('ip neigh add proxy'), and this is not"
				    : "proxy_ndp is off");
		return;
	}
	if (proxy_lost_way(w, a->from))
		return;
	verdict_set(
		w->v, CAUSE_ARP_UNANSWERED, w->node,
		"%s unanswered: %s takes %s to be on its own link, but %s is on another segment",
		asking, name_of(d, w->node), text, name_of(d, a->deaf));
}

/* An entry made by hand is believed, whatever is true. */
static bool told_wrong(struct walk *w, const struct answerers *a)
{
	unsigned char mac[MAC_LEN], right[MAC_LEN] = { 0 };
	int state = facts_neighbour(&w->d->facts, w->node, w->way.index, &w->next, mac);
	const struct facts_node *n = a->n ? facts_at(w, a->nodes[0]) : NULL;
	const struct fact_link *l = n ? fact_link(n, a->in[0]) : NULL;
	char said[MAC_TEXT_LEN], is[MAC_TEXT_LEN], text[IP_TEXT_LEN];

	if (!(state & NUD_PERMANENT) || !l || memcmp(l->mac, mac, MAC_LEN) == 0)
		return false;
	memcpy(right, l->mac, MAC_LEN);
	mac_format(mac, said);
	mac_format(right, is);
	ip_format(&w->next, text);
	return verdict_set(w->v, CAUSE_WRONG_NEIGHBOUR, w->node,
			   "wrong neighbour entry: %s was told that %s is at %s, but %s:%s has %s",
			   name_of(w->d, w->node), text, said, name_of(w->d, a->nodes[0]), l->name,
			   is);
}

static bool same_mac(struct walk *w, size_t node, int index)
{
	const struct facts_node *n = facts_at(w, node);
	const struct fact_link *l = n ? fact_link(n, index) : NULL, *k;
	size_t other;
	int other_index;
	char mac[MAC_TEXT_LEN];

	if (!l || !facts_mac(&w->d->facts, l->mac, node, &other, &other_index))
		return false;
	k = fact_link(facts_at(w, other), other_index);
	mac_format(l->mac, mac);
	return verdict_set(w->v, CAUSE_DUPLICATE_MAC, other,
			   "duplicate MAC address: %s:%s and %s:%s both have %s",
			   name_of(w->d, node), l->name, name_of(w->d, other), k->name, mac);
}

static bool does_not_answer(struct walk *w, size_t node, int index)
{
	const struct facts_node *n = facts_at(w, node);
	const struct fact_link *l = n ? fact_link(n, index) : NULL;
	char text[IP_TEXT_LEN];
	int ignore;

	ip_format(&w->next, text);
	if (l && l->noarp)
		return verdict_set(w->v, CAUSE_ARP_UNANSWERED, node,
				   "ARP unanswered: ARP is switched off at %s:%s (ip link set %s "
				   "arp on)",
				   name_of(w->d, node), l->name, l->name);
	if (w->next.family != AF_INET || !l)
		return false;
	ignore = MAX(interface_sysctl(w, node, index, AF_INET, "arp_ignore"),
		     facts_sysctl(&w->d->facts, node, "ipv4/conf/all/arp_ignore"));
	if (ignore == 8 ||
	    (ignore > 0 && fact_address(n, &w->next) && fact_address(n, &w->next)->index != index))
		return verdict_set(w->v, CAUSE_ARP_UNANSWERED, node,
				   "ARP unanswered: %s hears who has %s, but arp_ignore is %d "
				   "there",
				   name_of(w->d, node), text, ignore);
	return false;
}

/* To the next node; false: the verdict is set. */
static bool find_next(struct walk *w, size_t *ret_node, int *ret_in)
{
	struct answerers a = { .w = w, .deaf = NO_INDEX, .from = NO_INDEX };
	const struct fact_link *out = fact_link(facts_at(w, w->node), w->way.index);
	bool proxied = false;

	if (w->way.index >= interface_index(0))
		a.from = domains_find(&w->d->domains, w->node,
				      (size_t)(w->way.index - interface_index(0)));
	if (out && out->noarp && a.from != NO_INDEX)
		return !verdict_set(w->v, CAUSE_ARP_UNANSWERED, w->node,
				    "ARP unanswered: ARP is switched off at %s:%s, nothing is "
				    "asked (ip link set %s arp on)",
				    name_of(w->d, w->node), out->name, out->name);
	(void)facts_owners(&w->d->facts, &w->next, each_owner, &a);
	if (a.n == 0 && a.from != NO_INDEX) {
		proxied = find_proxy(w, a.from, true, &a.nodes[0], &a.in[0]);
		a.n = proxied;
	}
	if (a.n > 1) {
		char text[IP_TEXT_LEN];

		ip_format(&w->next, text);
		return !verdict_set(w->v, CAUSE_DUPLICATE_ADDRESS, a.nodes[1],
				    "duplicate address: %s and %s both have %s, and both answer",
				    name_of(w->d, a.nodes[0]), name_of(w->d, a.nodes[1]), text);
	}
	if (a.n == 0 && a.from != NO_INDEX) {
		if (ip_is_set(&w->way.via))
			gateway_unanswered(w, &a);
		else
			target_unanswered(w, &a);
		return false;
	}
	if (a.n == 0)
		return !verdict_set(w->v, CAUSE_UNKNOWN, w->node,
				    "%s has an interface that the file does not know",
				    name_of(w->d, w->node));
	if (told_wrong(w, &a) || (!proxied && does_not_answer(w, a.nodes[0], a.in[0])) ||
	    same_mac(w, a.nodes[0], a.in[0]))
		return false;
	*ret_node = a.nodes[0];
	*ret_in = a.in[0];
	return true;
}

/* at a node that it came to */

static bool forwards(struct walk *w)
{
	bool v6 = w->target.family == AF_INET6;
	const struct node *n = &w->d->lab->topology->nodes[w->node];
	int on = interface_sysctl(w, w->node, w->in, w->target.family, "forwarding");
	char text[IP_TEXT_LEN];

	if (on != 0)
		return true;
	ip_format(&w->next, text);
	if (!n->forwarding)
		return !verdict_set(w->v, CAUSE_WRONG_GATEWAY, w->node,
				    "wrong gateway: %s sends by way of %s, which is %s, a %s that "
				    "does not forward",
				    name_of(w->d, w->start), text, n->name,
				    node_kind_name(n->kind));
	if (facts_sysctl(&w->d->facts, w->node,
			 v6 ? "ipv6/conf/all/forwarding" : "ipv4/ip_forward") == 0)
		return !verdict_set(w->v, CAUSE_FORWARDING_OFF, w->node,
				    "%s does not forward: 'sysctl -w net.%s=1' there changes it",
				    n->name, v6 ? "ipv6.conf.all.forwarding" : "ipv4.ip_forward");
	return !verdict_set(w->v, CAUSE_FORWARDING_OFF, w->node,
			    "%s does not forward what comes in by %s: its sysctl "
			    "net.ipv%c.conf.%s.forwarding is 0",
			    n->name, fact_link(facts_at(w, w->node), w->in)->name, v6 ? '6' : '4',
			    fact_link(facts_at(w, w->node), w->in)->name);
}

/* What comes from where the node itself would not send is dropped by a strict filter. */
static bool reverse_path(struct walk *w)
{
	int filter = MAX(interface_sysctl(w, w->node, w->in, AF_INET, "rp_filter"),
			 facts_sysctl(&w->d->facts, w->node, "ipv4/conf/all/rp_filter"));
	const struct facts_node *n = facts_at(w, w->node);
	const struct fact_link *in, *out;
	struct way way;
	char text[IP_TEXT_LEN];
	int r;

	if (w->target.family != AF_INET || filter < 1)
		return true;
	r = facts_route(&w->d->facts, w->node, &w->source, NULL, 0, &way);
	if (r == 0 && (way.index == w->in || filter == 2))
		return true;
	in = fact_link(n, w->in);
	out = r == 0 ? fact_link(n, way.index) : NULL;
	ip_format(&w->source, text);
	return !verdict_set(w->v, CAUSE_RP_FILTER, w->node,
			    "reverse-path filter: %s drops what comes from %s by %s, since its own "
			    "way there is %s%s (rp_filter is %d)",
			    name_of(w->d, w->node), text, in ? in->name : "that link",
			    out ? "by " : "not known", out ? out->name : "", filter);
}

static bool fits(struct walk *w)
{
	const struct fact_link *l = fact_link(facts_at(w, w->node), w->way.index);

	/* Not the route's: that remembers what routers said before. */
	if (!w->size || !l || w->size <= l->mtu)
		return true;
	return !verdict_set(w->v, CAUSE_MTU, w->node,
			    "MTU: %s:%s takes %u bytes, the packet has %u and may not be split",
			    name_of(w->d, w->node), l->name, l->mtu, w->size);
}

static void masquerade(struct walk *w)
{
	const struct node *n = &w->d->lab->topology->nodes[w->node];
	const struct facts_node *now = facts_at(w, w->node);
	autofree char *rules = NULL;

	for (size_t i = 0; i < n->n_nat; i++) {
		if (interface_index(n->nat[i]) != w->way.index)
			continue;
		rules = rules_read(w->d->lab, w->node);
		for (size_t k = 0; rules_masquerade(rules) && k < now->n_addresses; k++)
			if (now->addresses[k].index == w->way.index &&
			    now->addresses[k].net.ip.family == w->source.family) {
				w->source = now->addresses[k].net.ip;
				w->masqueraded = w->node;
			}
	}
}

static bool lives_on(struct walk *w)
{
	int ttl = w->target.family == AF_INET6
			  ? facts_sysctl(&w->d->facts, w->start, "ipv6/conf/all/hop_limit")
			  : facts_sysctl(&w->d->facts, w->start, "ipv4/ip_default_ttl");
	bool loops = false;

	for (size_t i = 0; i < w->n_routers; i++)
		loops = loops || w->routers[i] == w->node;
	if (loops)
		return !verdict_set(w->v, CAUSE_ROUTING_LOOP, w->node,
				    "routing loop: %s and %s send it to each other until its TTL "
				    "is used up",
				    name_of(w->d, w->routers[w->n_routers - 1]),
				    name_of(w->d, w->node));
	w->routers[w->n_routers++] = w->node;
	if (ttl > 0 && w->n_routers >= (size_t)ttl)
		return !verdict_set(w->v, CAUSE_TTL, w->node,
				    "TTL: %s sends with a TTL of %d, which is used up at %s",
				    name_of(w->d, w->start), ttl, name_of(w->d, w->node));
	return w->n_routers < HOPS_MAX;
}

/* Goes on from a router; false: the verdict is set. */
static bool pass_on(struct walk *w)
{
	int r;

	if (!forwards(w) || !lives_on(w))
		return false;
	r = facts_route(&w->d->facts, w->node, &w->target, &w->source, w->in, &w->way);
	if (r == -EINVAL || r == -EXDEV) {
		if (!reverse_path(w))
			return false;
		no_route(w, -EINVAL);
		return false;
	}
	if (r < 0) {
		if (r == -EHOSTUNREACH)
			verdict_set(w->v, CAUSE_ROUTE_REFUSES, w->node,
				    "%s has a route of type unreachable there",
				    name_of(w->d, w->node));
		else
			no_route(w, r);
		return false;
	}
	if (!fits(w))
		return false;
	masquerade(w);
	return true;
}

static bool is_here(struct walk *w, bool *ret_wrong)
{
	char text[IP_TEXT_LEN];

	if (w->way.type != RTN_LOCAL)
		return false;
	*ret_wrong = w->node != w->want;
	ip_format(&w->target, text);
	if (*ret_wrong)
		verdict_set(w->v, CAUSE_DUPLICATE_ADDRESS, w->node,
			    "duplicate address: %s has %s itself, and %s has it, too",
			    name_of(w->d, w->node), text, name_of(w->d, w->want));
	return true;
}

/* Whether it arrives; else the verdict is set. */
static bool walk(struct walk *w)
{
	bool wrong = false;
	int r;

	w->node = w->start;
	r = facts_route(&w->d->facts, w->start, &w->target, w->back ? &w->source : NULL, 0,
			&w->way);
	if (r == -EINVAL && w->back) /* we do not have that address any more */
		r = facts_route(&w->d->facts, w->start, &w->target, NULL, 0, &w->way);
	if (r < 0) {
		no_route(w, r);
		return false;
	}
	if (!w->back)
		w->source = w->way.source;
	for (;;) {
		size_t next = NO_INDEX;

		if (is_here(w, &wrong))
			return !wrong;
		if (w->way.type != RTN_UNICAST) {
			no_route(w, -EHOSTUNREACH);
			return false;
		}
		w->next = ip_is_set(&w->way.via) ? w->way.via : w->target;
		if (!fits(w) || !find_next(w, &next, &w->in))
			return false;
		w->node = next;
		if (fact_address(facts_at(w, next), &w->target)) {
			w->way = (struct way) { .type = RTN_LOCAL };
			if (!is_here(w, &wrong) || wrong)
				return false;
			return reverse_path(w);
		}
		if (!pass_on(w))
			return false;
	}
}

bool find_mask_mismatch(struct diagnosis *d, const struct question *q, struct verdict *ret)
{
	struct walk w = { .d = d, .want = q->to, .target = q->target, .v = ret };

	return q->to != NO_INDEX && mask_mismatch(&w, q->from);
}

static bool first_owner(void *data, size_t node, const struct fact_address *address)
{
	(void)address;
	*(size_t *)data = node;
	return true;
}

/* There and back.  The verdict is set, or all that is looked at is right. */
static void walk_both(struct diagnosis *d, const struct question *q, struct verdict *v)
{
	struct walk there = { .d = d,
			      .start = q->from,
			      .want = q->to,
			      .target = q->target,
			      .size = q->size,
			      .v = v,
			      .masqueraded = NO_INDEX };
	struct walk back = {
		.d = d, .back = true, .size = q->size, .v = v, .masqueraded = NO_INDEX
	};

	if (there.want == NO_INDEX &&
	    !facts_owners(&d->facts, &q->target, first_owner, &there.want))
		there.want = q->from;
	if (v->cause != CAUSE_NONE || !walk(&there))
		return;
	back.start = there.want;
	back.want = there.masqueraded == NO_INDEX ? q->from : there.masqueraded;
	back.source = q->target;
	back.target = there.source;
	v->on_return = !walk(&back);
}

void explain_below(struct diagnosis *d, struct verdict *v)
{
	struct verdict under = { .cause = CAUSE_NONE, .node = NO_INDEX };
	struct question q = { .from = v->below_from, .to = NO_INDEX, .target = v->below_to };

	if (!ip_is_set(&v->below_to))
		return;
	walk_both(d, &q, &under);
	if (under.cause == CAUSE_NONE || under.cause == CAUSE_VXLAN)
		return;
	*v = (struct verdict) { .cause = CAUSE_NONE };
	verdict_set(v, under.cause, under.node, "VXLAN, on the way below: %s", under.text);
}

int diagnose(struct diagnosis *d, const struct question *q, struct verdict *ret, struct error *err)
{
	struct verdict v = { .cause = CAUSE_NONE, .node = NO_INDEX };
	int r = diagnosis_observe(d, err);

	if (r < 0)
		return r;
	if (d->domains.storm)
		verdict_set(&v, CAUSE_STORM, NO_INDEX,
			    "broadcast storm: a loop without spanning tree, %llu frames a second; "
			    "the bridges have been taken down",
			    (unsigned long long)d->domains.storm_rate);
	walk_both(d, q, &v);
	explain_below(d, &v);
	if (v.cause == CAUSE_NONE && d->located++ < LOCATE_MAX)
		r = locate(d, q, &v, err);
	if (r == 0)
		verdict_set(&v, CAUSE_UNKNOWN, NO_INDEX,
			    "lost on the way, as %u others, which were looked at more closely",
			    LOCATE_MAX);
	*ret = v;
	return r;
}
