/* src/cmd/ps_filter.h - which containers 'ps --filter' shows, as Docker reads its filters.
 *
 * Filters of one key: any of them fits; labels: all of them; filters of several keys: each has to
 * fit.  A key or status that nobody knows is an error and not an empty list.
 */
#ifndef CMD_PS_FILTER_H
#define CMD_PS_FILTER_H

#include <stdbool.h>

#include "base/error.h"

struct container;
struct status;
struct strv;

/* Checks texts such as "name=web". */
int ps_filter_check(const struct strv *texts, struct error *err) must_check;
/* Whether one asks for containers that do not run, so that -a is meant. */
bool ps_filter_wants_all(const struct strv *texts);
bool ps_filter_fits(const struct strv *texts, const struct container *c, const struct status *s);

#endif
