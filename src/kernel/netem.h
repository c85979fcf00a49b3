/* src/kernel/netem.h - a link that delays, loses and holds back frames on their way out:
 * tc-netem(8).
 */
#ifndef KERNEL_NETEM_H
#define KERNEL_NETEM_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

struct wire_place;

struct netem {
	uint32_t delay_us, jitter_us;
	uint32_t loss_ppm; /* frames of a million */
	uint64_t rate_bps; /* bits a second; 0: any */
};

int netem_add(const struct wire_place *at, int index, const char *name, const struct netem *netem,
	      struct error *err) must_check;
/* Tried in a namespace that is thrown away; where we may not make one, it is taken for granted. */
bool netem_is_known(void);

#endif
