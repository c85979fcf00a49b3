/* src/why/xt_target.h - what a rule of iptables or ebtables does; part of xt_read.c. */
#ifndef WHY_XT_TARGET_H
#define WHY_XT_TARGET_H

#include <stddef.h>

#include "base/macros.h"

struct ruleset;
struct rule;
struct xt_words;

/* Words from "-j" or "-g" on, behind which there is at least one.  -EINVAL */
int xt_target_parse(struct ruleset *rs, struct rule *rule, const struct xt_words *words,
		    size_t at) must_check;

#endif
