/* src/why/eval.c
 *
 * One run goes one way.  Doubts are numbered as they are met; a run is told how to decide the first
 * of them and takes every further rule for one that does not match.  check_run() then makes the
 * runs that differ in one later decision each, as a counter counts in binary.
 */
#include "why/eval.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "why/eval_run.h"

#define RUNS_MAX 64 /* ways that are gone */

enum { PRIORITY_CONNTRACK = -200, PRIORITY_DNAT = -100, PRIORITY_SNAT = 100 };

/* connection tracking */

static const enum field ct_fields[] = {
	FIELD_CT_STATUS,    FIELD_CT_MARK,      FIELD_CT_DIRECTION, FIELD_CT_PROTOCOL,
	FIELD_CT_IP_SADDR,  FIELD_CT_IP_DADDR,  FIELD_CT_SPORT,     FIELD_CT_DPORT,
	FIELD_CT_IP6_SADDR, FIELD_CT_IP6_DADDR,
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
	run_step(run, STEP_CONNTRACK);
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
	return run->described.is_frame ? chain->table->family == FAMILY_BRIDGE
				       : family_has(chain->table->family, family);
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
	/* Without a rule that asks for connections or translates there are none to translate. */
	if (n == 0 || !run->is_tracked ||
	    !(packet_is_v6(&run->packet) ? run->rs->tracks6 : run->rs->tracks))
		return result;
	if (*done || (state != STATE_NEW && state != STATE_RELATED)) {
		run_step(run, STEP_NAT_SKIP)->chain = chains[0];
		return result;
	}
	for (size_t i = 0; i < n && result != RESULT_STOP && !*done; i++)
		result = run_chain(run, chains[i]);
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
			result = run_chain(run, c);
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
		run_step(run, STEP_HOOK);
	result = hook == HOOK_INGRESS || hook == HOOK_EGRESS ? RESULT_CONTINUE
							     : station_run(run, &s);
	for (size_t i = 0;
	     (hook == HOOK_INGRESS || hook == HOOK_EGRESS) && i < s.nplain && result != RESULT_STOP;
	     i++)
		result = run_chain(run, s.plain[i]);
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
	struct step *s = run_step(run, STEP_ROUTE);

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
	run_set_types(run);
	way = route_in(run, &link);
	(void)go_on(run, way, link);
}

/* Connections are the business of another module there, which may be loaded or not. */
static void cross(struct run *run)
{
	run->no_track = true;
	run->packet.known[FIELD_CT_STATE] = NOT_KNOWN;
	for (size_t i = 0; i < ARRAY_SIZE(ct_fields); i++)
		run->packet.known[ct_fields[i]] = NOT_KNOWN;
	packet_set(&run->packet, FIELD_OIF, 0);
	if (!hook_run(run, HOOK_INGRESS) || !hook_run(run, HOOK_PREROUTING))
		return;
	packet_set(&run->packet, FIELD_OIF, run->described.value[FIELD_OIF]);
	if (hook_run(run, HOOK_FORWARD) && hook_run(run, HOOK_POSTROUTING) &&
	    hook_run(run, HOOK_EGRESS))
		run->path->outcome = OUTCOME_FORWARDED;
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
		run_set_types(run);
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
	run_set_types(run);
	if (run->described.is_frame)
		cross(run);
	else if (run->described.way == WAY_OUT)
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
	size_t n = MIN(run->ndoubts, (size_t)RUN_DOUBTS_MAX);

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

static size_t count_others(const struct ruleset *rs, bool is_frame)
{
	size_t n = 0;

	for (enum hook hook = HOOK_PREROUTING; hook <= HOOK_POSTROUTING; hook++)
		for (size_t i = 0; i < rs->nhooks[hook]; i++) {
			enum family family = rs->hooks[hook][i]->table->family;

			n += family != FAMILY_ARP && (family == FAMILY_BRIDGE) != is_frame;
		}
	return n;
}

void check_run(const struct ruleset *rs, const struct packet *packet, const struct world *world,
	       struct check *ret)
{
	struct run run = { .rs = rs, .world = world, .described = *packet };
	unsigned runs = 1;

	*ret = (struct check) { .is_frame = packet->is_frame,
				.nnot_asked = count_others(rs, packet->is_frame) };
	run_again(&run, &ret->path);
	ret->outcome = ret->path.outcome;
	ret->ndoubts = run.ndoubts;
	ret->nidle = run.nidle;
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
