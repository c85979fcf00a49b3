/* src/lab/segment.c */
#include "lab/segment.h"

#include <linux/if_bridge.h>
#include <string.h>

#include "base/alloc.h"
#include "lab/domains.h"
#include "lab/facts.h"
#include "lab/raise.h"
#include "lab/rules.h"
#include "lab/tunnel.h"
#include "lab/vlan.h"

/* the way by cables */

struct way_by_wire {
	struct link_end *ends; /* out of one, into the next, out of that bridge, ... */
	size_t n;
};

/* Every interface is visited once, numbered over all nodes. */
struct search {
	const struct topology *t;
	size_t *base;
	size_t *from; /* the interface that we came from; NO_INDEX: not seen */
	struct link_end *queue;
	size_t head, tail;
};

static size_t id(const struct search *s, const struct link_end *e)
{
	return s->base[e->node] + e->interface;
}

static void visit(struct search *s, const struct link_end *e, size_t from)
{
	if (s->from[id(s, e)] != NO_INDEX)
		return;
	s->from[id(s, e)] = from;
	s->queue[s->tail++] = *e;
}

/* The cable below a VLAN. */
static struct link_end wire_end(const struct topology *t, const struct link_end *e)
{
	struct link_end below = *e;

	while (link_end_interface(t, &below)->kind == IF_VLAN)
		below.interface = link_end_interface(t, &below)->parent;
	return below;
}

static void across_link(struct search *s, const struct link_end *e)
{
	const struct interface *i = link_end_interface(s->t, e);
	const struct lab_link *l;

	if (i->kind != IF_CABLE || i->link == NO_INDEX)
		return;
	l = &s->t->links[i->link];
	visit(s,
	      l->ends[0].node == e->node && l->ends[0].interface == e->interface ? &l->ends[1]
										 : &l->ends[0],
	      id(s, e));
}

/* Any other may be the other end: which one it is may be just what is wrong. */
static void across_tunnel(struct search *s, const struct link_end *e)
{
	if (link_end_interface(s->t, e)->kind != IF_VXLAN)
		return;
	for (size_t n = 0; n < s->t->n_nodes; n++)
		for (size_t i = 0; n != e->node && i < s->t->nodes[n].n_interfaces; i++)
			if (s->t->nodes[n].interfaces[i].kind == IF_VXLAN)
				visit(s, &(struct link_end) { n, i }, id(s, e));
}

static bool is_bridged(const struct interface *i)
{
	return i->kind == IF_BRIDGE ||
	       ((i->kind == IF_CABLE || i->kind == IF_VXLAN) && !i->routed && !i->n_addresses);
}

static void across_bridge(struct search *s, const struct link_end *e)
{
	const struct node *n = &s->t->nodes[e->node];

	if (!node_is_bridge(n) || !is_bridged(&n->interfaces[e->interface]))
		return;
	for (size_t i = 0; i < n->n_interfaces; i++)
		if (i != e->interface && is_bridged(&n->interfaces[i]))
			visit(s, &(struct link_end) { e->node, i }, id(s, e));
}

static void search_init(struct search *s, const struct topology *t)
{
	size_t n = 0;

	*s = (struct search) { .t = t, .base = xcalloc(t->n_nodes, sizeof(*s->base)) };
	for (size_t i = 0; i < t->n_nodes; i++) {
		s->base[i] = n;
		n += t->nodes[i].n_interfaces;
	}
	s->from = xcalloc(n, sizeof(*s->from));
	s->queue = xcalloc(n, sizeof(*s->queue));
	for (size_t i = 0; i < n; i++)
		s->from[i] = NO_INDEX;
}

static void search_done(struct search *s)
{
	free(s->base);
	free(s->from);
	free(s->queue);
}

/* From behind: the queue holds every end that was visited. */
static void trace_back(const struct search *s, size_t last, struct way_by_wire *ret)
{
	struct link_end *ends = xcalloc(s->tail, sizeof(*ends));
	size_t n = 0, at = last;

	for (size_t i = s->tail; i-- > 0;) {
		if (id(s, &s->queue[i]) != at)
			continue;
		ends[n++] = s->queue[i];
		if (s->from[at] == at)
			break;
		at = s->from[at];
	}
	for (size_t i = 0; i < n / 2; i++) {
		struct link_end swap = ends[i];

		ends[i] = ends[n - 1 - i];
		ends[n - 1 - i] = swap;
	}
	*ret = (struct way_by_wire) { .ends = ends, .n = n };
}

