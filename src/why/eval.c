/* src/why/eval.c
 *
 * One run goes one way.  Doubts are numbered as they are met; a run is told how to decide the first
 * of them and takes every further rule for one that does not match.  check_run() then makes the
 * runs that differ in one later decision each, as a counter counts in binary.
 */
#include "why/eval.h"

#include <netinet/in.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "why/match.h"

#define CALLS_MAX  16       /* the kernel's, of jumps inside one another */
#define DOUBTS_MAX 10       /* decided differently; later ones make the outcome unknown */
#define RUNS_MAX   64       /* ways that are gone */
#define RULES_MAX  2000000U /* of all runs: chains of a file may go round in circles */

enum { PRIORITY_CONNTRACK = -200, PRIORITY_DNAT = -100, PRIORITY_SNAT = 100 };

struct run {
	const struct ruleset *rs;
	const struct world *world;
	struct packet packet, described; /* as it is; as it came */
	struct path *path;
	bool decisions[DOUBTS_MAX];
	size_t ndecisions, ndoubts;
	bool is_cut;
	uint64_t evaluated;
	/* connection tracking */
	bool is_tracked, no_track;
	bool has_dnat, has_snat; /* decided, whether anything was rewritten or not */
	bool is_rerouted;        /* its destination is another */
	bool is_here;            /* redirected to this host */
	enum hook hook;
	unsigned depth;
};

enum result { RESULT_CONTINUE, RESULT_ACCEPT, RESULT_STOP };

static struct step *step(struct run *run, enum step_kind kind)
{
	struct path *p = run->path;

	VEC_GROW(p->steps, p->n, p->room);
	p->steps[p->n] = (struct step) { .kind = kind, .hook = run->hook, .depth = run->depth };
	return &p->steps[p->n++];
}

static void stop(struct run *run, enum outcome outcome, const struct chain *chain,
		 const struct rule *rule)
{
	run->path->outcome = outcome;
	run->path->chain = chain;
	run->path->rule = rule;
}

/* Whether the rule is to be taken for one that matches. */
static bool decide(struct run *run, const struct rule *rule, const char *why)
{
	size_t n = run->ndoubts++;
	bool took = n < run->ndecisions && run->decisions[n];
	struct step *s = step(run, STEP_DOUBT);

	if (n >= DOUBTS_MAX)
		run->is_cut = true;
	s->chain = rule->chain;
	s->rule = rule;
	s->doubt = why;
	s->took = took;
	return took;
}

/* what rules do to a packet */

/* Whether that changes anything; of what is not known nobody can tell. */
static enum answer rewrite(struct run *run, enum step_kind kind, enum field field, bool known,
			   u128 value)
{
	struct packet *p = &run->packet;
	bool same = known && p->known[field] == KNOWN && p->value[field] == value;
	bool sure = known && p->known[field] == KNOWN;
	struct step *s;

	if (p->known[field] == ABSENT || same)
		return ANSWER_NO;
	s = step(run, kind);
	s->field = field;
	s->before = p->value[field];
	s->was_unknown = p->known[field] != KNOWN;
	s->after = value;
	s->is_unknown = !known;
	p->value[field] = value;
	p->known[field] = known ? KNOWN : NOT_KNOWN;
	return sure ? ANSWER_YES : ANSWER_MAYBE;
}

static enum answer source_value(const struct run *run, const struct source *source, u128 *ret)
{
	enum answer answer = ANSWER_YES;
	u128 base = 0;

	if (source->nselectors == 1)
		answer = match_read(&run->packet, &source->selectors[0], &base);
	*ret = (base & source->and) ^ source->xor ;
	return answer;
}

/* The address and port that a NAT rule leads to; ANSWER_NO: its map has none for this packet. */
static enum answer nat_target(const struct run *run, const struct action *a, struct range *address,
			      struct range *port, const char **ret_doubt)
{
	const struct element *found;
	enum answer answer;

	*address = a->address;
	*port = a->port;
	if (!a->source.map)
		return ANSWER_YES;
	answer = match_find(&run->packet, a->source.selectors, a->source.nselectors, a->source.map,
			    &found);
	*ret_doubt = "what its map has for this packet is not known";
	if (found) {
		*address = found->data[0];
		if (a->source.map->ndata == 2)
			*port = found->data[1];
	}
	return answer;
}

