/* src/why/judge.c
 *
 * First the rules: an event that says "drop" is the answer.  Then what the sender heard.  Then,
 * when the packet vanished between two marks of ours, what the kernel does there apart from rules.
 */
#include "why/judge.h"

#include <arpa/inet.h>
#include <ctype.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "why/inside.h"
#include "why/legacy.h"

#define TEXT_MAX 4096

const char *fate_name(enum fate fate)
{
	static const char *const names[] = {
		[FATE_DELIVERED] = "delivered", [FATE_DROPPED] = "dropped",
		[FATE_REFUSED] = "refused",     [FATE_LOST] = "lost",
		[FATE_UNKNOWN] = "unknown",
	};

	return names[fate];
}

int fate_status(enum fate fate)
{
	static const int statuses[] = { [FATE_DELIVERED] = 0,
					[FATE_DROPPED] = 3,
					[FATE_REFUSED] = 4,
					[FATE_LOST] = 3,
					[FATE_UNKNOWN] = 5 };

	return statuses[fate];
}

void judgement_done(struct judgement *g)
{
	buf_done(&g->reason);
	buf_done(&g->advice);
}

static struct place *place_of(struct journey *j, const struct visit *v)
{
	return &j->places.items[v ? v->place : j->from];
}

/* What a command of another namespace begins with. */
static void advise_in(const struct place *p, struct buf *to)
{
	if (!p->path)
		return;
	buf_add_str(to, "nsenter --net=");
	buf_add_shell(to, p->path);
	buf_add_char(to, ' ');
}

static const char *ip_text(const struct ip *ip, char text[IP_TEXT_LEN])
{
	ip_format(ip, text);
	return text;
}

/* The packet as it was at or before an event of a visit. */
static bool ends_at(const struct journey *j, const struct visit *v, const struct note *at,
		    struct ends *ret)
{
	bool found = false;

	for (size_t i = 0; i < v->n; i++) {
		found |= journey_ends(&j->notes[v->notes[i]].e, ret);
		if (&j->notes[v->notes[i]] == at)
			break;
	}
	return found;
}

/* rules that drop */

static const struct note *drop_in(const struct journey *j, const struct visit *v)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct note *note = &j->notes[v->notes[i]];

		if (note->e.mark_of == TRACE_FOREIGN && note->e.verdict == VERDICT_DROP &&
		    note->e.kind != TRACE_END)
			return note;
	}
	return NULL;
}

static bool rejects(const struct rule *rule)
{
	for (size_t i = 0; rule && i < rule->n; i++)
		if (rule->statements[i].kind == STATEMENT_VERDICT &&
		    rule->statements[i].verdict == VERDICT_REJECT)
			return true;
	return false;
}

static const char *protocol_name(uint8_t protocol)
{
	return protocol == IPPROTO_TCP    ? "tcp"
	       : protocol == IPPROTO_UDP  ? "udp"
	       : protocol == IPPROTO_ICMP ? "icmp"
					  : "icmpv6";
}

static void advise_iptables(const struct chain *c, const struct rule *rule, const struct ends *e,
			    struct buf *to)
{
	bool docker = c->owner == OWNER_DOCKER && c->hook == HOOK_NONE;
	char from[IP_TEXT_LEN], dest[IP_TEXT_LEN];

	buf_addf(to, "%s%s -t %s -I %s", e->from.family == AF_INET6 ? "ip6tables" : "iptables",
		 c->table->backend == BACKEND_LEGACY ? "-legacy" : "", c->table->name,
		 docker ? "DOCKER-USER" : c->name);
	if (rule && !docker)
		buf_addf(to, " %u", rule->number);
	buf_addf(to, " -s %s -d %s -p %s", ip_text(&e->from, from), ip_text(&e->to, dest),
		 protocol_name(e->protocol));
	if (e->dport)
		buf_addf(to, e->flags & 0x10 ? " --sport %u" : " --dport %u",
			 e->flags & 0x10 ? e->sport : e->dport);
	buf_add_str(to, " -j ACCEPT");
}

