/* src/lab/outage.h - for how long one node does not reach another while something is done to the
 * lab: a request every few milliseconds, before, meanwhile, and until it is answered again.
 */
#ifndef LAB_OUTAGE_H
#define LAB_OUTAGE_H

#include "base/error.h"
#include "lab/probe.h"

#define OUTAGE_EVERY_MS 5

struct outage {
	size_t from;
	struct ip to;
	const char *command; /* for sh, on this host; what it prints goes to standard error */
	/* what came of it */
	unsigned sent, answered;
	int64_t longest_ms; /* between two answers; less than two requests lie apart: 0 */
	bool is_back;       /* it was answered for a second on end when the command was through */
	int status;         /* of the command */
};

/* -EHOSTUNREACH: it was not answered before anything was done. */
int outage_watch(struct lab *lab, struct outage *o, struct error *err) must_check;

#endif
