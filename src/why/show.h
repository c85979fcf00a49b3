/* src/why/show.h - a rule set in the order in which a packet meets it: hook by hook, chain by
 * chain.
 */
#ifndef WHY_SHOW_H
#define WHY_SHOW_H

#include <jansson.h>
#include <stdio.h>

struct ruleset;
struct findings;

#define SHOW_SCHEMA 1 /* grows when a member changes its meaning or goes, not when one comes */

void show_text(const struct ruleset *rs, const struct findings *findings, FILE *to);
/* The caller owns it. */
json_t *show_json(const struct ruleset *rs, const struct findings *findings);

#endif