/* What a route says of the address types that rules ask for. */
static void set_types(struct run *run)
{
	struct packet *p = &run->packet;
	bool v6 = packet_is_v6(p);
	u128 to = p->value[packet_daddr(p)], from = p->value[packet_saddr(p)];
	bool known = packet_has(p, packet_daddr(p));
	bool multicast = v6 ? to >> 120 == 0xff : to >> 28 == 0xe;

	p->known[FIELD_FIB_DADDR_TYPE] = NOT_KNOWN;
	if (known && !v6 && to == 0xffffffff)
		packet_set(p, FIELD_FIB_DADDR_TYPE, ADDRESS_BROADCAST);
	else if (known && multicast)
		packet_set(p, FIELD_FIB_DADDR_TYPE, ADDRESS_MULTICAST);
	else if (known && world_is_local(run->world, v6, to))
		packet_set(p, FIELD_FIB_DADDR_TYPE, ADDRESS_LOCAL);
	else if (run->is_rerouted ? known && run->world && run->world->nlocal > 0
				  : known && run->described.way != WAY_IN)
		packet_set(p, FIELD_FIB_DADDR_TYPE, ADDRESS_UNICAST);
	else if (!run->is_rerouted && run->described.way == WAY_IN)
		packet_set(p, FIELD_FIB_DADDR_TYPE, ADDRESS_LOCAL);
	p->known[FIELD_FIB_SADDR_TYPE] = NOT_KNOWN;
	if (packet_has(p, packet_saddr(p)) && world_is_local(run->world, v6, from))
		packet_set(p, FIELD_FIB_SADDR_TYPE, ADDRESS_LOCAL);
	else if (packet_has(p, packet_saddr(p)) && run->world && run->world->nlocal > 0)
		packet_set(p, FIELD_FIB_SADDR_TYPE, ADDRESS_UNICAST);
	if (run->described.way == WAY_OUT)
		packet_set(p, FIELD_FIB_SADDR_TYPE, ADDRESS_LOCAL);
}

/* The address that masquerading or a redirection takes: of the link that is left or come in by. */
static enum answer rewrite_to_link(struct run *run, enum nat_kind nat, enum field where)
{
	enum field link = nat == NAT_REDIRECT ? FIELD_IIF : FIELD_OIF;
	bool v6 = packet_is_v6(&run->packet), known;
	u128 address = v6 ? 1 : 0x7f000001;

	known = (nat == NAT_REDIRECT && run->hook == HOOK_OUTPUT) ||
		(packet_has(&run->packet, link) &&
		 world_address_of(run->world, v6, run->packet.value[link], &address));
	return rewrite(run, STEP_REWRITE, where, known, address);
}

static void nat_rewrite(struct run *run, const struct action *a, const struct range *address,
			const struct range *port)
{
	bool to = a->nat == NAT_DNAT || a->nat == NAT_REDIRECT;
	enum field where = to ? packet_daddr(&run->packet) : packet_saddr(&run->packet);
	enum field port_field = to ? FIELD_DPORT : FIELD_SPORT;
	bool has_address = a->has_address || a->source.map;
	bool has_port = a->has_port || (a->source.map && a->source.map->ndata == 2);
	enum answer moved = ANSWER_NO, other = ANSWER_NO;

	if (a->nat == NAT_REDIRECT || a->nat == NAT_MASQUERADE)
		moved = rewrite_to_link(run, a->nat, where);
	else if (has_address)
		moved = rewrite(run, STEP_REWRITE, where, address->lo == address->hi, address->lo);
	if (has_port)
		other = rewrite(run, STEP_REWRITE, port_field, port->lo == port->hi, port->lo);
	else if (!to && run->packet.known[port_field] == KNOWN)
		run->packet.known[port_field] = NOT_KNOWN; /* another one may be in its way */
	/* What is translated to what it was counts as not translated. */
	if (moved == ANSWER_YES || other == ANSWER_YES)
		run->packet.value[FIELD_CT_STATUS] |= to ? STATUS_DNAT : STATUS_SNAT;
	else if (moved == ANSWER_MAYBE || other == ANSWER_MAYBE)
		run->packet.known[FIELD_CT_STATUS] = NOT_KNOWN;
	run->is_rerouted |= to;
	run->is_here |= a->nat == NAT_REDIRECT;
	run->has_dnat |= to;
	run->has_snat |= !to;
	set_types(run);
}

