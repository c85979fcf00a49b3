/* src/why/journey.c */
#include "why/journey.h"

#include <net/if.h> /* must come before linux/icmp.h */
#include <linux/icmp.h>
#include <linux/icmpv6.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/parallel.h"

#define ANSWER_MS 1000   /* for an answer to a packet that was waited for */
#define QUIET_MS  40     /* without an event, after the probe has ended */
#define NOTES_MAX 100000 /* a probe makes some hundred */
#define READ_MAX  10000  /* events at once, of others' packets too: time must be looked at */

void journey_done(struct journey *j)
{
	probe_close(&j->probe);
	places_done(&j->places);
	for (size_t i = 0; i < j->n; i++)
		free(j->visits[i].notes);
	free(j->visits);
	free(j->notes);
	*j = (struct journey) { .probe = PROBE_INIT };
}

const char *direction_name(enum direction direction)
{
	static const char *const names[] = { "request", "answer", "error" };

	return names[direction];
}

/* headers */

static uint16_t be16(const uint8_t *at)
{
	return (uint16_t)(at[0] << 8 | at[1]);
}

bool journey_ends(const struct trace_event *e, struct ends *ret)
{
	bool v6 = e->network_len >= 40 && e->network[0] >> 4 == 6;
	size_t len = v6 ? 16 : 4, from = v6 ? 8 : 12;
	bool icmp;

	if (e->network_len < 20 || e->transport_len < 8)
		return false;
	*ret = (struct ends) { .ttl = e->network[v6 ? 7 : 8], .protocol = e->network[v6 ? 6 : 9] };
	ret->from.family = ret->to.family = v6 ? AF_INET6 : AF_INET;
	memcpy(ret->from.bytes, e->network + from, len);
	memcpy(ret->to.bytes, e->network + from + len, len);
	icmp = ret->protocol == IPPROTO_ICMP || ret->protocol == IPPROTO_ICMPV6;
	if (icmp) {
		ret->type = e->transport[0];
		ret->code = e->transport[1];
	} else {
		ret->sport = be16(e->transport);
		ret->dport = be16(e->transport + 2);
		ret->flags = ret->protocol == IPPROTO_TCP && e->transport_len > 13
				     ? e->transport[13]
				     : 0;
	}
	return true;
}

/* collecting */

#define ICMP_ERROR_INNER 8 /* of an ICMP error: where the packet that it is about begins */

static bool is_icmp(uint8_t protocol)
{
	return protocol == IPPROTO_ICMP || protocol == IPPROTO_ICMPV6;
}

/* Not more is told of an ICMP error than which protocol it is about. */
static bool is_of_probe(const struct journey *j, const struct trace_event *e)
{
	uint8_t asked = j->plan->protocol;
	struct ends ends;
	bool v6;

	if (!journey_ends(e, &ends))
		return false;
	v6 = ends.protocol == IPPROTO_ICMPV6;
	if (!is_icmp(ends.protocol))
		return ends.protocol == asked &&
		       (ends.sport == j->probe.id || ends.dport == j->probe.id);
	if (v6 ? ends.type == ICMPV6_ECHO_REQUEST || ends.type == ICMPV6_ECHO_REPLY
	       : ends.type == ICMP_ECHO || ends.type == ICMP_ECHOREPLY)
		return ends.protocol == asked && be16(e->transport + 4) == j->probe.id;
	if (v6 && (ends.type & ICMPV6_INFOMSG_MASK) != 0)
		return false;
	return e->transport_len >= ICMP_ERROR_INNER + 10 &&
	       e->transport[ICMP_ERROR_INNER + (v6 ? 6 : 9)] == asked;
}

static bool begins(const struct trace_event *e)
{
	return e->mark_of == TRACE_IN || e->mark_of == TRACE_OUT;
}

/* An administrator's rule may have packets traced as well, and so may somebody who asks as we do:
 * all listen to the same events.  Where a packet begins its headers say whose it is.  From there on
 * its number does, since translation may give it another port.
 */
static bool is_ours(const struct journey *j, size_t place, const struct trace_event *e)
{
	if (j->probe.fd < 0)
		return true; /* flow_keep() says which */
	for (size_t i = j->nnotes; !begins(e) && i-- > 0;)
		if (j->notes[i].place == place && j->notes[i].e.id == e->id)
			return true;
	return is_of_probe(j, e);
}

