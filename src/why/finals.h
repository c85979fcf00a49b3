/* src/why/finals.h - rules behind which nothing comes, of a chain: a packet that matches one does
 * not go on to the next.  A later rule whose packets an earlier one of these takes can never match.
 *
 * Ten thousand rules are fifty million pairs, so they are kept by what they ask for: a rule that
 * takes all that another would asks for no more fields than that, and its ranges are wider.  Rules
 * that ask for the same fields with blocks of the same sizes (networks of one length, ports) are a
 * class, and in a class the rules that come into question are found by the values.
 */
#ifndef WHY_FINALS_H
#define WHY_FINALS_H

#include <stdbool.h>
#include <stdint.h>

#include "why/field.h"

struct rule;
struct statement;

#define HULLS_MAX 8

/* What a packet that matches must at least be, of a field. */
struct hull {
	enum field field;
	struct range range;
};

struct digest {
	const struct rule *rule;
	uint64_t fields; /* that it asks for, a bit each */
	bool is_exact;   /* nothing in it is unknown or by chance */
	bool is_final;   /* no packet that matches goes on to the next rule */
	struct hull hulls[HULLS_MAX];
	unsigned nhulls;
};
struct digest digest_of(const struct rule *rule);
/* A match of one field with one range. */
bool statement_is_single(const struct statement *s);

struct finals;
struct finals *finals_new(size_t max);
void finals_free(struct finals *f);
void finals_keep(struct finals *f, const struct digest *d); /* at most max times */
/* Those that ask for one of the fields say nothing of later packets any more. */
void finals_forget(struct finals *f, uint64_t fields);
/* The first one that takes all that this rule would; NULL: none does. */
const struct digest *finals_cover(const struct finals *f, const struct digest *d);

#endif