/* False: what is to be assigned is not there, and the rule ends as if it did not match. */
static bool assign(struct run *run, const struct statement *s)
{
	u128 value = 0;
	enum answer answer = source_value(run, &s->action->source, &value);

	if (s->action->source.map) {
		const struct element *found;

		answer = match_find(&run->packet, s->action->source.selectors,
				    s->action->source.nselectors, s->action->source.map, &found);
		value = found ? found->data[0].lo : 0;
	}
	if (answer == ANSWER_NO)
		return s->action->is_lenient;
	rewrite(run, STEP_ASSIGN, s->selectors[0].field, answer == ANSWER_YES, value);
	return true;
}

/* rules */

struct match {
	enum verdict verdict;
	const struct chain *target;
	const char *doubt; /* the first thing that is not known */
	const struct action *nat;
	struct range address, port;
};

/* Before the first thing that a rule does, its doubts are decided. */
static bool resolve(struct run *run, const struct rule *rule, struct match *m)
{
	const char *doubt = m->doubt;

	m->doubt = NULL;
	return !doubt || decide(run, rule, doubt);
}

static bool look_up_verdict(struct run *run, const struct rule *rule, const struct statement *s,
			    struct match *m)
{
	const struct element *found;
	enum answer answer = match_find(&run->packet, s->selectors, s->nselectors, s->set, &found);

	if (answer == ANSWER_NO)
		return false;
	if (answer == ANSWER_MAYBE)
		m->doubt = s->text;
	if (!found || !resolve(run, rule, m))
		return false;
	m->verdict = found->verdict;
	m->target = found->chain;
	return true;
}

static bool prepare_nat(struct run *run, const struct rule *rule, const struct statement *s,
			struct match *m)
{
	const char *doubt = NULL;
	enum answer answer = nat_target(run, s->action, &m->address, &m->port, &doubt);

	if (answer == ANSWER_NO)
		return false;
	if (answer == ANSWER_MAYBE && !m->doubt)
		m->doubt = doubt;
	if (!resolve(run, rule, m))
		return false;
	if (s->action->family && s->action->family != run->packet.value[FIELD_FAMILY])
		return true;
	m->nat = s->action;
	m->verdict = VERDICT_ACCEPT;
	return true;
}

/* Goes through a statement; false: the rule does not match. */
static bool statement_run(struct run *run, const struct rule *rule, const struct statement *s,
			  struct match *m)
{
	enum answer answer;

	switch (s->kind) {
	case STATEMENT_MATCH:
		answer = match_holds(&run->packet, s);
		if (answer == ANSWER_MAYBE && !m->doubt)
			m->doubt = s->text;
		return answer != ANSWER_NO;
	case STATEMENT_LIMIT:
		if (!m->doubt)
			m->doubt = s->text;
		return true;
	case STATEMENT_UNKNOWN:
		m->doubt = m->doubt ? m->doubt : s->text;
		if (!resolve(run, rule, m))
			return false;
		stop(run, OUTCOME_UNKNOWN, rule->chain, rule);
		m->verdict = VERDICT_QUEUE;
		return true;
	case STATEMENT_VMAP:
		return look_up_verdict(run, rule, s, m);
	case STATEMENT_VERDICT:
		if (!resolve(run, rule, m))
			return false;
		m->verdict = s->verdict;
		m->target = s->chain;
		return true;
	case STATEMENT_NAT:
		return prepare_nat(run, rule, s, m);
	case STATEMENT_ASSIGN:
		return resolve(run, rule, m) && assign(run, s);
	case STATEMENT_NOTRACK:
		if (!resolve(run, rule, m))
			return false;
		if (!run->is_tracked && !run->no_track) {
			run->no_track = true;
			packet_set(&run->packet, FIELD_CT_STATE, STATE_UNTRACKED);
			step(run, STEP_NOTRACK);
		}
		return true;
	case STATEMENT_NOTE:
		break;
	}
	return true;
}