static int read_tracer(struct journey *j, size_t place, struct error *err)
{
	struct trace_event e;
	int r;

	for (unsigned i = 0; i < READ_MAX; i++) {
		r = tracer_read(j->places.items[place].tracer, &e, err);
		if (r <= 0)
			return r;
		if (!is_ours(j, place, &e))
			continue;
		if (j->nnotes == NOTES_MAX)
			return error_set(err, -E2BIG, "too many packets have the probe's port");
		VEC_GROW(j->notes, j->nnotes, j->notes_room);
		j->notes[j->nnotes++] = (struct note) { place, e };
	}
	return 0;
}

/* Waits for whatever comes; the number of descriptors that have something. */
static int wait_for_all(struct journey *j, int ms, struct error *err)
{
	struct pollfd fds[PLACES_MAX + 1];
	size_t which[PLACES_MAX + 1];
	nfds_t n = 0;
	int r, ready;

	for (size_t i = 0; i < j->places.n; i++)
		if (j->places.items[i].tracer) {
			which[n] = i;
			fds[n++] = (struct pollfd) { .fd = tracer_fd(j->places.items[i].tracer),
						     .events = POLLIN };
		}
	if (j->probe.fd >= 0 && j->probe.end == PROBE_PENDING)
		fds[n] = (struct pollfd) { .fd = j->probe.fd, .events = probe_events(&j->probe) };
	ready = poll(fds, n + (j->probe.fd >= 0 && j->probe.end == PROBE_PENDING), ms);
	for (nfds_t i = 0; i < n; i++) {
		r = read_tracer(j, which[i], err);
		if (r < 0)
			return r;
	}
	if (j->probe.fd >= 0)
		probe_listen(&j->probe);
	return MAX(ready, 0);
}

static bool was_dropped(const struct journey *j, size_t since)
{
	for (size_t i = since; i < j->nnotes; i++)
		if (j->notes[i].e.verdict == VERDICT_DROP && j->notes[i].e.mark_of == TRACE_FOREIGN)
			return true;
	return false;
}

/* Until the probe has ended, or cannot any more, and nothing more is told. */
static int collect(struct journey *j, unsigned wait_ms, struct error *err)
{
	int64_t end = clock_monotonic_ms() + wait_ms, now;
	size_t since = j->nnotes;
	bool ended = false;
	int r;

	do {
		r = wait_for_all(j, ended ? QUIET_MS : 100, err);
		if (r < 0)
			return r;
		now = clock_monotonic_ms();
		if (ended && r == 0)
			return 0;
		ended = j->probe.end != PROBE_PENDING || was_dropped(j, since);
	} while (now < end);
	return 0;
}

static int send_all(struct journey *j, const struct journey_options *options, struct error *err)
{
	int r = 0;

	for (unsigned i = 0; r == 0 && i < options->count; i++) {
		probe_send(&j->probe);
		r = collect(j, options->wait_ms, err);
	}
	return r;
}

static bool was_answered(const struct journey *j)
{
	for (size_t i = 0; i < j->nnotes; i++) {
		struct ends e;

		if (journey_ends(&j->notes[i].e, &e) && flow_side(&j->flow, &e) == FLOW_ANSWER)
			return true;
	}
	return false;
}

/* Which port a packet will have behind the next translation nobody knows before: the first packets
 * of all connections are listened to until the one that is waited for is among them.  What came
 * before the round in which it is seen is forgotten, but for one round: the namespaces are not read
 * at one moment.
 */
static int await(struct journey *j, int64_t end, struct error *err)
{
	size_t old = 0;
	int64_t now = clock_monotonic_ms();

	while (now < end) {
		int r = wait_for_all(j, (int)(end - now), err);

		if (r < 0)
			return r;
		if (flow_find(&j->flow, j->plan, j->notes, j->nnotes))
			return 0;
		j->nnotes -= old;
		if (old > 0)
			memmove(j->notes, j->notes + old, j->nnotes * sizeof(*j->notes));
		old = j->nnotes;
		now = clock_monotonic_ms();
	}
	return error_set(err, -ETIMEDOUT, "no packet to port %u came", j->plan->port);
}

/* Until the first packet has come and was dropped or answered, or nobody answers. */
static int watch(struct journey *j, const struct journey_options *options, struct error *err)
{
	int64_t end = clock_monotonic_ms() + options->wait_ms;
	int r = await(j, end, err);

	if (r == -ETIMEDOUT)
		return error_set(err, r, "no packet to port %u came within %u s", j->plan->port,
				 options->wait_ms / 1000);
	end = clock_monotonic_ms() + ANSWER_MS;
	while (r >= 0 && clock_monotonic_ms() < end) {
		r = wait_for_all(j, 200, err);
		if (r == 0)
			j->nnotes = flow_keep(&j->flow, j->notes, j->nnotes);
		if (r == 0 && (was_answered(j) || was_dropped(j, 0)))
			return 0;
	}
	if (r >= 0)
		j->nnotes = flow_keep(&j->flow, j->notes, j->nnotes);
	return MIN(r, 0);
}

