/* src/kernel/relay.h - the front command between the user and a process that it started.
 *
 * Only for exec: what a container's own process writes goes through its monitor.  Bytes go through
 * channels: from the terminal's master or from pipes that the process has in place of our own
 * descriptors, because what it is given it can open anew, to write to a file that it was to read.
 */
#ifndef KERNEL_RELAY_H
#define KERNEL_RELAY_H

#include <stdbool.h>

#include "base/error.h"

struct relay {
	int pidfd;     /* of the child */
	int master;    /* of its pty, or -1 */
	int pipes[3];  /* our ends of its 0, 1, 2; -1: it has ours, or a pty */
	bool input;    /* our standard input goes to the pty */
	bool detached; /* ^P ^Q was typed: the child goes on without us */
	bool held;     /* of the two keys the first */
};
#define RELAY_INIT ((struct relay) { .pidfd = -1, .master = -1, .pipes = { -1, -1, -1 } })

/* Puts a pipe into pipes[] for each of our descriptors that the process shall not have itself:
 * files and terminals.  stdio becomes what it gets; after it was started, relay_started() closes
 * the pipes' other ends.
 */
int relay_pipes(struct relay *relay, int stdio[3], struct error *err) must_check;
void relay_started(const struct relay *relay, const int stdio[3]);

/* Forwards signals, bytes and window sizes, until the child has ended and all its output is out.
 * Blocks the signals it forwards; the child must be started before.
 */
int relay_run(struct relay *relay, struct error *err) must_check;
void relay_done(struct relay *relay); /* closes master and pipes */

#endif
