/* src/why/judge.h - what became of a probe, why, and what would change it. */
#ifndef WHY_JUDGE_H
#define WHY_JUDGE_H

#include "base/buf.h"
#include "why/journey.h"

enum fate {
	FATE_DELIVERED, /* and answered */
	FATE_DROPPED,   /* by a rule, or a policy */
	FATE_REFUSED,
	FATE_LOST,    /* outside of all rules */
	FATE_UNKNOWN, /* delivered or gone out of sight, without an answer */
};

struct judgement {
	enum fate fate;
	const struct note *at;    /* the event that ended it, or NULL */
	const struct visit *last; /* where it was seen last; NULL: nowhere */
	struct buf reason;        /* a sentence */
	struct buf advice;        /* a command, or "" */
};

void judge(struct journey *j, struct judgement *ret);
void judgement_done(struct judgement *g);
const char *fate_name(enum fate fate);
/* 0, 3 (dropped, lost), 4 (refused), 5 */
int fate_status(enum fate fate);

#endif
