/* src/kernel/qdisc.h - how fast a link may send: a token bucket, tc-tbf(8). */
#ifndef KERNEL_QDISC_H
#define KERNEL_QDISC_H

#include <stdint.h>

#include "base/error.h"

struct nl;

/* rate in bits a second; where as in link.h. */
int qdisc_limit(struct nl *nl, int index, const char *name, uint64_t rate, const char *where,
		struct error *err) must_check;

#endif
