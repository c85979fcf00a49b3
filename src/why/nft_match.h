/* src/why/nft_match.h - the expressions of libnftables-json(5): what is asked for, and with what it
 * is compared.  Part of nft_read.c.
 */
#ifndef WHY_NFT_MATCH_H
#define WHY_NFT_MATCH_H

#include <jansson.h>
#include <stdbool.h>

#include "base/json.h"
#include "why/ruleset.h"

/* One table being read. */
struct nft_place {
	struct ruleset *rs;
	struct table *table;
	struct json_reader *rd;
};

/* What stands left of an operator, up to SELECTORS_MAX of them; returns how many. */
unsigned nft_read_selectors(const struct nft_place *at, const json_t *left,
			    const struct selector **ret);
/* What stands right of it: a set's name, a set, or one value.  A value that is not understood makes
 * it a set of which nobody knows what it holds.  is_list: "syn,ack" is one value.
 */
const struct set *nft_read_set(const struct nft_place *at, const struct selector *selectors,
			       unsigned n, const json_t *right, bool is_list);
/* The set of a map or verdict map. */
const struct set *nft_read_map(const struct nft_place *at, const struct selector *selectors,
			       unsigned n, const json_t *data);
/* Elements of a set whose kinds are known. */
void nft_read_elements(const struct nft_place *at, struct set *set, const json_t *elements);
/* {"accept": null}, {"jump": {"target": ...}}: VERDICT_NONE if it is none. */
enum verdict nft_read_verdict(const json_t *verdict, const char **ret_target);
/* One value of a kind; an integer, word, prefix or range.  -EINVAL */
int nft_read_value(enum kind kind, const json_t *value, struct range *ret) must_check;
void nft_read_source(const struct nft_place *at, enum kind kind, const json_t *value,
		     struct source *ret);

#endif
