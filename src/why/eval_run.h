/* src/why/eval_run.h - one way of a packet through the rules, in progress; shared by eval.c, which
 * goes from station to station, and eval_chain.c, which goes through the chains of one.
 */
#ifndef WHY_EVAL_RUN_H
#define WHY_EVAL_RUN_H

#include "why/eval.h"

#define RUN_DOUBTS_MAX 10 /* decided differently; later ones make the outcome unknown */
/* Of all runs: chains of a file may go round in circles. */
#define RUN_RULES_MAX 2000000U

struct run {
	const struct ruleset *rs;
	const struct world *world;
	struct packet packet, described; /* as it is; as it came */
	struct path *path;
	bool decisions[RUN_DOUBTS_MAX];
	size_t ndecisions, ndoubts;
	bool is_cut;
	size_t nidle;
	uint64_t evaluated;
	/* connection tracking */
	bool is_tracked, no_track;
	bool has_dnat, has_snat; /* decided, whether anything was rewritten or not */
	bool is_rerouted;        /* its destination is another */
	bool is_here;            /* redirected to this host */
	enum hook hook;
	unsigned depth;
};

enum result { RESULT_CONTINUE, RESULT_ACCEPT, RESULT_STOP };

/* Good until the next one. */
struct step *run_step(struct run *run, enum step_kind kind);
/* Goes through a base chain and all that it calls. */
enum result run_chain(struct run *run, const struct chain *base);
/* What a route says of the address types that rules ask for: after an address has changed. */
void run_set_types(struct run *run);

#endif
