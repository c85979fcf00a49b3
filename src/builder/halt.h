/* src/builder/halt.h - the signals that end a build.
 *
 * While it works they are blocked, and looked for wherever much has been done: then it returns as
 * from any other failure, and what was half made goes.  The signal stays pending, so that in the
 * end, when they are let in again, it does what it would have done to anybody.
 */
#ifndef BUILDER_HALT_H
#define BUILDER_HALT_H

#include <signal.h>
#include <stdbool.h>

#include "base/error.h"

void halt_set(sigset_t *ret); /* which they are */
void halt_hold(sigset_t *ret_before);
/* Where nothing has to be cleared up and something is waited for, between the two a signal ends us.
 */
void halt_allow(sigset_t *ret_before);
void halt_forbid(const sigset_t *before);
bool halt_asked(void);
int halt_check(struct error *err) must_check; /* -EINTR */

#endif