static void advise_nft(const struct chain *c, const struct rule *rule, const struct ends *e,
		       struct buf *to)
{
	const char *family = e->from.family == AF_INET6 ? "ip6" : "ip";
	char from[IP_TEXT_LEN], dest[IP_TEXT_LEN];

	buf_addf(to, "nft insert rule %s %s %s ", family_name(c->table->family), c->table->name,
		 c->name);
	if (rule)
		buf_addf(to, "position %llu ", (unsigned long long)rule->handle);
	buf_addf(to, "%s saddr %s %s daddr %s ", family, ip_text(&e->from, from), family,
		 ip_text(&e->to, dest));
	if (e->dport)
		buf_addf(to, "%s %s %u", protocol_name(e->protocol),
			 e->flags & 0x10 ? "sport" : "dport",
			 e->flags & 0x10 ? e->sport : e->dport);
	else
		buf_addf(to, "meta l4proto %s", protocol_name(e->protocol));
	buf_add_str(to, " accept");
}

static void judge_drop(struct journey *j, const struct visit *v, const struct note *at,
		       struct judgement *g)
{
	const struct chain *c = journey_chain(j, at);
	const struct rule *rule = journey_rule(j, at);
	enum owner owner = rule ? rule_owner(rule) : c ? c->owner : OWNER_UNKNOWN;
	const char *what = v->direction == DIRECTION_REQUEST ? "" : "the answer, ";
	struct ends ends;

	g->fate = rejects(rule) ? FATE_REFUSED : FATE_DROPPED;
	g->at = at;
	g->last = v;
	buf_addf(&g->reason, "%sin %s, by ", what, place_of(j, v)->name);
	if (rule)
		buf_addf(&g->reason, "rule %u", rule->number);
	else
		buf_addf(&g->reason, at->e.kind == TRACE_POLICY ? "the policy" : "a rule");
	buf_addf(&g->reason, " of table %s %s, chain %s (%s, %s)", family_name(at->e.family),
		 at->e.table, at->e.chain, c ? backend_name(c->table->backend) : "nftables",
		 owner_name(owner));
	if (rule)
		buf_addf(&g->reason, ": %s", rule->text);
	if (!c || !ends_at(j, v, at, &ends))
		return;
	advise_in(place_of(j, v), &g->advice);
	if (c->table->backend == BACKEND_NFT || c->table->family == FAMILY_BRIDGE)
		advise_nft(c, rule, &ends, &g->advice);
	else
		advise_iptables(c, rule, &ends, &g->advice);
}

/* nothing to do with rules */

/* RTM_GETROUTE tells of such a route by its error alone; NULL: there is none, or a good one. */
static const char *refusing_route(const struct place_route *route)
{
	switch (route->error) {
	case EINVAL:
		return "blackhole";
	case EACCES:
		return "prohibit";
	case EHOSTUNREACH:
		return "unreachable";
	default:
		return NULL;
	}
}

static bool find_route(struct journey *j, const struct visit *v, const struct ip *to,
		       struct judgement *g, const char *what)
{
	struct place *p = place_of(j, v);
	struct place_route route = place_route(p, to);
	const char *refusing = refusing_route(&route);
	char text[IP_TEXT_LEN];

	if (!route.error)
		return false;
	g->fate = FATE_LOST;
	ip_format(to, text);
	if (refusing)
		buf_addf(&g->reason, "%s: the route of %s to %s says '%s'", what, p->name, text,
			 refusing);
	else
		buf_addf(&g->reason, "%s: %s has no route %s %s", what, p->name,
			 v && v->direction == DIRECTION_REQUEST && v->has[TRACE_DELIVERED]
				 ? "back to"
				 : "to",
			 text);
	advise_in(p, &g->advice);
	buf_addf(&g->advice, "ip route add %s via GATEWAY", text);
	return true;
}

static bool find_neighbour(struct journey *j, const struct visit *v, const struct ip *to,
			   struct judgement *g)
{
	struct place *p = place_of(j, v);
	struct stack now = { .ino = 0 };
	struct place_route route = place_route(p, to);
	char text[IP_TEXT_LEN];
	bool found = false;

