/* src/lab/faults.h - a library of faults to learn from, each hidden in a lab by commands that are
 * typed in one of its nodes, as somebody's mistake would be, and undone the same way.
 *
 * Which nodes play which part (the host that has the trouble, the one that it wants to reach, the
 * router between) is found in the lab.  lab.json beside the lab's file remembers what was done; who
 * looks for the cause does not read it.
 */
#ifndef LAB_FAULTS_H
#define LAB_FAULTS_H

#include "base/error.h"
#include "lab/lab.h"
#include "lab/verdict.h"

enum fault_needs {                    /* of the lab; may be joined */
		   NEEDS_PAIR = 0,    /* two hosts that have addresses */
		   NEEDS_NEAR = 1,    /* both in one subnet */
		   NEEDS_ROUTER = 2,  /* in two, a router between that is the first one's gateway */
		   NEEDS_FAR = 4,     /* two routers between */
		   NEEDS_THIRD = 8,   /* one more host in the first one's subnet */
		   NEEDS_SWITCH = 16, /* the first one is plugged into a switch */
		   NEEDS_NEIGHBOURS = 32, /* the second one into the same */
		   NEEDS_UPLINK = 64,     /* that switch has a cable to another one */
		   NEEDS_PROXY = 128,     /* a router answers ARP for others */
		   NEEDS_NAT = 256,
		   NEEDS_VLAN = 512,
		   NEEDS_IPV6 = 1024,   /* the pair's addresses are IPv6 */
		   NEEDS_VXLAN = 2048,  /* that switch has a tunnel to the other's */
		   NEEDS_TRUNK = 4096,  /* the uplink carries the VLAN of both */
		   NEEDS_DNS = 16384,   /* the first one asks a third node for names */
		   NEEDS_NATIVE = 8192, /* as its native one, and another; the kernel's bridges */
};

enum fault_at { AT_HOST, AT_TARGET, AT_THIRD, AT_ROUTER, AT_FAR, AT_SWITCH, AT_SERVER };

#define FAULT_HINTS 3

struct fault {
	const char *id; /* NULL ends the table */
	int level;      /* 1: beginners, to 3 */
	const char *subject;
	unsigned needs;
	enum fault_at at;
	const char *command; /* for sh; $H_IP and others are set, see fault_variables() */
	enum cause cause;    /* what check and matrix call it */
	const char *hints[FAULT_HINTS]; /* {h} {t} {x} {r} {f} {s} {d} stand for names */
};
extern const struct fault faults[];

/* One of the library, or any that fits for "random". */
int fault_hide(struct lab *lab, const char *id, struct error *err) must_check;
/* The next hint of the hidden one; the last again and again.  The caller frees. */
int fault_hint(struct lab *lab, char **ret, struct error *err) must_check;

#endif
