/* src/why/xt_rule.h - the words of one rule of iptables or ebtables as statements; part of
 * xt_read.c.
 */
#ifndef WHY_XT_RULE_H
#define WHY_XT_RULE_H

#include "why/ruleset.h"

struct xt_words {
	char **items; /* what follows "-A CHAIN" */
	size_t n;
};

/* Fills in statements and comment.  What is not known becomes an unknown match or statement; words
 * that can be no rule (an option without its value) are -EINVAL, *ret_bad being the culprit.
 */
int xt_rule_parse(struct ruleset *rs, struct rule *rule, const struct xt_words *words,
		  size_t *ret_bad) must_check;

#endif
