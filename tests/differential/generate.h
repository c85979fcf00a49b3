/* tests/differential/generate.h - random rule sets, as text that nft(8) and iptables-restore(8)
 * take.
 */
#ifndef DIFFERENTIAL_GENERATE_H
#define DIFFERENTIAL_GENERATE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/strv.h"

struct random {
	uint64_t state;
};
uint32_t random_below(struct random *r, uint32_t n);

/* Lines of which some may be left out: is_rule[i] says which. */
struct script {
	bool v6; /* what is made speaks of IPv6 and its addresses: fd01::2 for 10.1.0.2 */
	struct strv lines;
	bool *is_rule;
	bool *is_left_out;
	size_t room;
};
void script_done(struct script *s);
/* What is not left out, as one text that the caller frees. */
char *script_text(const struct script *s);

void generate_nft(struct random *r, struct script *ret);
void generate_iptables(struct random *r, struct script *ret);

#endif
