/* src/why/lint.h - rules that cannot do what they seem to: found by looking, not by traffic. */
#ifndef WHY_LINT_H
#define WHY_LINT_H

#include "why/ruleset.h"

struct buf;

enum finding_kind {
	FINDING_SHADOWED,  /* an earlier rule takes all that this one would */
	FINDING_DUPLICATE, /* the same again */
	FINDING_BEHIND,    /* a rule before it takes everything */
	FINDING_UNREACHED, /* nobody jumps to its chain */
	FINDING_NEVER_HIT, /* it counts, and has counted nothing */
	FINDING_NO_LINK,   /* names an interface that there is not */
	FINDING_LATE_LOG,  /* logs what was dropped before */
};

struct finding {
	enum finding_kind kind;
	const struct chain *chain;
	const struct rule *rule;  /* NULL: of the chain as a whole */
	const struct rule *other; /* the one that is in its way */
	char link[17];            /* FINDING_NO_LINK */
};

struct findings {
	struct finding *items; /* in the order of the rule set */
	size_t n, room;
};

/* links, of nlinks names: those that there are; NULL: that is not known. */
void lint(const struct ruleset *rs, char *const *links, size_t nlinks, struct findings *ret);
void findings_done(struct findings *f);
/* "can never match: rule 2 takes all of it" */
void finding_format(const struct finding *f, struct buf *to);
const char *finding_name(enum finding_kind kind); /* "shadowed", for programs */

#endif