	if (route.error || route.type != RTN_UNICAST)
		return false;
	ip_format(ip_is_set(&route.via) ? &route.via : to, text);
	if (stack_read(p->path ? p->fd : -1, STACK_WITHOUT_SOCKETS, &now, NULL) < 0)
		return false;
	for (size_t i = 0; i < now.neighbours.n && !found; i++)
		found = strcmp(now.neighbours.items[i].ip, text) == 0 &&
			(now.neighbours.items[i].state & (NUD_INCOMPLETE | NUD_FAILED)) != 0;
	stack_done(&now);
	if (!found)
		return false;
	g->fate = FATE_LOST;
	buf_addf(&g->reason, "nobody answers for %s on %s of %s: there is no such neighbour", text,
		 place_link(p, route.index), p->name);
	advise_in(p, &g->advice);
	buf_addf(&g->advice, "ip neighbour show dev %s", place_link(p, route.index));
	return true;
}

static bool is_loopback_source(const struct ends *e)
{
	return ip_is_loopback(&e->to) || ip_is_loopback(&e->from);
}

static void advise_sysctl(const struct place *p, const char *path, int value, struct buf *to)
{
	autofree char *dotted = xstrdup(path);

	for (char *at = dotted; *at; at++)
		*at = *at == '/' ? '.' : *at;
	advise_in(p, to);
	buf_addf(to, "sysctl -w net.%s=%d", dotted, value);
}

static int rp_filter(const struct place *p, const char *link)
{
	autofree char *own = xasprintf("ipv4/conf/%s/rp_filter", link);

	return MAX(place_sysctl(p, own), place_sysctl(p, "ipv4/conf/all/rp_filter"));
}

/* Came in, and was neither forwarded nor delivered. */
static bool find_routing(struct journey *j, const struct visit *v, const struct ends *e, int iif,
			 struct judgement *g)
{
	struct place *p = place_of(j, v);
	const char *link = place_link(p, iif);
	autofree char *local = xasprintf("ipv4/conf/%s/route_localnet", link);
	autofree char *filter = xasprintf("ipv4/conf/%s/rp_filter", link);
	bool v6 = e->to.family == AF_INET6;
	struct place_route to = place_route(p, &e->to), back;

	g->fate = FATE_LOST;
	if (!v6 && is_loopback_source(e) && place_sysctl(p, local) == 0 &&
	    place_sysctl(p, "ipv4/conf/all/route_localnet") != 1) {
		buf_addf(&g->reason,
			 "%s does not take 127.0.0.0/8 from a link (route_localnet of %s is 0)",
			 p->name, link);
		advise_sysctl(p, local, 1, &g->advice);
		return true;
	}
	back = place_route(p, &e->from);
	if (!v6 && rp_filter(p, link) > 0 && back.error)
		return find_route(j, v, &e->from, g, "the reverse path filter");
	if (!v6 && rp_filter(p, link) == 1 && back.index != iif) {
		buf_addf(&g->reason,
			 "the reverse path filter of %s: an answer would leave by %s, not by %s",
			 p->name, place_link(p, back.index), link);
		advise_sysctl(p, filter, 2, &g->advice);
		return true;
	}
	if (to.error || to.type == RTN_LOCAL)
		return find_route(j, v, &e->to, g, "it cannot go on");
	if (place_sysctl(p, v6 ? "ipv6/conf/all/forwarding" : "ipv4/ip_forward") == 0) {
		buf_addf(&g->reason, "%s does not forward", p->name);
		advise_sysctl(p, v6 ? "ipv6/conf/all/forwarding" : "ipv4/ip_forward", 1,
			      &g->advice);
		return true;
	}
	if (e->ttl <= 1) {
		buf_addf(&g->reason, "its time to live ended in %s", p->name);
		return true;
	}
	return find_route(j, v, &e->to, g, "it cannot go on");
}

struct port_question {
	int index;
	bool isolated;
};

static int ask_isolated(void *data, struct error *err)
{
	struct port_question *q = data;
	struct link link;
	struct nl nl = { 0 };
	int r = nl_open(&nl, err);

	if (r < 0)
		return r;
	q->isolated = link_read_index(&nl, q->index, &link) == 0 && link.isolated;
	nl_close(&nl);
	return 0;
}

