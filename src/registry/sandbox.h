/* src/registry/sandbox.h - away with every right that talking to the network does not need. */
#ifndef REGISTRY_SANDBOX_H
#define REGISTRY_SANDBOX_H

#include "base/error.h"

/* Root becomes nobody without capabilities; in any case no new privileges, no files but to read
 * what a resolver and TLS need (landlock, where the kernel has it), no file that could grow, no
 * core.
 */
int sandbox_enter(struct error *err) must_check;
/* This process ends when its parent does. */
void sandbox_die_with_parent(void);

#endif
