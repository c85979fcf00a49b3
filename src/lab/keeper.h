/* src/lab/keeper.h - the process that a lab lives and dies with.
 *
 * It is forked off by the command that raises the lab and has its descriptors of the namespaces at
 * the same numbers. It is process 1 of a process namespace, so that whatever runs in the lab ends
 * with it, however it ends.  Until keeper_commit() it also ends with the command.
 */
#ifndef LAB_KEEPER_H
#define LAB_KEEPER_H

#include <sys/types.h>

#include "lab/raise.h"

struct keeper {
	pid_t pid; /* as the command sees it */
	int pipe;  /* its closing ends an uncommitted keeper */
};
#define KEEPER_INIT ((struct keeper) { .pid = -1, .pipe = -1 })

/* Returns when the node's own commands ("run:") are through; their output goes to standard error.
 * dir is the lab's, with what lab_names_write() wrote.
 */
int keeper_start(const struct raised *raised, const char *dir, struct keeper *ret,
		 struct error *err) must_check;
int keeper_commit(struct keeper *keeper, struct error *err) must_check;
void keeper_done(struct keeper *keeper); /* ends one that was not committed */

/* Ends it and waits until it is gone; -ESRCH: it is gone. */
int keeper_end(pid_t pid, uint64_t start_time, struct error *err) must_check;

#endif
