/* src/lab/locate.c */
#include "lab/locate.h"

#include <net/if.h> /* before linux/icmp.h, which has its own */

#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <string.h>

#include "base/alloc.h"
#include "lab/diagnose.h"
#include "lab/path.h"
#include "lab/raise.h"
#include "lab/rules.h"

static const char *name_of(const struct path *p, size_t node)
{
	return p->lab->topology->nodes[node].name;
}

void locate_blame(struct lab *lab, size_t node, const char *const hooks[], const char *did_what,
		  struct verdict *v)
{
	const char *name = lab->topology->nodes[node].name;
	autofree char *rules = rules_read(lab, node);

	for (const char *const *hook = hooks; *hook; hook++) {
		autofree char *rule = rules_find_drop(rules, *hook);

		if (!rule)
			continue;
		verdict_set(v, CAUSE_FIREWALL, node, "firewall of %s at %s: %s", name, *hook, rule);
		return;
	}
	verdict_set(v, CAUSE_UNKNOWN, node, "%s %s, and no rule of its firewall says why", name,
		    did_what);
}

static void blame(const struct path *p, size_t node, const char *const hooks[],
		  const char *did_what, struct verdict *v)
{
	locate_blame(p->lab, node, hooks, did_what, v);
}

static bool went_out(const struct journey *j, size_t node)
{
	for (size_t i = 0; i < j->n; i++)
		if (j->visits[i].node == node && j->visits[i].n_out)
			return true;
	return false;
}

static bool came_in(const struct journey *j, size_t node)
{
	for (size_t i = 0; i < j->n; i++)
		if (j->visits[i].node == node && j->visits[i].in)
			return true;
	return false;
}

static bool has_address(const struct node *n, const struct ip *ip)
{
	for (size_t k = 0; k < n->n_interfaces; k++)
		for (size_t a = 0; a < n->interfaces[k].n_addresses; a++)
			if (ip_equal(&n->interfaces[k].addresses[a].ip, ip))
				return true;
	return false;
}

/* Nothing went out: what it asked first was not answered. */
static bool asked_in_vain(const struct path *p, size_t node, struct verdict *v)
{
	struct ip asked = { .family = 0 };
	size_t heard = NO_INDEX;
	bool answered = false;

	for (size_t i = 0; i < p->sights.n; i++) {
		const struct sight *s = &p->sights.items[i];
		const struct node *n = &p->lab->topology->nodes[s->node];
		struct frame f;

		frame_decode(sight_bytes(&p->sights, s), s->len, &f);
		if (f.what != FRAME_ARP && f.icmp != ICMP_KIND_ND_ASK &&
		    f.icmp != ICMP_KIND_ND_ANSWER)
			continue;
		if (s->node == node && s->out && (f.arp_op == 1 || f.icmp == ICMP_KIND_ND_ASK))
			asked = f.what == FRAME_ARP ? f.ip_dst : f.about;
		else if (s->node == node && !s->out)
			answered = true;
		if (!s->out && ip_is_set(&asked) && has_address(n, &asked))
			heard = s->node;
	}
	if (answered || heard == NO_INDEX)
		return false;
	return verdict_set(v, CAUSE_ARP_UNANSWERED, heard,
			   "ARP unanswered: %s hears the question of %s and does not answer",
			   name_of(p, heard), name_of(p, node));
}

/* The last cable is too thin for it. */
static bool too_big(struct diagnosis *d, const struct path *p, const struct journey *j,
		    struct verdict *v)
{
	const struct topology *t = d->lab->topology;

	for (size_t i = 0; i < j->n; i++) {
		const struct visit *visit = &j->visits[i];

		for (size_t k = 0; k < visit->n_out; k++) {
			const struct sight *s = visit->out[k];
			const struct interface *out = &t->nodes[s->node].interfaces[s->interface];
			const struct lab_link *l =
				out->link == NO_INDEX ? NULL : &t->links[out->link];
			const struct link_end *e;
			const struct facts_node *n;
			const struct fact_link *there;
			struct frame f;
			char name[LINK_END_LEN];

			if (!l)
				continue;
			e = l->ends[0].node == s->node && l->ends[0].interface == s->interface ? &l->ends[1]
											       : &l->ends[0];
			frame_decode(sight_bytes(&p->sights, s), s->len, &f);
			if (facts_node(&d->facts, e->node, &n, NULL) < 0)
				continue;
			there = fact_link(n, interface_index(e->interface));
			link_end_format(t, e, name);
			if (there && f.ip_len > there->mtu)
				return verdict_set(v, CAUSE_MTU, e->node,
						   "MTU: %s takes %u bytes, the other end of its "
						   "cable sent %zu",
						   name, there->mtu, f.ip_len);
		}
	}
	return false;
}

static bool bridge_too_small(struct diagnosis *d, const struct path *p, const struct journey *j,
			     unsigned size, struct verdict *v)
{
	for (size_t i = 0; i < j->n; i++) {
		const struct facts_node *n;

		if (!node_is_bridge(&p->lab->topology->nodes[j->visits[i].node]) ||
		    facts_node(&d->facts, j->visits[i].node, &n, NULL) < 0)
			continue;
		for (size_t k = 0; k < n->n_links; k++)
			if (n->links[k].mtu < size && n->links[k].master)
				return verdict_set(v, CAUSE_MTU, j->visits[i].node,
						   "MTU: port %s:%s takes %u bytes, the packet has "
						   "%u",
						   name_of(p, j->visits[i].node), n->links[k].name,
						   n->links[k].mtu, size);
	}
	return false;
}

