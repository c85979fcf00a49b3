/* src/why/flow.h - which packets are those of one connection, whatever translation makes of them.
 *
 * A connection has a name for each pair of ends that its requests have on their way: what a packet
 * is when it leaves one namespace it is when it comes to the next, and in between the kernel's
 * number of the packet holds its names together.
 */
#ifndef WHY_FLOW_H
#define WHY_FLOW_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ip.h"

struct note;
struct probe_plan;

struct ends { /* of a packet, as it is at one point */
	struct ip from, to;
	uint16_t sport, dport;
	uint8_t protocol, type, code, ttl, flags;
};

#define FLOW_NAMES_MAX 32 /* each translation makes one */
struct flow {
	struct ends names[FLOW_NAMES_MAX]; /* as its requests have them */
	size_t n;
};

enum flow_side { FLOW_OTHER, FLOW_REQUEST, FLOW_ANSWER };

enum flow_side flow_side(const struct flow *f, const struct ends *e);
/* The first packet of a connection to what the plan says; false: there is none among the notes. */
bool flow_find(struct flow *f, const struct probe_plan *plan, const struct note *notes, size_t n);
/* Takes out what is not of it, and learns its other names from the rest; the number left. */
size_t flow_keep(struct flow *f, struct note *notes, size_t n);

#endif