static bool rule_matches(struct run *run, const struct rule *rule, struct match *m)
{
	*m = (struct match) { .verdict = VERDICT_NONE };
	run->evaluated++;
	for (size_t i = 0; i < rule->n && m->verdict == VERDICT_NONE; i++)
		if (!statement_run(run, rule, &rule->statements[i], m))
			return false;
	/* Whether a rule that does nothing but count has counted makes no difference. */
	return !m->doubt;
}

static void note_rule(struct run *run, const struct rule *rule, const struct match *m)
{
	struct step *s = step(run, STEP_RULE);

	s->chain = rule->chain;
	s->rule = rule;
	s->verdict = m->verdict;
	s->target = m->target;
	if (m->nat)
		nat_rewrite(run, m->nat, &m->address, &m->port);
}

/* chains */

struct call {
	const struct chain *chain;
	size_t at;
};

static enum result verdict_result(struct run *run, const struct rule *rule, enum verdict verdict)
{
	if (verdict == VERDICT_ACCEPT)
		return RESULT_ACCEPT;
	if (run->path->outcome == OUTCOME_UNKNOWN && run->path->rule == rule)
		return RESULT_STOP;
	stop(run,
	     verdict == VERDICT_DROP     ? OUTCOME_DROPPED
	     : verdict == VERDICT_REJECT ? OUTCOME_REFUSED
					 : OUTCOME_QUEUED,
	     rule->chain, rule);
	return RESULT_STOP;
}

static bool verdict_ends(enum verdict verdict)
{
	return verdict == VERDICT_ACCEPT || verdict == VERDICT_DROP || verdict == VERDICT_REJECT ||
	       verdict == VERDICT_QUEUE;
}

/* Follows a jump, goto or return; false: the kernel would not have taken such rules. */
static bool follow(const struct match *m, struct call *calls, size_t *depth)
{
	if (m->verdict == VERDICT_JUMP) {
		if (*depth + 1 == CALLS_MAX || !m->target)
			return false;
		calls[++*depth] = (struct call) { m->target, 0 };
	} else if (m->verdict == VERDICT_GOTO) {
		if (!m->target)
			return false;
		calls[*depth] = (struct call) { m->target, 0 };
	} else if (m->verdict == VERDICT_RETURN) {
		calls[*depth].at = SIZE_MAX;
	}
	return true;
}

static enum result policy(struct run *run, const struct chain *chain)
{
	struct step *s;

	run->depth = 0;
	s = step(run, STEP_POLICY);
	s->chain = chain;
	s->verdict = chain->policy;
	if (chain->policy == VERDICT_ACCEPT)
		return RESULT_CONTINUE;
	stop(run, OUTCOME_DROPPED, chain, NULL);
	return RESULT_STOP;
}

static void note_end(struct run *run, const struct chain *chain)
{
	struct step *s = step(run, STEP_END);

	s->chain = chain;
}

static enum result chain_run(struct run *run, const struct chain *base)
{
	struct call calls[CALLS_MAX] = { { base, 0 } };
	size_t depth = 0;
	struct match m;

	run->depth = 0;
	step(run, STEP_CHAIN)->chain = base;
	for (;;) {
		struct call *call = &calls[depth];
		const struct rule *rule;

		run->depth = (unsigned)depth;
		if (call->at >= call->chain->n) {
			if (call->at != SIZE_MAX && call->chain != base)
				note_end(run, call->chain);
			if (depth-- == 0)
				return policy(run, base);
			continue;
		}
		rule = &call->chain->rules[call->at++];
		if (!rule_matches(run, rule, &m))
			continue;
		note_rule(run, rule, &m);
		if (verdict_ends(m.verdict))
			return verdict_result(run, rule, m.verdict);
		if (!follow(&m, calls, &depth) || run->evaluated > RULES_MAX) {
			run->is_cut = true;
			stop(run, OUTCOME_UNKNOWN, rule->chain, rule);
			return RESULT_STOP;
		}
	}
}

/* connection tracking */

static const enum field ct_fields[] = {
	FIELD_CT_STATUS,   FIELD_CT_MARK,     FIELD_CT_DIRECTION, FIELD_CT_PROTOCOL,
	FIELD_CT_IP_SADDR, FIELD_CT_IP_DADDR, FIELD_CT_SPORT,     FIELD_CT_DPORT,
};