static bool find_way(const struct topology *t, const struct link_end *from,
		     const struct link_end *to, struct way_by_wire *ret)
{
	struct link_end start = wire_end(t, from), goal = wire_end(t, to);
	struct search s;
	bool found;

	search_init(&s, t);
	visit(&s, &start, id(&s, &start));
	while (s.head < s.tail && s.from[id(&s, &goal)] == NO_INDEX) {
		struct link_end now = s.queue[s.head++];

		across_link(&s, &now);
		across_tunnel(&s, &now);
		/* A node passes on only what came in by another port. */
		if (s.head > 1 || link_end_interface(t, &now)->kind == IF_BRIDGE)
			across_bridge(&s, &now);
	}
	found = s.from[id(&s, &goal)] != NO_INDEX;
	if (found && ret)
		trace_back(&s, id(&s, &goal), ret);
	search_done(&s);
	return found;
}

bool segment_is_wired(const struct topology *t, const struct link_end *from,
		      const struct link_end *to)
{
	return find_way(t, from, to, NULL);
}

/* what is wrong at a place */

static const struct fact_link *link_at(struct facts *f, const struct link_end *e)
{
	const struct facts_node *n;

	return facts_node(f, e->node, &n, NULL) < 0 ? NULL
						    : fact_link(n, interface_index(e->interface));
}

static bool is_down(struct facts *f, const struct link_end *e, struct verdict *v)
{
	const struct topology *t = f->lab->topology;
	const struct fact_link *l = link_at(f, e);
	char name[LINK_END_LEN];

	link_end_format(t, e, name);
	if (!l)
		return verdict_set(v, CAUSE_LINK_DOWN, e->node, "%s does not exist any more", name);
	if (!l->up)
		return verdict_set(v, CAUSE_LINK_DOWN, e->node, "link down: %s is down", name);
	return false;
}

static bool other_end_is_down(struct facts *f, const struct link_end *e, struct verdict *v)
{
	const struct topology *t = f->lab->topology;
	const struct interface *i = link_end_interface(t, e);
	const struct lab_link *l = i->link == NO_INDEX ? NULL : &t->links[i->link];

	if (!l)
		return false;
	return is_down(
		f, &l->ends[l->ends[0].node == e->node && l->ends[0].interface == e->interface], v);
}

static void explain_cable(struct facts *f, const struct link_end *a, const struct link_end *b,
			  struct verdict *v)
{
	char from[LINK_END_LEN], to[LINK_END_LEN];

	if (is_down(f, a, v) || is_down(f, b, v))
		return;
	if (link_end_interface(f->lab->topology, a)->kind == IF_VXLAN) {
		tunnel_explain(f, a, b, v);
		return;
	}
	link_end_format(f->lab->topology, a, from);
	link_end_format(f->lab->topology, b, to);
	verdict_set(v, CAUSE_FRAMES_LOST, a->node,
		    "frames that leave %s do not arrive at %s: look at filters on both ends", from,
		    to);
}

/* Such a port is in no bridge: its legs are. */
static bool is_built_trunk(const struct facts *f, const struct link_end *e)
{
	return f->lab->vlan == MEANS_BUILT && link_end_interface(f->lab->topology, e)->n_trunk > 0;
}

static bool port_is_off(struct facts *f, const struct link_end *e, struct verdict *v)
{
	const struct topology *t = f->lab->topology;
	const struct fact_link *l = link_at(f, e);
	char name[LINK_END_LEN];

	if (is_down(f, e, v))
		return true;
	link_end_format(t, e, name);
	if (link_end_interface(t, e)->kind == IF_BRIDGE)
		return false;
	if (!l->master && !is_built_trunk(f, e))
		return verdict_set(v, CAUSE_UNPLUGGED, e->node,
				   "%s is no port of the switch any more", name);
	if (l->stp_state == BR_STATE_DISABLED && !l->carrier)
		return other_end_is_down(f, e, v) ||
		       verdict_set(v, CAUSE_LINK_DOWN, e->node,
				   "link down: nothing is up at the other end of %s", name);
	if (l->stp_state != BR_STATE_FORWARDING)
		return verdict_set(v, CAUSE_STP, e->node,
				   "%s is blocked: its spanning tree state is %s", name,
				   l->stp_state == BR_STATE_BLOCKING   ? "blocking"
				   : l->stp_state == BR_STATE_DISABLED ? "disabled"
								       : "listening or learning");
	return false;
}

/* The VLAN of untagged frames at a port, as the kernel has it; 0: none. */
static uint16_t access_of(const struct facts *f, const struct link_end *e,
			  const struct fact_link *l)
{
	const struct interface *i = link_end_interface(f->lab->topology, e);

	if (l->has_vlans)
		return l->pvid;
	if (f->lab->vlan == MEANS_BUILT && l->master && i->n_trunk == 0)
		return vlan_of_bridge(&f->lab->topology->nodes[e->node], l->master);
	return i->n_trunk ? i->native : i->vlan;
}

