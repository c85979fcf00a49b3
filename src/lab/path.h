/* src/lab/path.h - one echo request and its answer, followed through the lab by captured frames. */
#ifndef LAB_PATH_H
#define LAB_PATH_H

#include <stdio.h>

#include "base/error.h"
#include "base/json.h"
#include "lab/observe.h"
#include "lab/probe.h"

/* What a node did to the frame that came to it. */
enum deed {
	DEED_SENT,      /* it made it */
	DEED_FLOODED,   /* out of several ports */
	DEED_FORWARDED, /* out of one */
	DEED_ROUTED,
	DEED_TOOK,  /* it was for this node */
	DEED_HEARD, /* it came, and was for somebody else */
	DEED_DROPPED,
};

struct visit {
	size_t node;
	enum deed deed;
	const struct sight *in;   /* NULL: made here */
	const struct sight **out; /* n of them */
	size_t n_out, room;
};

struct journey { /* of the request, or of the answer */
	struct visit *visits;
	size_t n, room;
};

struct path {
	struct lab *lab;
	struct ping ping;
	uint16_t id;
	struct sights sights; /* everything that was heard */
	struct journey request, reply;
};

/* how may be NULL.  The sender forgets its neighbours first if fresh, so that ARP is seen, too. */
int path_observe(struct lab *lab, size_t from, const struct ip *to, const struct ping_how *how,
		 bool fresh, struct path *ret, struct error *err) must_check;
void path_done(struct path *p);

void path_print(const struct path *p, FILE *to);
json_t *path_json(const struct path *p);
/* Names of the nodes that it went through and that did something, in order: "h1", "s1", "r1"; those
 * of kind switch and hub only if asked for.
 */
void path_nodes(const struct path *p, bool with_bridges, struct strv *ret);
const char *deed_name(enum deed deed);
/* The frame itself or, in a tunnel, the innermost; whether it is the request or the answer. */
bool path_is_ours(const struct path *p, const struct sight *s, bool *ret_reply);

#endif