/* Before it, a packet has no connection, which is "invalid". */
static void untrack(struct run *run)
{
	packet_set(&run->packet, FIELD_CT_STATE, STATE_INVALID);
	for (size_t i = 0; i < ARRAY_SIZE(ct_fields); i++)
		run->packet.known[ct_fields[i]] = ABSENT;
}

static void track(struct run *run)
{
	const struct packet *as = &run->described;
	u128 state = as->value[FIELD_CT_STATE];

	if (run->is_tracked || run->no_track)
		return;
	step(run, STEP_CONNTRACK);
	run->packet.value[FIELD_CT_STATE] = state;
	run->packet.known[FIELD_CT_STATE] = as->known[FIELD_CT_STATE];
	/* What belongs to no connection may still be said not to be tracked. */
	if (state == STATE_INVALID || state == STATE_UNTRACKED)
		return;
	run->is_tracked = true;
	for (size_t i = 0; i < ARRAY_SIZE(ct_fields); i++) {
		run->packet.value[ct_fields[i]] = as->value[ct_fields[i]];
		run->packet.known[ct_fields[i]] = as->known[ct_fields[i]];
	}
}

static bool is_met(const struct run *run, const struct chain *chain)
{
	enum family family = packet_is_v6(&run->packet) ? FAMILY_IP6 : FAMILY_IP;
	enum field link = run->hook == HOOK_EGRESS ? FIELD_OIF : FIELD_IIF;

	if (run->hook == HOOK_INGRESS || run->hook == HOOK_EGRESS)
		return (chain->table->family == FAMILY_NETDEV ||
			chain->table->family == FAMILY_INET) &&
		       chain->device && packet_has(&run->packet, link) &&
		       run->packet.value[link] == value_of_name(chain->device);
	return family_has(chain->table->family, family);
}

static bool is_nat(const struct chain *chain)
{
	return chain->type && strcmp(chain->type, "nat") == 0;
}

static bool has_nat(const struct run *run)
{
	for (size_t h = 0; h < HOOK_COUNT; h++)
		for (size_t i = 0; i < run->rs->nhooks[h]; i++)
			if (is_nat(run->rs->hooks[h][i]) && is_met(run, run->rs->hooks[h][i]))
				return true;
	return false;
}

/* All nat chains of a hook are asked at one moment, and until one of them has an answer. */
static enum result nat_run(struct run *run, struct chain *const *chains, size_t n)
{
	bool to = run->hook == HOOK_PREROUTING || run->hook == HOOK_OUTPUT;
	bool *done = to ? &run->has_dnat : &run->has_snat;
	u128 state = run->packet.value[FIELD_CT_STATE];
	enum result result = RESULT_CONTINUE;

	/* With one nat chain anywhere, all four hooks decide; without a rule, that nothing changes.
	 */
	if (n == 0 && run->is_tracked && (state == STATE_NEW || state == STATE_RELATED))
		*done |= has_nat(run);
	if (n == 0 || !run->is_tracked)
		return result;
	if (*done || (state != STATE_NEW && state != STATE_RELATED)) {
		step(run, STEP_NAT_SKIP)->chain = chains[0];
		return result;
	}
	for (size_t i = 0; i < n && result != RESULT_STOP && !*done; i++)
		result = chain_run(run, chains[i]);
	*done = true;
	return result;
}

/* hooks */

/* Whether the kernel asks a chain after it has translated addresses at that priority. */
static bool after_nat(const struct chain *chain, struct chain *const *nat, size_t n, int priority)
{
	return chain->priority > priority ||
	       (chain->priority == priority && (n == 0 || chain->order < nat[0]->order));
}

struct station {
	struct chain **plain, **nat;
	size_t nplain, nnat;
};

static void sort_chains(const struct run *run, struct station *s)
{
	size_t n = run->rs->nhooks[run->hook];

	s->plain = xcalloc(n + 1, sizeof(struct chain *));
	s->nat = xcalloc(n + 1, sizeof(struct chain *));
	for (size_t i = 0; i < n; i++) {
		struct chain *c = run->rs->hooks[run->hook][i];

		if (!is_met(run, c))
			continue;
		if (is_nat(c))
			s->nat[s->nnat++] = c;
		else
			s->plain[s->nplain++] = c;
	}
}