/* Whether a port takes frames of a VLAN with their tag, or as its native one. */
static bool carries(struct facts *f, const struct link_end *e, const struct fact_link *l,
		    uint16_t vlan)
{
	const struct node *node = &f->lab->topology->nodes[e->node];
	const struct facts_node *n;

	if (l->has_vlans)
		return l->vlans[vlan / 8] & 1U << vlan % 8;
	if (f->lab->vlan != MEANS_BUILT || facts_node(f, e->node, &n, NULL) < 0)
		return false;
	for (size_t i = 0; i < n->n_links; i++)
		if (n->links[i].index >= VLAN_LEG_INDEX && n->links[i].master &&
		    vlan_leg_port(node, n->links[i].index) == e->interface &&
		    vlan_of_bridge(node, n->links[i].master) == vlan)
			return true;
	return false;
}

/* Between a trunk and an access port.  What the trunk carries, and does not pass on all the same,
 * has come without its tag: the other end takes another VLAN to be the native one.
 */
static bool trunk_differs(struct facts *f, const struct link_end *trunk,
			  const struct link_end *access, struct verdict *v)
{
	const struct topology *t = f->lab->topology;
	const struct fact_link *x = link_at(f, trunk), *l;
	uint16_t vlan = access_of(f, access, link_at(f, access)), here, there;
	const struct interface *i = link_end_interface(t, trunk);
	struct link_end other;
	char one[LINK_END_LEN], two[LINK_END_LEN];

	link_end_format(t, trunk, one);
	if (!carries(f, trunk, x, vlan)) {
		link_end_format(t, access, two);
		return verdict_set(v, CAUSE_VLAN, trunk->node,
				   "VLAN mismatch: %s is in VLAN %u, which the trunk %s does not "
				   "carry",
				   two, vlan, one);
	}
	if (i->link == NO_INDEX)
		return false;
	other = t->links[i->link].ends[t->links[i->link].ends[0].node == trunk->node &&
				       t->links[i->link].ends[0].interface == trunk->interface];
	l = link_at(f, &other);
	here = access_of(f, trunk, x);
	there = l ? access_of(f, &other, l) : here;
	if (here == there)
		return false;
	link_end_format(t, &other, two);
	return verdict_set(v, CAUSE_VLAN, trunk->node,
			   "VLAN mismatch: native VLANs differ: frames without a tag are in VLAN "
			   "%u at %s, in VLAN %u at %s (0: dropped)",
			   there, two, here, one);
}

static bool vlans_differ(struct facts *f, const struct link_end *a, const struct link_end *b,
			 struct verdict *v)
{
	const struct topology *t = f->lab->topology;
	const struct fact_link *x = link_at(f, a), *y = link_at(f, b);
	char from[LINK_END_LEN], to[LINK_END_LEN];
	uint16_t one = access_of(f, a, x), other = access_of(f, b, y);

	if (!t->nodes[a->node].vlan_aware && !x->has_vlans && !y->has_vlans &&
	    x->master == y->master)
		return false;
	if (link_end_interface(t, a)->n_trunk && !link_end_interface(t, b)->n_trunk &&
	    trunk_differs(f, a, b, v))
		return true;
	if (link_end_interface(t, b)->n_trunk && !link_end_interface(t, a)->n_trunk &&
	    trunk_differs(f, b, a, v))
		return true;
	link_end_format(t, a, from);
	link_end_format(t, b, to);
	if (one && other && one != other)
		return verdict_set(v, CAUSE_VLAN, a->node,
				   "VLAN mismatch: %s is in VLAN %u, %s in VLAN %u", from, one, to,
				   other);
	if (one && !other)
		return verdict_set(v, CAUSE_VLAN, b->node,
				   "VLAN mismatch: %s is in VLAN %u, which %s does not carry", from,
				   one, to);
	if (other && !one)
		return verdict_set(v, CAUSE_VLAN, a->node,
				   "VLAN mismatch: %s is in VLAN %u, which %s does not carry", to,
				   other, from);
	return verdict_set(v, CAUSE_VLAN, a->node,
			   "VLAN mismatch: %s and %s have no VLAN in common for these frames", from,
			   to);
}

