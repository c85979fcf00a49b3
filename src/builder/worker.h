/* src/builder/worker.h - a process that builds one stage (crew.h). */
#ifndef BUILDER_WORKER_H
#define BUILDER_WORKER_H

#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct build;

/* Our sockets to other workers, which are not for this one; -1 is none. */
struct worker_others {
	const int *socks;
	size_t n;
};

/* *ret_sock: to it.  It lives no longer than we. */
int worker_start(struct build *b, size_t stage, const struct worker_others *others, pid_t *ret_pid,
		 int *ret_sock, struct error *err) must_check;

#endif