static bool find_isolated(struct journey *j, const struct visit *v, int iif, struct judgement *g)
{
	struct place *p = place_of(j, v);
	struct port_question q = { iif, false };

	ignore_result(inside(p->path ? p->fd : -1, ask_isolated, &q, NULL));
	if (!q.isolated)
		return false;
	g->fate = FATE_LOST;
	buf_addf(&g->reason,
		 "port %s of the bridge in %s is isolated: it reaches no other isolated port",
		 place_link(p, iif), p->name);
	advise_in(p, &g->advice);
	buf_addf(&g->advice, "bridge link set dev %s isolated off", place_link(p, iif));
	return true;
}

enum trouble { TROUBLE_UNREACHABLE, TROUBLE_PORT, TROUBLE_TTL, TROUBLE_SIZE };

/* Both families have the same errors, each with numbers of its own. */
static enum trouble trouble_of(const struct ends *e)
{
	bool v6 = e->protocol == IPPROTO_ICMPV6;

	if (e->type == (v6 ? ICMPV6_TIME_EXCEED : ICMP_TIME_EXCEEDED))
		return TROUBLE_TTL;
	if (v6 ? e->type == ICMPV6_PKT_TOOBIG
	       : e->type == ICMP_DEST_UNREACH && e->code == ICMP_FRAG_NEEDED)
		return TROUBLE_SIZE;
	return e->type == (v6 ? ICMPV6_DEST_UNREACH : ICMP_DEST_UNREACH) &&
			       e->code == (v6 ? ICMPV6_PORT_UNREACH : ICMP_PORT_UNREACH)
		       ? TROUBLE_PORT
		       : TROUBLE_UNREACHABLE;
}

/* ICMP errors say it themselves. */
static bool find_trouble(struct journey *j, struct judgement *g)
{
	for (size_t i = 0; i < j->n; i++) {
		struct visit *v = &j->visits[i];
		struct ends e;
		char text[IP_TEXT_LEN];

		if (v->direction != DIRECTION_TROUBLE ||
		    !journey_ends(&j->notes[v->notes[0]].e, &e) || trouble_of(&e) == TROUBLE_PORT)
			continue;
		g->fate = FATE_LOST;
		g->last = v;
		if (trouble_of(&e) == TROUBLE_TTL)
			buf_addf(&g->reason, "its time to live ended at %s",
				 ip_text(&e.from, text));
		else if (trouble_of(&e) == TROUBLE_SIZE)
			buf_addf(&g->reason, "it is larger than the MTU of the next link, says %s",
				 ip_text(&e.from, text));
		else
			buf_addf(&g->reason,
				 "%s says that it cannot be reached (ICMP type %u, code %u)",
				 ip_text(&e.from, text), e.type, e.code);
		return true;
	}
	return false;
}

/* What the sender's own kernel said before a packet was made. */
static bool find_refusal(struct journey *j, struct judgement *g)
{
	struct place *p = &j->places.items[j->from];
	int error = j->probe.end == PROBE_UNREACHABLE ? j->probe.error : 0;

	if (j->n > 0 || error == 0)
		return false;
	if (error == EMSGSIZE) {
		const struct place_route route = place_route(p, &j->plan->to);
		const struct stack_link *link = stack_link(&p->stack, route.index);

		g->fate = FATE_LOST;
		buf_addf(&g->reason, "it is larger than the MTU of %s in %s (%u bytes)",
			 link ? link->name : "a link", p->name, link ? link->mtu : 0);
		return true;
	}
	if (find_route(j, NULL, &j->plan->to, g, "it was not sent"))
		return true;
	g->fate = FATE_LOST;
	buf_addf(&g->reason, "%s did not send it: %s", p->name, strerror(error));
	return true;
}

static bool translates(const struct rule *rule)
{
	for (size_t i = 0; i < rule->n; i++)
		if (rule->statements[i].kind == STATEMENT_NAT &&
		    rule->statements[i].action->nat == NAT_DNAT)
			return true;
	return false;
}

