/* src/lab/rules.h - a node's firewall, read with nft(8): what stops packets at a hook. */
#ifndef LAB_RULES_H
#define LAB_RULES_H

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"

struct lab;

/* What "nft list ruleset" says there; "" if it has no rules or there is no nft.  The caller frees.
 */
char *rules_read(struct lab *lab, size_t node) __attribute__((returns_nonnull));
/* The first rule (or policy) that drops or rejects in a base chain of that hook ("forward"), as
 * "table inet filter, chain forward: ip daddr 10.0.0.2 drop"; a chain that is jumped to counts for
 * every hook.  The caller frees; NULL if there is none.
 */
char *rules_find_drop(const char *rules, const char *hook);
bool rules_masquerade(const char *rules);

#endif
