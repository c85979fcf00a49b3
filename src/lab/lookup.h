/* src/lab/lookup.h - a node asks its name server for a name, and why it gets no good answer. */
#ifndef LAB_LOOKUP_H
#define LAB_LOOKUP_H

#include "base/error.h"
#include "lab/diagnose.h"

#define LOOKUP_ADDRESSES_MAX 32U

struct lookup {
	size_t node; /* that asks */
	const char *name;
	/* what came of it */
	struct ip server; /* family 0: the node's resolv.conf names none */
	int r;            /* 0: answered; -ECONNREFUSED, -ETIMEDOUT, -ENETUNREACH, ... */
	int rcode;
	struct ip addresses[LOOKUP_ADDRESSES_MAX];
	size_t n;
};

/* Each asks the name servers of its node one after the other, as libc does.  Only nodes with
 * "resolver:" can ask.
 */
void lookup_run(struct lab *lab, struct lookup *l);

/* The addresses that the file's nodes have under a name; ret has room for LOOKUP_ADDRESSES_MAX. */
size_t lookup_expected(const struct topology *t, const char *name, struct ip *ret);

/* Whether the answer has one of those that it should have, and no other; else what is wrong.
 * wanted NULL: any address will do.
 */
bool lookup_judge(struct diagnosis *d, const struct lookup *l, const struct ip *wanted, size_t n,
		  struct verdict *v);

/* What a name server answered, to a query of this ID: what is in it is put into *ret. */
int lookup_parse(const void *message, size_t len, uint16_t id, struct lookup *ret) must_check;

#endif