/* The rule of prerouting that would have sent it on, had it come by this link; for certain. */
static const struct rule *dnat_for(const struct ruleset *rs, const struct ends *e, const char *link)
{
	const struct legacy_packet from = { .ends = *e, .in = link };
	const struct rule *found = NULL;
	struct world world = { 0 };
	struct packet packet;
	struct check check;
	char text[IP_TEXT_LEN];
	autofree char *local = xasprintf("%s=%s", ip_text(&e->to, text), link);

	if (world_add_local(&world, local, NULL) < 0 || legacy_describe(&from, &packet) < 0) {
		world_done(&world);
		return NULL;
	}
	check_run(rs, &packet, &world, &check);
	for (size_t i = 0; !found && i < check.path.n; i++) {
		const struct step *s = &check.path.steps[i];

		if (s->kind == STEP_DOUBT)
			break;
		if (s->kind == STEP_RULE && s->hook == HOOK_PREROUTING && translates(s->rule))
			found = s->rule;
	}
	check_done(&check);
	world_done(&world);
	return found;
}

static const struct rule *missed_dnat(struct journey *j, const struct ends *e)
{
	struct place *p = &j->places.items[j->from];
	const struct ruleset *rs = place_rules(p);
	const struct rule *found = NULL;

	for (size_t i = 0; rs && !found && i < p->stack.links.n; i++)
		if (!p->stack.links.items[i].loopback)
			found = dnat_for(rs, e, p->stack.links.items[i].name);
	return found;
}

/* Of a rule for another chain, or for what comes by a link, no rule for OUTPUT can be made. */
static void advise_output(const struct place *p, const struct rule *rule, struct buf *to)
{
	const struct table *table = rule->chain->table;
	const char *begin = "-A PREROUTING ";

	if (table->backend == BACKEND_NFT) {
		advise_in(p, to);
		buf_addf(to, "nft add rule %s %s OUTPUT-CHAIN %s", family_name(table->family),
			 table->name, rule->text);
	} else if (strncmp(rule->text, begin, strlen(begin)) == 0 && !strstr(rule->text, " -i ")) {
		advise_in(p, to);
		buf_addf(to, "%s%s -t nat -A OUTPUT %s",
			 table->family == FAMILY_IP6 ? "ip6tables" : "iptables",
			 table->backend == BACKEND_LEGACY ? "-legacy" : "",
			 rule->text + strlen(begin));
	}
}

/* A5.9: whoever asks from the host itself is surprised by it. */
static bool find_missed_dnat(struct journey *j, const struct visit *last, const struct ends *e,
			     struct judgement *g)
{
	const struct rule *rule = last->place == j->from ? missed_dnat(j, e) : NULL;

	if (!rule)
		return false;
	buf_add_str(&g->reason,
		    "; what is sent here itself does not pass PREROUTING, where a rule would "
		    "have sent it on, but OUTPUT");
	advise_output(place_of(j, last), rule, &g->advice);
	return true;
}

static void judge_refused(struct journey *j, const struct visit *last, struct judgement *g)
{
	const char *protocol = protocol_name(j->plan->protocol);
	struct ends e = { 0 };

	g->fate = FATE_REFUSED;
	if (!last || !last->has[TRACE_DELIVERED] ||
	    !ends_at(j, last, &j->notes[last->notes[last->n - 1]], &e)) {
		buf_addf(&g->reason, "whoever has that address refuses %s port %u", protocol,
			 j->plan->port);
		return;
	}
	buf_addf(&g->reason, "nobody listens on %s port %u in %s", protocol, e.dport,
		 place_of(j, last)->name);
	if (find_missed_dnat(j, last, &e, g))
		return;
	advise_in(place_of(j, last), &g->advice);
	buf_addf(&g->advice, "ss -ln%s", j->plan->protocol == IPPROTO_TCP ? "t" : "u");
}

static const struct visit *last_of(const struct journey *j, enum direction direction)
{
	const struct visit *last = NULL;

	for (size_t i = 0; i < j->n; i++)
		if (j->visits[i].direction == direction)
			last = &j->visits[i];
	return last;
}