/* Rules of the families that a bridge asks; those for IP see nothing of what it passes on. */
static bool bridge_filters(struct facts *f, size_t node, struct verdict *v)
{
	static const char *const hooks[] = { "prerouting", "forward", "postrouting", "ingress",
					     "egress" };
	static const char *const families[] = { "table bridge ", "table netdev " };
	autofree char *rules = rules_read(f->lab, node);

	for (size_t i = 0; i < ARRAY_SIZE(hooks); i++) {
		autofree char *rule = rules_find_drop(rules, hooks[i]);

		for (size_t k = 0; rule && k < ARRAY_SIZE(families); k++)
			if (strncmp(rule, families[k], strlen(families[k])) == 0)
				return verdict_set(v, CAUSE_FIREWALL, node,
						   "firewall of the bridge %s at %s: %s",
						   f->lab->topology->nodes[node].name, hooks[i],
						   rule);
	}
	return false;
}

static void explain_bridge(struct facts *f, const struct link_end *in, const struct link_end *out,
			   struct verdict *v)
{
	const struct topology *t = f->lab->topology;
	const char *node = t->nodes[in->node].name;
	struct link_end bridge = { in->node,
				   node_find_interface(&t->nodes[in->node], BRIDGE_NAME) };
	const struct fact_link *x, *y;
	char from[LINK_END_LEN], to[LINK_END_LEN];

	if (bridge.interface != NO_INDEX && is_down(f, &bridge, v))
		return;
	if (port_is_off(f, in, v) || port_is_off(f, out, v))
		return;
	x = link_at(f, in);
	y = link_at(f, out);
	link_end_format(t, in, from);
	link_end_format(t, out, to);
	if (x->isolated && y->isolated) {
		verdict_set(v, CAUSE_ISOLATED, in->node,
			    "isolated port: %s and %s are both isolated, %s passes nothing between "
			    "them",
			    from, to, node);
		return;
	}
	if (link_end_interface(t, out)->kind != IF_BRIDGE && y->master && !y->flood_broadcast) {
		verdict_set(v, CAUSE_FLOOD_OFF, out->node,
			    "%s sends no broadcast out of %s: bcast_flood is off there, so no ARP "
			    "request passes",
			    node, to);
		return;
	}
	if (vlans_differ(f, in, out, v))
		return;
	if (bridge_filters(f, in->node, v))
		return;
	verdict_set(v, CAUSE_UNKNOWN, in->node,
		    "%s does not pass on what comes in by %s to %s, and nothing there says why: "
		    "frames may be late, on a busy machine",
		    node, from, to);
}

/* Tags make one way carry several domains: the access ports at both ends tell them apart. */
static bool explain_tags(struct facts *f, const struct way_by_wire *way, struct verdict *v)
{
	const struct topology *t = f->lab->topology;

	for (size_t i = 1; i + 2 < way->n; i += 2) {
		const struct fact_link *x = link_at(f, &way->ends[i]),
				       *y = link_at(f, &way->ends[i + 1]);
		const struct interface *p = link_end_interface(t, &way->ends[i]),
				       *q = link_end_interface(t, &way->ends[i + 1]);
		uint16_t one, other;

		if (!x || !y || p->n_trunk || q->n_trunk)
			continue;
		one = access_of(f, &way->ends[i], x);
		other = access_of(f, &way->ends[i + 1], y);
		if (one != other)
			return vlans_differ(f, &way->ends[i], &way->ends[i + 1], v);
	}
	return false;
}

void segment_explain(const struct domains *d, struct facts *f, const struct link_end *from,
		     const struct link_end *to, struct verdict *ret)
{
	const struct topology *t = f->lab->topology;
	size_t point = domains_find(d, from->node, from->interface);
	struct way_by_wire way = { .n = 0 };
	char a[LINK_END_LEN], b[LINK_END_LEN];

	link_end_format(t, from, a);
	link_end_format(t, to, b);
	if (point == NO_INDEX || !find_way(t, from, to, &way)) {
		verdict_set(ret, CAUSE_NOT_CONNECTED, from->node,
			    "no cable leads from %s to %s: they are not on one segment", a, b);
		return;
	}
	/* Even: by a cable from ends[i] to the next; odd: through a bridge. */
	for (size_t i = 0; i < way.n && ret->cause == CAUSE_NONE; i++) {
		bool out = i % 2 == 0;

		if (domains_seen(d, point, &way.ends[i], out))
			continue;
		if (i == 0)
			(void)is_down(f, &way.ends[0], ret);
		else if (!out)
			explain_cable(f, &way.ends[i - 1], &way.ends[i], ret);
		else
			explain_bridge(f, &way.ends[i - 1], &way.ends[i], ret);
	}
	if (ret->cause == CAUSE_NONE)
		(void)explain_tags(f, &way, ret);
	verdict_set(ret, CAUSE_VLAN, to->node,
		    "frames of %s come to %s, but not for it: look at the tags", a, b);
	free(way.ends);
}
