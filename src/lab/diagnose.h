/* src/lab/diagnose.h - why one node does not reach another: the first step that fails.
 *
 * The way of a packet is walked from node to node, each step decided by what is there: the kernel
 * of each node says where it would send the packet, and observed broadcasts say who would hear its
 * question for the next hop's hardware address.  First to the target, then back.
 */
#ifndef LAB_DIAGNOSE_H
#define LAB_DIAGNOSE_H

#include "base/error.h"
#include "base/ip.h"
#include "lab/domains.h"
#include "lab/facts.h"
#include "lab/verdict.h"

struct diagnosis {
	struct lab *lab;
	struct facts facts;
	struct domains domains;
	bool observed;
	unsigned located; /* packets that were sent and watched */
};
void diagnosis_init(struct diagnosis *d, struct lab *lab);
void diagnosis_done(struct diagnosis *d);
/* Sends the broadcasts, once. */
int diagnosis_observe(struct diagnosis *d, struct error *err) must_check;

struct question {
	size_t from, to; /* nodes; to may be NO_INDEX */
	struct ip target;
	unsigned size; /* of packets that may not be split; 0: small ones */
};
/* ret->cause is CAUSE_UNKNOWN where all that is looked at seems right. */
int diagnose(struct diagnosis *d, const struct question *q, struct verdict *ret,
	     struct error *err) must_check;

/* The address by which a node is reached: as the file says, else as the kernel has it. */
bool node_address(struct facts *f, size_t node, uint8_t family, struct ip_net *ret);
/* The one that another node asks for: of the first family that both have, else any. */
bool node_address_for(struct facts *f, size_t from, size_t to, uint8_t first, struct ip_net *ret);

/* One of two takes the other to be on its own link, the other does not. */
bool find_mask_mismatch(struct diagnosis *d, const struct question *q, struct verdict *ret);
/* Of a tunnel's verdict: what is wrong on the way below it, if anything is.  d has observed. */
void explain_below(struct diagnosis *d, struct verdict *v);

#endif
