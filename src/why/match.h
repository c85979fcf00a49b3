/* src/why/match.h - whether one match holds for a packet of which not everything is known. */
#ifndef WHY_MATCH_H
#define WHY_MATCH_H

#include "why/packet.h"
#include "why/ruleset.h"

enum answer { ANSWER_NO, ANSWER_YES, ANSWER_MAYBE };

/* What a selector reads; ANSWER_NO: the packet has no such thing. */
enum answer match_read(const struct packet *p, const struct selector *s, u128 *ret);
/* The element that a key finds; with ANSWER_MAYBE one that it may. */
enum answer match_find(const struct packet *p, const struct selector *selectors, unsigned n,
		       const struct set *set, const struct element **ret);
enum answer match_holds(const struct packet *p, const struct statement *s);

#endif
