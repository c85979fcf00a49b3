/* src/why/eval.h - what the rules do with a packet: the kernel's way through hooks, chains and
 * rules, gone with a packet of which not everything is known.
 *
 * Where a rule asks for what is not known, or in a way that is not known, the way forks.  All forks
 * are gone; when they do not end alike the outcome is unknown, and the path says where the doubt
 * began.  Nothing is guessed.
 */
#ifndef WHY_EVAL_H
#define WHY_EVAL_H

#include "why/packet.h"
#include "why/ruleset.h"

enum outcome {
	OUTCOME_DELIVERED, /* to this host */
	OUTCOME_FORWARDED,
	OUTCOME_SENT,
	OUTCOME_DROPPED,
	OUTCOME_REFUSED,
	OUTCOME_QUEUED,
	OUTCOME_UNKNOWN,
};

enum step_kind {
	STEP_HOOK,      /* a station begins */
	STEP_CONNTRACK, /* its connection is known from here on */
	STEP_CHAIN,     /* a base chain is entered */
	STEP_RULE,      /* matched; verdict is what followed */
	STEP_DOUBT,     /* may match or not: doubt says why; took says which way this path goes */
	STEP_END,       /* of a chain that was called, without verdict: back */
	STEP_POLICY,    /* of a base chain */
	STEP_NAT_SKIP,  /* no nat chain is asked: not the first packet */
	STEP_REWRITE,   /* an address or port, by the rule before */
	STEP_ASSIGN,    /* a mark and the like */
	STEP_NOTRACK,
	STEP_ROUTE, /* text says where to */
};

struct step {
	enum step_kind kind;
	enum hook hook;
	unsigned depth; /* of calls */
	const struct chain *chain;
	const struct rule *rule;
	enum verdict verdict;
	const struct chain *target; /* of jump and goto */
	const struct rule *back;    /* STEP_END and a return: the rule that called the chain */
	const char *doubt;
	bool took;
	/* STEP_REWRITE, STEP_ASSIGN; is_unknown: to what cannot be said */
	enum field field;
	u128 before, after;
	bool was_unknown, is_unknown;
	/* STEP_ROUTE: the way from here on and the link, "" if not known */
	enum way way;
	char link[16];
};

struct path {
	struct step *steps;
	size_t n, room;
	enum outcome outcome;      /* of this way through the doubts */
	const struct rule *rule;   /* that ended it; NULL: a policy, or nothing */
	const struct chain *chain; /* where it ended; NULL: it came through */
	struct packet packet;      /* as it was at the end */
};

struct check {
	enum outcome outcome; /* of all ways */
	struct path path;     /* the first: where there is doubt, the rule does not match */
	struct path other;    /* with OUTCOME_UNKNOWN: one that ends otherwise */
	size_t ndoubts;       /* on path */
	size_t nidle;         /* on path: rules that may have matched, and do nothing: not told */
	uint64_t evaluated;   /* rules */
	/* Base chains that a packet like this could meet on this host, and was not said to: those
	 * of bridges for one that is not "bridged", else those of packets.
	 */
	size_t nnot_asked;
	bool is_frame;
	bool is_cut; /* there were more forks than were gone */
};

/* world may be NULL. */
void check_run(const struct ruleset *rs, const struct packet *packet, const struct world *world,
	       struct check *ret);
void check_done(struct check *check);
const char *outcome_name(enum outcome outcome);

#endif
