/* src/kernel/confine.h - a process gives up what running somebody else's program on strangers' data
 * does not need.
 *
 * For a forked child before it executes: only calls that are safe there.
 */
#ifndef KERNEL_CONFINE_H
#define KERNEL_CONFINE_H

#include <stdbool.h>

#include "base/macros.h"

#define CONFINE_NOBODY 65534
#define CONFINE_PLACE  "/tmp"

struct confine {
	/* The only directory that may be written to, and the one to work in; -1: none.  Nobody sees
	 * it as CONFINE_PLACE, because its parents are not his.
	 */
	int dir;
	/* Stays who he is, without capabilities but to read: for files and keys that are his. */
	bool keeps_user;
};

/* Root becomes nobody; in any case no capabilities, no new privileges, no core, and no writing but
 * below dir where the kernel has landlock.  The process ends with its parent.  -errno.
 */
int confine_enter(const struct confine *c) must_check;
/* Has this process the rights to become nobody, with a place of his own? */
bool confine_may_hide(void);
/* The part of it that gives up root; in a user namespace that has no nobody, only capabilities. */
int confine_user(void) must_check;

#endif