static enum result station_run(struct run *run, const struct station *s)
{
	bool tracks = run->hook == HOOK_PREROUTING || run->hook == HOOK_OUTPUT;
	int nat = tracks ? PRIORITY_DNAT : PRIORITY_SNAT;
	enum result result = RESULT_CONTINUE;
	bool done = run->hook == HOOK_FORWARD; /* where nothing is translated */

	for (size_t i = 0; i < s->nplain && result != RESULT_STOP; i++) {
		const struct chain *c = s->plain[i];

		if (tracks && c->priority >= PRIORITY_CONNTRACK)
			track(run);
		if (!done && after_nat(c, s->nat, s->nnat, nat)) {
			done = true;
			result = nat_run(run, s->nat, s->nnat);
		}
		if (result != RESULT_STOP)
			result = chain_run(run, c);
	}
	if (result == RESULT_STOP)
		return result;
	if (tracks)
		track(run);
	return done ? RESULT_CONTINUE : nat_run(run, s->nat, s->nnat);
}

static bool hook_run(struct run *run, enum hook hook)
{
	struct station s = { 0 };
	enum result result;

	run->hook = hook;
	run->depth = 0;
	sort_chains(run, &s);
	if (s.nplain + s.nnat > 0 || hook == HOOK_PREROUTING || hook == HOOK_OUTPUT)
		step(run, STEP_HOOK);
	result = hook == HOOK_INGRESS || hook == HOOK_EGRESS ? RESULT_CONTINUE
							     : station_run(run, &s);
	for (size_t i = 0;
	     (hook == HOOK_INGRESS || hook == HOOK_EGRESS) && i < s.nplain && result != RESULT_STOP;
	     i++)
		result = chain_run(run, s.plain[i]);
	free(s.plain);
	free(s.nat);
	return result != RESULT_STOP;
}

/* the way */

static void set_link(struct packet *p, enum field field, const char *name)
{
	p->known[field] = name ? KNOWN : NOT_KNOWN;
	p->value[field] = name ? value_of_name(name) : 0;
}

static void note_route(struct run *run, enum way way, const char *link)
{
	struct step *s = step(run, STEP_ROUTE);

	s->way = way;
	(void)snprintf(s->link, sizeof(s->link), "%s", link ? link : "");
}

/* After prerouting: here, or on by which link? */
static enum way route_in(struct run *run, const char **ret_link)
{
	struct packet *p = &run->packet;
	bool v6 = packet_is_v6(p), known = packet_has(p, packet_daddr(p));
	u128 to = p->value[packet_daddr(p)];

	*ret_link = NULL;
	if (run->is_here || (known && world_is_local(run->world, v6, to)))
		return WAY_IN;
	if (!run->is_rerouted && run->described.way == WAY_IN &&
	    !(run->world && run->world->nroutes))
		return WAY_IN;
	if (known)
		*ret_link = world_route(run->world, v6, to);
	return WAY_THROUGH;
}

static bool go_on(struct run *run, enum way way, const char *link)
{
	const char *given = run->described.way == WAY_THROUGH && !run->is_rerouted ? "" : NULL;

	if (way == WAY_IN) {
		note_route(run, WAY_IN, NULL);
		if (!hook_run(run, HOOK_INPUT))
			return false;
		run->path->outcome = OUTCOME_DELIVERED;
		return true;
	}
	if (link || !given)
		set_link(&run->packet, FIELD_OIF, link);
	else
		run->packet.value[FIELD_OIF] = run->described.value[FIELD_OIF],
		run->packet.known[FIELD_OIF] = KNOWN;
	note_route(run, WAY_THROUGH, link);
	if (packet_has(&run->packet, FIELD_TTL) && run->packet.value[FIELD_TTL] > 0)
		run->packet.value[FIELD_TTL]--;
	if (!hook_run(run, HOOK_FORWARD) || !hook_run(run, HOOK_POSTROUTING) ||
	    !hook_run(run, HOOK_EGRESS))
		return false;
	run->path->outcome = OUTCOME_FORWARDED;
	return true;
}

static void come_in(struct run *run)
{
	const char *link;
	enum way way;

	packet_set(&run->packet, FIELD_OIF, 0);
	if (!hook_run(run, HOOK_INGRESS) || !hook_run(run, HOOK_PREROUTING))
		return;
	set_types(run);
	way = route_in(run, &link);
	(void)go_on(run, way, link);
}

