/* src/why/words.h - a rule in plain words: "new or established connections to tcp 80 or 443 are let
 * in".
 */
#ifndef WHY_WORDS_H
#define WHY_WORDS_H

struct buf;
struct rule;
struct chain;
struct set;
struct statement;

void words_rule(const struct rule *rule, struct buf *to);
/* "end of chain FORWARD: policy drop" is what the kernel does; this is what becomes of a packet. */
const char *words_policy(const struct chain *chain);
/* What a match compares with: "10.0.0.0/8 or 192.0.2.1", "what set blocked holds". */
void words_values(const struct statement *match, unsigned part, struct buf *to);

#endif
