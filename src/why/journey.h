/* src/why/journey.h - a probe's way through the network namespaces of this host, as their kernels
 * told it, in the order in which it went.
 */
#ifndef WHY_JOURNEY_H
#define WHY_JOURNEY_H

#include "why/flow.h"
#include "why/place.h"
#include "why/probe.h"
#include "why/trace.h"

enum direction {
	DIRECTION_REQUEST,
	DIRECTION_REPLY,
	DIRECTION_TROUBLE, /* an ICMP error about it */
};

const char *direction_name(enum direction direction); /* "request", "answer", "error" */

struct note {
	size_t place;
	struct trace_event e;
};

/* One packet in one namespace, from where it comes in or is sent. */
struct visit {
	size_t place;
	enum direction direction;
	unsigned packet; /* of several probes, from 1 */
	int ttl;
	bool is_out;                     /* sent there */
	bool has[TRACE_SENT + 1];        /* own marks that it passed as a packet, */
	bool bridge_has[TRACE_SENT + 1]; /* and as a frame on a bridge */
	uint32_t id;
	size_t *notes;
	size_t n, room;
};

struct journey {
	const struct probe_plan *plan;
	struct places places;
	size_t from; /* place of the sender */
	struct probe probe;
	struct flow flow; /* that was waited for; without names otherwise */
	struct note *notes;
	size_t nnotes, notes_room;
	struct visit *visits; /* in order */
	size_t n, room;
};

struct journey_options {
	unsigned count;   /* probes */
	unsigned wait_ms; /* for an answer to each */
	bool watch;       /* send nothing: wait for the user's own packet to plan->to */
};

/* places and from are set before.  What it made in any namespace is gone when this returns. */
int journey_run(struct journey *j, const struct journey_options *options,
		struct error *err) must_check;
void journey_done(struct journey *j);

/* Of an event with headers; false: it has none. */
bool journey_ends(const struct trace_event *e, struct ends *ret);
/* The rule of an event, NULL if the rules cannot be read; and its chain. */
const struct rule *journey_rule(struct journey *j, const struct note *note);
const struct chain *journey_chain(struct journey *j, const struct note *note);

#endif
