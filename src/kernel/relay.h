/* src/kernel/relay.h - the front command between the user's terminal and a process it started.
 *
 * Only for exec: what a container's own process writes goes through its monitor.
 */
#ifndef KERNEL_RELAY_H
#define KERNEL_RELAY_H

#include <stdbool.h>

#include "base/error.h"

struct relay {
	int pidfd;  /* of the child */
	int master; /* of its pty; -1: it has our own descriptors */
	bool input; /* our standard input goes to the pty */
};

/* Forwards signals and, with a pty, bytes and window sizes, until the child has ended and all its
 * output is out.  Blocks the signals it forwards; the child must be started before.
 */
int relay_run(const struct relay *relay, struct error *err) must_check;

#endif
