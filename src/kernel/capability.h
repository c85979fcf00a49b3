/* src/kernel/capability.h - capabilities(7): names, and the five sets of a process.
 *
 * A set is a bit mask, bit N for capability number N.
 */
#ifndef KERNEL_CAPABILITY_H
#define KERNEL_CAPABILITY_H

#include <stdint.h>

#include "base/error.h"

#define CAPABILITY_MAX 63

/* "CAP_CHOWN" to 0; -EINVAL.  Exactly as the OCI specification writes them. */
int capability_parse(const char *name);
const char *capability_name(int cap); /* NULL past the last one that we know */

struct capability_sets {
	uint64_t bounding, effective, permitted, inheritable, ambient;
};

/* In the order that leaves the least power at each moment: bounding first, while we may. */
int capability_drop_bounding(uint64_t keep, struct error *err) must_check;
/* Sets the other four; the process has changed its user before (PR_SET_KEEPCAPS). */
int capability_apply(const struct capability_sets *sets, struct error *err) must_check;
/* Effective := permitted for the steps before the last one (seccomp without no_new_privs). */
int capability_raise(struct error *err) must_check;

/* "-all,+chown,+kill" as setpriv(1) wants a set; the caller frees. */
char *capability_format(uint64_t set);

#endif
