/* src/lab/domains.h - who hears whom, found by sending frames.
 *
 * Every interface that is an end of Ethernet (not a port of a bridge) sends one marked broadcast
 * frame; where it arrives is its broadcast domain.  Then every interface with a cable sends one to
 * itself: a switch has learned where it is and passes it on to nobody, a hub repeats it.  Who hears
 * that is in one collision domain with it.
 */
#ifndef LAB_DOMAINS_H
#define LAB_DOMAINS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "base/error.h"
#include "base/json.h"
#include "lab/lab.h"

#define MARK_TYPE 0x7a05 /* an EtherType that nobody uses */

struct point {
	struct link_end at;
	bool is_end; /* of Ethernet; else a port of a bridge, which has no broadcast domain */
	size_t broadcast, collision; /* numbers of its domains, from 0; NO_INDEX */
};

struct domains {
	const struct topology *topology;
	struct point *points;
	size_t n;
	size_t n_broadcast, n_collision;
	size_t *base; /* by node: where its interfaces begin among all */
	size_t n_interfaces;
	/* Bits, by point * n_interfaces + interface: a broadcast of point came in there, went out;
	 * what is for point itself came in.
	 */
	uint8_t *in, *out, *repeats;
	unsigned frames; /* sent */
	/* A frame that comes again and again.  The lab's bridges have been taken down then. */
	bool storm;
	uint64_t storm_rate; /* frames a second */
};

int domains_observe(struct lab *lab, struct domains *ret, struct error *err) must_check;
void domains_done(struct domains *d);
size_t domains_find(const struct domains *d, size_t node, size_t interface); /* NO_INDEX */
bool domains_hears(const struct domains *d, size_t from, size_t to);
/* Whether a point's broadcast was seen at any interface. */
bool domains_seen(const struct domains *d, size_t from, const struct link_end *at, bool out);

void domains_print(const struct domains *d, FILE *to);
json_t *domains_json(const struct domains *d);

#endif
