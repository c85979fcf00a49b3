/* src/why/legacy.h - iptables-legacy, of whose rules the kernel's trace does not tell: whether they
 * take a packet is worked out from the rules.
 */
#ifndef WHY_LEGACY_H
#define WHY_LEGACY_H

#include "why/eval.h"
#include "why/flow.h"

struct legacy_packet {
	struct ends ends;     /* as it was when it was seen last */
	const char *in, *out; /* links; NULL: it was sent here, or is for this host */
	bool is_answer;
};

/* The packet in check's terms; -EINVAL if it cannot be said. */
int legacy_describe(const struct legacy_packet *from, struct packet *ret) must_check;
/* Whether it has a say about packets of a family: rules, or a policy that is not to accept. */
bool legacy_has_say(const struct ruleset *rs, bool v6);
/* The rule, or *ret_rule NULL and the chain whose policy, that drops or refuses it for certain. */
bool legacy_takes(const struct ruleset *rs, const struct legacy_packet *packet,
		  const struct rule **ret_rule, const struct chain **ret_chain);

#endif