static int open_tracers(struct journey *j, const struct trace_filter *filter, struct error *err)
{
	for (size_t i = 0; i < j->places.n; i++) {
		struct place *p = &j->places.items[i];
		int r = tracer_open(p->path ? p->fd : -1, filter, &p->tracer, err);

		/* A namespace that is none of ours to look at is no place to follow it to. */
		if (r < 0 && (i == j->from || i == 0))
			return error_wrap(err, r, "trace in %s", p->name);
	}
	return 0;
}

static void close_tracer(void *data, size_t i)
{
	struct journey *j = data;

	tracer_close(j->places.items[i].tracer);
	j->places.items[i].tracer = NULL;
}

static void close_tracers(struct journey *j)
{
	in_parallel(j->places.n, close_tracer, j);
}

/* ordering */

static enum direction direction_of(const struct journey *j, const struct ends *e)
{
	uint16_t id = j->probe.id;

	if (e->protocol == IPPROTO_ICMP && j->plan->protocol == IPPROTO_ICMP && e->type == 8)
		return DIRECTION_REQUEST;
	if (e->protocol == IPPROTO_ICMPV6 && j->plan->protocol == IPPROTO_ICMPV6 && e->type == 128)
		return DIRECTION_REQUEST;
	if (e->protocol == IPPROTO_ICMP || e->protocol == IPPROTO_ICMPV6)
		return (e->protocol == IPPROTO_ICMP ? e->type == 0 : e->type == 129)
			       ? DIRECTION_REPLY
			       : DIRECTION_TROUBLE;
	if (j->probe.fd < 0)
		return flow_side(&j->flow, e) == FLOW_REQUEST ? DIRECTION_REQUEST : DIRECTION_REPLY;
	return e->sport == id ? DIRECTION_REQUEST : DIRECTION_REPLY;
}

/* Of a connection only its first packet and the answer to that. */
static bool is_wanted(const struct ends *e, enum direction direction)
{
	uint8_t flags = e->flags & (TH_SYN | TH_ACK | TH_RST);

	if (e->protocol != IPPROTO_TCP)
		return true;
	return direction == DIRECTION_REQUEST ? flags == TH_SYN
					      : flags == (TH_SYN | TH_ACK) || (flags & TH_RST) != 0;
}

static struct visit *current(struct journey *j, const struct note *note)
{
	for (size_t i = j->n; i-- > 0;)
		if (j->visits[i].place == note->place && j->visits[i].id == note->e.id)
			return &j->visits[i];
	return NULL;
}

/* Bridge netfilter asks the other family's chains in between, about the same packet. */
static bool has_begun(const struct journey *j, const struct visit *v, const struct trace_event *e)
{
	for (size_t i = 0; i < v->n; i++) {
		const struct trace_event *other = &j->notes[v->notes[i]].e;

		if (begins(other) && other->family == e->family)
			return true;
	}
	return false;
}

static unsigned packet_of(const struct ends *e, const struct trace_event *event)
{
	bool icmp = e->protocol == IPPROTO_ICMP || e->protocol == IPPROTO_ICMPV6;

	return icmp && event->transport_len >= 8 && e->type != 3 && e->type != 11 && e->type != 1
		       ? MAX(be16(event->transport + 6), 1)
		       : 1;
}

static struct visit *visit_add(struct journey *j, const struct note *note)
{
	struct ends ends = { 0 };
	struct visit *v;

	if (!journey_ends(&note->e, &ends))
		return NULL;
	VEC_GROW(j->visits, j->n, j->room);
	v = &j->visits[j->n++];
	*v = (struct visit) { .place = note->place,
			      .id = note->e.id,
			      .direction = direction_of(j, &ends),
			      .ttl = ends.ttl,
			      .is_out = note->e.mark_of == TRACE_OUT,
			      .packet = packet_of(&ends, &note->e) };
	return v;
}

/* The kernel's number for a packet is made of its link, too: a bridge gives it another one on the
 * way up.  The packet is known by what is in it.
 */