/* Where rules have sent it on to, of which no later event tells. */
static void apply_translation(struct journey *j, const struct visit *v, struct ends *e)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct note *note = &j->notes[v->notes[i]];
		const struct rule *rule =
			note->e.mark_of == TRACE_FOREIGN ? journey_rule(j, note) : NULL;

		for (size_t k = 0; rule && k < rule->n; k++) {
			const struct action *a = rule->statements[k].action;

			if (rule->statements[k].kind == STATEMENT_NAT && a->nat == NAT_DNAT &&
			    a->has_address)
				value_to_ip(a->address.lo, e->to.family == AF_INET6, &e->to);
		}
	}
}

/* The link by which it came to be routed: of a bridge, not of its port. */
static int link_in(const struct journey *j, const struct visit *v)
{
	int iif = j->notes[v->notes[0]].e.iif;

	for (size_t i = 0; i < v->n; i++)
		if (j->notes[v->notes[i]].e.mark_of == TRACE_IN)
			iif = j->notes[v->notes[i]].e.iif;
	return iif;
}

/* Where the packet was seen last, and what may have happened behind it. */
static bool find_gap(struct journey *j, const struct visit *v, struct judgement *g)
{
	const struct note *first = &j->notes[v->notes[0]];
	struct ends e, at_end;

	if (!journey_ends(&first->e, &e) || !ends_at(j, v, &j->notes[v->notes[v->n - 1]], &at_end))
		return false;
	if (v->bridge_has[TRACE_IN] && !v->bridge_has[TRACE_FORWARDED] &&
	    !v->bridge_has[TRACE_DELIVERED])
		return find_isolated(j, v, first->e.iif, g);
	if (v->has[TRACE_SENT])
		return find_neighbour(j, v, &at_end.to, g);
	if (v->has[TRACE_DELIVERED])
		return v->direction == DIRECTION_REQUEST &&
		       find_route(j, v, &e.from, g, "the request arrived, the answer cannot leave");
	if (v->has[TRACE_FORWARDED] || !v->has[TRACE_IN])
		return false;
	apply_translation(j, v, &at_end);
	return find_routing(j, v, &at_end, link_in(j, v), g);
}

static const char *link_out(const struct place *p, const struct journey *j, const struct visit *v,
			    const struct ends *e)
{
	struct place_route route;

	for (size_t i = v->n; i-- > 0;)
		if (j->notes[v->notes[i]].e.oif > 0)
			return place_link(p, j->notes[v->notes[i]].e.oif);
	route = place_route(p, &e->to);
	return route.error || route.type == RTN_LOCAL ? NULL : place_link(p, route.index);
}

/* It vanished between marks, and no event tells of the rules of iptables-legacy between them. */
static bool find_legacy(struct journey *j, const struct visit *v, struct judgement *g)
{
	struct place *p = place_of(j, v);
	const struct ruleset *rs = v ? place_rules(p) : NULL;
	struct legacy_packet packet = { 0 };
	const struct chain *chain = NULL;
	const struct rule *rule = NULL;

	if (!rs || v->has[TRACE_SENT] || v->has[TRACE_DELIVERED] ||
	    (!v->has[TRACE_IN] && !v->has[TRACE_OUT]) ||
	    !ends_at(j, v, &j->notes[v->notes[v->n - 1]], &packet.ends))
		return false;
	apply_translation(j, v, &packet.ends);
	packet.in = v->is_out ? NULL : place_link(p, link_in(j, v));
	packet.out = link_out(p, j, v, &packet.ends);
	packet.is_answer = v->direction == DIRECTION_REPLY;
	if (!legacy_takes(rs, &packet, &rule, &chain))
		return false;
	g->fate = rejects(rule) ? FATE_REFUSED : FATE_DROPPED;
	g->last = v;
	buf_addf(&g->reason, "%sin %s, by ", packet.is_answer ? "the answer, " : "", p->name);
	if (rule)
		buf_addf(&g->reason, "rule %u", rule->number);
	else
		buf_add_str(&g->reason, "the policy");
	buf_addf(&g->reason, " of table %s %s, chain %s (%s, %s)",
		 family_name(chain->table->family), chain->table->name, chain->name,
		 backend_name(chain->table->backend),
		 owner_name(rule ? rule_owner(rule) : chain->owner));
	if (rule)
		buf_addf(&g->reason, ": %s", rule->text);
	buf_add_str(&g->reason, "; no trace tells of these rules, they were worked out");
	advise_in(p, &g->advice);
	advise_iptables(chain, rule, &packet.ends, &g->advice);
	return true;
}

