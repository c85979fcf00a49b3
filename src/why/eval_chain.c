/* src/why/eval_chain.c */
#include <stdint.h>

#include "base/alloc.h"
#include "why/eval_run.h"
#include "why/match.h"

#define CALLS_MAX 16 /* the kernel's, of jumps inside one another */

struct step *run_step(struct run *run, enum step_kind kind)
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
	struct step *s = run_step(run, STEP_DOUBT);

	if (n >= RUN_DOUBTS_MAX)
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
	s = run_step(run, kind);
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
void run_set_types(struct run *run)
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
	else if ((known && world_is_local(run->world, v6, to)) ||
		 (!run->is_rerouted && run->described.way == WAY_IN))
		packet_set(p, FIELD_FIB_DADDR_TYPE, ADDRESS_LOCAL);
	else if (known && (!run->is_rerouted || (run->world && run->world->nlocal > 0)))
		packet_set(p, FIELD_FIB_DADDR_TYPE, ADDRESS_UNICAST);
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
	run_set_types(run);
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
			run_step(run, STEP_NOTRACK);
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
	run->nidle += m->doubt != NULL;
	return !m->doubt;
}

static void note_rule(struct run *run, const struct rule *rule, const struct match *m,
		      const struct rule *back)
{
	struct step *s = run_step(run, STEP_RULE);

	s->chain = rule->chain;
	s->rule = rule;
	s->verdict = m->verdict;
	s->target = m->target;
	s->back = back;
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
	s = run_step(run, STEP_POLICY);
	s->chain = chain;
	s->verdict = chain->policy;
	if (chain->policy == VERDICT_ACCEPT)
		return RESULT_CONTINUE;
	stop(run, OUTCOME_DROPPED, chain, NULL);
	return RESULT_STOP;
}

/* The rule that called a chain; NULL: none did, the base chain went on in it. */
static const struct rule *caller(const struct call *calls, size_t depth)
{
	return depth > 0 ? &calls[depth - 1].chain->rules[calls[depth - 1].at - 1] : NULL;
}

static void note_end(struct run *run, const struct chain *chain, const struct rule *back)
{
	struct step *s = run_step(run, STEP_END);

	s->chain = chain;
	s->back = back;
}

enum result run_chain(struct run *run, const struct chain *base)
{
	struct call calls[CALLS_MAX] = { { base, 0 } };
	size_t depth = 0;
	struct match m;

	run->depth = 0;
	run_step(run, STEP_CHAIN)->chain = base;
	for (;;) {
		struct call *call = &calls[depth];
		const struct rule *rule;

		run->depth = (unsigned)depth;
		if (call->at >= call->chain->n) {
			if (call->at != SIZE_MAX && call->chain != base)
				note_end(run, call->chain, caller(calls, depth));
			if (depth-- == 0)
				return policy(run, base);
			continue;
		}
		rule = &call->chain->rules[call->at++];
		if (!rule_matches(run, rule, &m))
			continue;
		note_rule(run, rule, &m, m.verdict == VERDICT_RETURN ? caller(calls, depth) : NULL);
		if (verdict_ends(m.verdict))
			return verdict_result(run, rule, m.verdict);
		if (!follow(&m, calls, &depth) || run->evaluated > RUN_RULES_MAX) {
			run->is_cut = true;
			stop(run, OUTCOME_UNKNOWN, rule->chain, rule);
			return RESULT_STOP;
		}
	}
}