/* The last node that it came to for more than hearing it, and where it stayed. */
static void lost_on_the_way(struct diagnosis *d, const struct path *p, const struct journey *j,
			    const struct question *q, struct verdict *v)
{
	static const char *const hooks[] = { "forward", "prerouting", "postrouting", "ingress",
					     NULL };
	const struct visit *last = NULL;

	if (too_big(d, p, j, v) || (q->size && bridge_too_small(d, p, j, q->size, v)))
		return;
	for (size_t i = 0; i < j->n; i++)
		if (j->visits[i].deed != DEED_HEARD)
			last = &j->visits[i];
	if (!last)
		return;
	if (last->n_out) {
		char name[LINK_END_LEN];
		const struct link_end at = { last->node, last->out[0]->interface };

		link_end_format(p->lab->topology, &at, name);
		verdict_set(v, CAUSE_FRAMES_LOST, last->node,
			    "the packet leaves %s and is not heard at the other end", name);
		return;
	}
	blame(p, last->node, hooks,
	      node_is_bridge(&p->lab->topology->nodes[last->node]) ? "does not pass the frame on"
								   : "gets the packet and does not "
								     "pass it on",
	      v);
}

static bool each_complainer(void *data, size_t node, const struct fact_address *address)
{
	(void)address;
	*(size_t *)data = node;
	return true;
}

/* Somebody said so. */
static bool complained(struct diagnosis *d, const struct path *p, struct verdict *v)
{
	static const char *const hooks[] = { "forward", "input", "output", NULL };
	bool v6 = p->ping.to.family == AF_INET6;
	size_t node = NO_INDEX;
	char text[IP_TEXT_LEN];

	if (!ip_is_set(&p->ping.complainer))
		return false;
	ip_format(&p->ping.complainer, text);
	/* The sender itself: nobody answered when it asked for the next hop. */
	if (!facts_owners(&d->facts, &p->ping.complainer, each_complainer, &node) ||
	    node == p->ping.from)
		return false;
	if (v6 ? p->ping.icmp_type == ICMPV6_PKT_TOOBIG
	       : p->ping.icmp_type == ICMP_DEST_UNREACH && p->ping.icmp_code == ICMP_FRAG_NEEDED)
		return verdict_set(v, CAUSE_MTU, node, "MTU: %s says that the packet is too big",
				   name_of(p, node));
	if (p->ping.icmp_type == (v6 ? ICMPV6_TIME_EXCEED : ICMP_TIME_EXCEEDED))
		return verdict_set(v, CAUSE_TTL, node, "TTL: used up at %s", name_of(p, node));
	blame(p, node, hooks, "refuses the packet", v);
	return true;
}

int locate(struct diagnosis *d, const struct question *q, struct verdict *ret, struct error *err)
{
	static const char *const out[] = { "output", "postrouting", "egress", "ingress", NULL };
	static const char *const in[] = { "input", "prerouting", "ingress", "output", NULL };
	const struct ping_how how = { .size = q->size, .dont_fragment = q->size != 0 };
	struct path p;
	int r = path_observe(d->lab, q->from, &q->target, &how, true, &p, err);

	if (r < 0)
		return r;
	if (p.ping.answered) {
		verdict_set(ret, CAUSE_UNKNOWN, NO_INDEX,
			    "it was answered when it was tried again: frames are lost or late");
	} else if (p.ping.refused == -EMSGSIZE) {
		verdict_set(ret, CAUSE_MTU, q->from, "MTU: the packet is too big for %s's own link",
			    name_of(&p, q->from));
	} else if (complained(d, &p, ret)) {
		;
	} else if (!went_out(&p.request, q->from)) {
		if (!asked_in_vain(&p, q->from, ret))
			blame(&p, q->from, out, "does not send the packet", ret);
	} else if (p.reply.n && came_in(&p.reply, q->from)) {
		ret->on_return = true;
		blame(&p, q->from, in, "gets the answer and does not take it", ret);
	} else if (p.reply.n) {
		ret->on_return = true;
		lost_on_the_way(d, &p, &p.reply, q, ret);
	} else if (q->to != NO_INDEX && came_in(&p.request, q->to) &&
		   facts_sysctl(&d->facts, q->to, "ipv4/icmp_echo_ignore_all") == 1) {
		verdict_set(ret, CAUSE_IGNORED, q->to,
			    "%s hears the request and ignores it: net.ipv4.icmp_echo_ignore_all "
			    "is 1",
			    name_of(&p, q->to));
	} else if (q->to != NO_INDEX && came_in(&p.request, q->to) &&
		   !asked_in_vain(&p, q->to, ret)) {
		blame(&p, q->to, in, "gets the request and does not answer", ret);
	} else {
		lost_on_the_way(d, &p, &p.request, q, ret);
	}
	verdict_set(ret, CAUSE_UNKNOWN, NO_INDEX, "the packet is lost, and it is not known where");
	path_done(&p);
	return 0;
}
