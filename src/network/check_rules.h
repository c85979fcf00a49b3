/* src/network/check_rules.h - whether the chains of our table have all their rules.
 *
 * They never change while we are the only one who writes there; a rule that somebody has deleted
 * is told with what does not work without it.
 */
#ifndef NETWORK_CHECK_RULES_H
#define NETWORK_CHECK_RULES_H

#include "base/error.h"

/* How many chains are not whole. */
int check_rules(const char *table, void (*report)(void *data, const char *text), void *data,
		struct error *err) must_check;

#endif