static struct visit *adopt(struct journey *j, const struct note *note)
{
	struct ends ends;
	enum direction direction;
	unsigned packet;

	if (!journey_ends(&note->e, &ends))
		return NULL;
	direction = direction_of(j, &ends);
	packet = packet_of(&ends, &note->e);
	for (size_t i = j->n; is_wanted(&ends, direction) && i-- > 0;) {
		struct visit *v = &j->visits[i];

		if (v->place != note->place || v->direction != direction || v->packet != packet)
			continue;
		v->id = note->e.id;
		return v;
	}
	return NULL;
}

static void note_add(struct journey *j, size_t i)
{
	const struct note *note = &j->notes[i];
	struct visit *v = current(j, note);

	if (!v && !begins(&note->e))
		v = adopt(j, note);

	if (begins(&note->e) && (!v || has_begun(j, v, &note->e)))
		v = visit_add(j, note);
	if (!v)
		return;
	VEC_GROW(v->notes, v->n, v->room);
	v->notes[v->n++] = i;
	if (note->e.family == FAMILY_BRIDGE)
		v->bridge_has[note->e.mark_of] = true;
	else
		v->has[note->e.mark_of] = true;
}

static bool is_same_way(const struct journey *j, const struct visit *a, const struct visit *b)
{
	const struct trace_event *x = &j->notes[a->notes[0]].e, *y = &j->notes[b->notes[0]].e;

	return a->place == b->place && a->direction == b->direction && a->packet == b->packet &&
	       a->is_out == b->is_out && a->ttl == b->ttl && x->family == y->family &&
	       x->iif == y->iif;
}

/* What is sent again, and what follows the first packets, tells nothing new. */
static void drop_repeated(struct journey *j)
{
	size_t kept = 0;

	for (size_t i = 0; i < j->n; i++) {
		struct ends ends;
		bool keep = journey_ends(&j->notes[j->visits[i].notes[0]].e, &ends) &&
			    is_wanted(&ends, j->visits[i].direction);

		for (size_t k = 0; keep && k < kept; k++)
			keep = !is_same_way(j, &j->visits[k], &j->visits[i]);
		if (keep)
			j->visits[kept++] = j->visits[i];
		else
			free(j->visits[i].notes);
	}
	j->n = kept;
}

/* Each router takes one from the TTL, so that it tells the order across namespaces. */
static int by_way(const void *a, const void *b)
{
	const struct visit *x = a, *y = b;

	if (x->packet != y->packet)
		return x->packet < y->packet ? -1 : 1;
	if (x->direction != y->direction)
		return x->direction < y->direction ? -1 : 1;
	if (x->ttl != y->ttl)
		return x->ttl > y->ttl ? -1 : 1;
	if (x->is_out != y->is_out)
		return x->is_out ? -1 : 1;
	return x->notes[0] < y->notes[0] ? -1 : 1;
}

static void order(struct journey *j)
{
	for (size_t i = 0; i < j->nnotes; i++)
		note_add(j, i);
	drop_repeated(j);
	if (j->n > 0)
		qsort(j->visits, j->n, sizeof(*j->visits), by_way);
}

int journey_run(struct journey *j, const struct journey_options *options, struct error *err)
{
	struct trace_filter filter = { .protocol = j->plan->protocol };
	int r = 0;

	j->probe = PROBE_INIT;
	if (!options->watch)
		r = probe_open(j->places.items[j->from].path ? j->places.items[j->from].fd : -1,
			       j->plan, &j->probe, err);
	if (r < 0)
		return r;
	if (!options->watch)
		filter.port = j->probe.id;
	r = open_tracers(j, &filter, err);
	if (r == 0)
		r = options->watch ? watch(j, options, err) : send_all(j, options, err);
	close_tracers(j);
	if (r == 0)
		order(j);
	return r;
}

/* rules */

const struct chain *journey_chain(struct journey *j, const struct note *note)
{
	const struct ruleset *rs = place_rules(&j->places.items[note->place]);
	const struct table *t =
		rs ? ruleset_table(rs, note->e.family, note->e.table, BACKEND_NFT) : NULL;

	return t ? table_chain(t, note->e.chain) : NULL;
}

const struct rule *journey_rule(struct journey *j, const struct note *note)
{
	const struct chain *c = note->e.kind == TRACE_RULE ? journey_chain(j, note) : NULL;

	for (size_t i = 0; c && i < c->n; i++)
		if (c->rules[i].handle == note->e.handle)
			return &c->rules[i];
	return NULL;
}