static void go_out(struct run *run)
{
	struct packet *p = &run->packet;
	u128 lo = value_of_name("lo");
	const char *link;

	if (!hook_run(run, HOOK_OUTPUT))
		return;
	if (run->is_rerouted) {
		bool known = packet_has(p, packet_daddr(p));
		u128 to = p->value[packet_daddr(p)];

		link = known && world_is_local(run->world, packet_is_v6(p), to) ? "lo"
		       : known ? world_route(run->world, packet_is_v6(p), to)
			       : NULL;
		set_types(run);
		set_link(p, FIELD_OIF, link);
		note_route(run, WAY_OUT, link);
	}
	if (!hook_run(run, HOOK_POSTROUTING) || !hook_run(run, HOOK_EGRESS))
		return;
	run->path->outcome = OUTCOME_SENT;
	if (!packet_has(p, FIELD_OIF) || p->value[FIELD_OIF] != lo)
		return;
	/* What is sent to this host comes in again, with the connection that it has. */
	packet_set(p, FIELD_IIF, lo);
	packet_set(p, FIELD_OIF, 0);
	run->is_here = true;
	if (hook_run(run, HOOK_PREROUTING))
		(void)go_on(run, WAY_IN, NULL);
}

static void run_once(struct run *run)
{
	run->packet = run->described;
	untrack(run);
	set_types(run);
	if (run->described.way == WAY_OUT)
		go_out(run);
	else
		come_in(run);
	run->path->packet = run->packet;
}

/* all ways */

static void path_done(struct path *path)
{
	free(path->steps);
	*path = (struct path) { 0 };
}

/* The next way: the last doubt that was taken for "no" becomes "yes"; false: there is none. */
static bool next_way(struct run *run)
{
	size_t n = MIN(run->ndoubts, (size_t)DOUBTS_MAX);

	for (size_t i = run->ndecisions; i < n; i++)
		run->decisions[i] = false;
	while (n > 0 && run->decisions[n - 1])
		n--;
	if (n == 0)
		return false;
	run->decisions[n - 1] = true;
	run->ndecisions = n;
	return true;
}

static void run_again(struct run *run, struct path *path)
{
	struct run fresh = { .rs = run->rs,
			     .world = run->world,
			     .described = run->described,
			     .path = path,
			     .ndecisions = run->ndecisions,
			     .evaluated = run->evaluated };

	memcpy(fresh.decisions, run->decisions, sizeof(fresh.decisions));
	run_once(&fresh);
	fresh.is_cut |= run->is_cut;
	*run = fresh;
}

void check_run(const struct ruleset *rs, const struct packet *packet, const struct world *world,
	       struct check *ret)
{
	struct run run = { .rs = rs, .world = world, .described = *packet };
	unsigned runs = 1;

	*ret = (struct check) { 0 };
	run_again(&run, &ret->path);
	ret->outcome = ret->path.outcome;
	ret->ndoubts = run.ndoubts;
	while (ret->outcome != OUTCOME_UNKNOWN && next_way(&run)) {
		struct path path = { 0 };

		if (++runs > RUNS_MAX)
			run.is_cut = true;
		else
			run_again(&run, &path);
		if (run.is_cut || path.outcome != ret->outcome) {
			ret->outcome = OUTCOME_UNKNOWN;
			ret->other = path;
		} else {
			path_done(&path);
		}
	}
	if (run.is_cut)
		ret->outcome = OUTCOME_UNKNOWN;
	ret->is_cut = run.is_cut;
	ret->evaluated = run.evaluated;
}

void check_done(struct check *check)
{
	path_done(&check->path);
	path_done(&check->other);
}

const char *outcome_name(enum outcome outcome)
{
	static const char *const names[] = {
		[OUTCOME_DELIVERED] = "delivered", [OUTCOME_FORWARDED] = "forwarded",
		[OUTCOME_SENT] = "sent",           [OUTCOME_DROPPED] = "dropped",
		[OUTCOME_REFUSED] = "refused",     [OUTCOME_QUEUED] = "queued",
		[OUTCOME_UNKNOWN] = "unknown",
	};

	return names[outcome];
}