static void judge_untold(struct place *p, bool v6, struct judgement *g)
{
	const struct ruleset *rs = place_rules(p);

	buf_addf(&g->reason, "it ends in %s, and no rule says so", p->name);
	if (rs && legacy_has_say(rs, v6))
		buf_add_str(&g->reason,
			    "; there are rules of iptables-legacy, of which no trace tells: "
			    "see 'strake why show'");
}

static void judge_unknown(struct journey *j, const struct visit *v, struct judgement *g)
{
	const struct note *end = v ? &j->notes[v->notes[v->n - 1]] : NULL;
	struct place *p = place_of(j, v);

	g->fate = FATE_UNKNOWN;
	if (!v)
		buf_addf(&g->reason, "no packet was seen to leave %s", p->name);
	else if (v->has[TRACE_SENT])
		buf_addf(&g->reason, "%s left %s by %s, and nothing was heard of it again",
			 v->direction == DIRECTION_REPLY ? "the answer" : "it", p->name,
			 place_link(p, end->e.oif));
	else if (v->has[TRACE_DELIVERED])
		buf_addf(&g->reason, "it was delivered in %s, and no answer came", p->name);
	else
		judge_untold(p, end->e.is_v6, g);
}

static bool find_drop(struct journey *j, struct judgement *g)
{
	for (size_t i = 0; i < j->n; i++) {
		const struct note *at = drop_in(j, &j->visits[i]);

		if (at) {
			judge_drop(j, &j->visits[i], at, g);
			return true;
		}
	}
	return false;
}

/* Of a packet that is not ours only its answer tells, as far as that was seen to go. */
static bool was_seen_refused(const struct journey *j, const struct visit *reply)
{
	const struct visit *trouble = last_of(j, DIRECTION_TROUBLE);
	struct ends e;

	if (j->flow.n > 0 && trouble && journey_ends(&j->notes[trouble->notes[0]].e, &e) &&
	    trouble_of(&e) == TROUBLE_PORT)
		return true;
	return j->flow.n > 0 && reply && journey_ends(&j->notes[reply->notes[0]].e, &e) &&
	       (e.flags & TH_RST) != 0;
}

static bool was_seen_answered(const struct journey *j, const struct visit *reply)
{
	return j->flow.n > 0 && reply && (reply->has[TRACE_SENT] || reply->has[TRACE_DELIVERED]) &&
	       !drop_in(j, reply) && !was_seen_refused(j, reply);
}

static void decide(struct journey *j, struct judgement *ret)
{
	const struct visit *request = last_of(j, DIRECTION_REQUEST);
	const struct visit *reply = last_of(j, DIRECTION_REPLY);

	ret->last = reply ? reply : request;
	if (j->probe.end == PROBE_ANSWERED || was_seen_answered(j, reply)) {
		ret->fate = FATE_DELIVERED;
		buf_add_str(&ret->reason, "and answered");
		return;
	}
	if (find_drop(j, ret) || find_refusal(j, ret) || find_legacy(j, request, ret) ||
	    find_legacy(j, reply, ret))
		return;
	if (j->probe.end == PROBE_REFUSED || was_seen_refused(j, reply)) {
		judge_refused(j, request, ret);
		return;
	}
	if (ret->last && find_gap(j, ret->last, ret))
		return;
	if (find_trouble(j, ret))
		return;
	judge_unknown(j, ret->last, ret);
}

/* Names and comments are in it that others made, and it is there to be pasted into a shell. */
static bool is_harmless(const char *command)
{
	for (; *command; command++)
		if (!isalnum((unsigned char)*command) && !strchr(" -_./:,=+@%[]{}\"!", *command))
			return false;
	return true;
}

void judge(struct journey *j, struct judgement *ret)
{
	*ret = (struct judgement) { .reason = BUF_INIT(TEXT_MAX), .advice = BUF_INIT(TEXT_MAX) };
	decide(j, ret);
	if (!is_harmless(buf_text(&ret->advice)))
		buf_reset(&ret->advice);
}
