/* src/builder/crew.h - the stages of a build side by side.
 *
 * A stage that can begin gets a process of its own, a worker, which opens the engine for itself and
 * tells through a socket (wire.h) what happens and in the end what it made.  It waits only where it
 * takes files of a stage that is not done yet.  As many work as there are processors, those that
 * wait not counted; one more joins whenever the processors stand idle, as they do when steps wait
 * for a network.  When one fails the others are stopped, and its failure is the build's.
 *
 * Without a RUN there is no worker: then no process is started, and stages are done in their order.
 */
#ifndef BUILDER_CREW_H
#define BUILDER_CREW_H

#include <stddef.h>

#include "base/error.h"

struct build;
struct fault;

/* All stages that the targets of the n builds need; their states are filled in. */
int crew_run(struct build *builds, size_t n, struct fault *ret_fault, struct error *err) must_check;

/* In a worker: waits until the state of a stage is there.  Elsewhere it is. */
int crew_need(struct build *b, size_t stage) must_check;
/* In a worker: waits until it is the only one, with the terminal for itself. */
int crew_alone(struct build *b) must_check;

#endif
