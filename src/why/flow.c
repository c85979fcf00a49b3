/* src/why/flow.c */
#include "why/flow.h"

#include <net/if.h> /* must come before linux/icmp.h */
#include <linux/icmp.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>

#include "base/alloc.h"
#include "why/journey.h"

/* Events of one packet in one namespace lie close together. */
#define LOOK_BACK 4096

static bool is_same(const struct ends *a, const struct ends *b)
{
	return a->protocol == b->protocol && a->sport == b->sport && a->dport == b->dport &&
	       ip_equal(&a->from, &b->from) && ip_equal(&a->to, &b->to);
}

static struct ends reversed(const struct ends *e)
{
	return (struct ends) { .from = e->to,
			       .to = e->from,
			       .sport = e->dport,
			       .dport = e->sport,
			       .protocol = e->protocol };
}

enum flow_side flow_side(const struct flow *f, const struct ends *e)
{
	const struct ends back = reversed(e);

	for (size_t i = 0; i < f->n; i++) {
		if (is_same(&f->names[i], e))
			return FLOW_REQUEST;
		if (is_same(&f->names[i], &back))
			return FLOW_ANSWER;
	}
	return FLOW_OTHER;
}

bool flow_find(struct flow *f, const struct probe_plan *plan, const struct note *notes, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		struct ends e;

		if (!journey_ends(&notes[i].e, &e) || e.protocol != plan->protocol ||
		    e.dport != plan->port || !ip_equal(&e.to, &plan->to))
			continue;
		if (ip_is_set(&plan->from) && !ip_equal(&e.from, &plan->from))
			continue;
		if (e.protocol == IPPROTO_TCP && (e.flags & (TH_SYN | TH_ACK)) != TH_SYN)
			continue;
		*f = (struct flow) { .names = { e }, .n = 1 };
		return true;
	}
	return false;
}

/* The kernel tells no more of an error than its first 20 bytes: of the packet that it is about the
 * protocol is among them, the ports are not.  It goes to who sent that packet.
 */
static bool is_error_about(const struct flow *f, const struct trace_event *e,
			   const struct ends *ends)
{
	const size_t inner = 8; /* behind the error's own header */
	bool v6 = ends->protocol == IPPROTO_ICMPV6;
	bool error = v6 ? ends->type < 128
			: ends->type == ICMP_DEST_UNREACH || ends->type == ICMP_TIME_EXCEEDED ||
				     ends->type == ICMP_PARAMETERPROB;

	if (!error || e->transport_len < inner + 10 ||
	    e->transport[inner + (v6 ? 6 : 9)] != f->names[0].protocol)
		return false;
	for (size_t i = 0; i < f->n; i++)
		if (ip_equal(&f->names[i].from, &ends->to) || ip_equal(&f->names[i].to, &ends->to))
			return true;
	return false;
}

static void learn(struct flow *f, enum flow_side side, const struct ends *e)
{
	if (f->n < FLOW_NAMES_MAX)
		f->names[f->n++] = side == FLOW_REQUEST ? *e : reversed(e);
}

/* Of the same packet before it: whether it is ours, and which way it goes. */
static bool is_continued(const struct flow *f, const struct note *notes, const bool *own, size_t i,
			 enum flow_side *ret_side)
{
	size_t first = i > LOOK_BACK ? i - LOOK_BACK : 0;
	bool found = false;

	*ret_side = FLOW_OTHER;
	for (size_t k = i; k-- > first && *ret_side == FLOW_OTHER;) {
		struct ends e;

		if (notes[k].place != notes[i].place || notes[k].e.id != notes[i].e.id)
			continue;
		if (!own[k])
			return found;
		found = true;
		if (journey_ends(&notes[k].e, &e))
			*ret_side = flow_side(f, &e);
	}
	return found;
}

static bool is_own(struct flow *f, const struct note *notes, const bool *own, size_t i)
{
	const struct trace_event *event = &notes[i].e;
	enum flow_side side;
	struct ends e;

	if (!journey_ends(event, &e))
		return is_continued(f, notes, own, i, &side);
	if (e.protocol != f->names[0].protocol)
		return is_error_about(f, event, &e);
	if (flow_side(f, &e) != FLOW_OTHER)
		return true;
	/* The kernel gives the number of a packet that is gone to another. */
	if (event->mark_of == TRACE_IN || event->mark_of == TRACE_OUT ||
	    !is_continued(f, notes, own, i, &side) || side == FLOW_OTHER)
		return false;
	learn(f, side, &e);
	return true;
}

size_t flow_keep(struct flow *f, struct note *notes, size_t n)
{
	autofree bool *own = n > 0 ? xcalloc(n, sizeof(*own)) : NULL;
	size_t names, kept = 0;

	/* The namespaces are read one after the other: one may tell of a name before it is known.
	 */
	do {
		names = f->n;
		for (size_t i = 0; i < n; i++)
			own[i] = is_own(f, notes, own, i);
	} while (f->n != names);
	for (size_t i = 0; i < n; i++)
		if (own[i])
			notes[kept++] = notes[i];
	return kept;
}
