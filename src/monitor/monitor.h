/* src/monitor/monitor.h - the process beside each container, seen from who starts it.
 *
 * strake-monitor is the parent of the container's first process and a subreaper.  It holds stdio
 * (pipes or a pty), the log, the attach socket and the container's lock, writes live.json before
 * the program starts and exit.json when it ended, and last does the clean-up: by executing the
 * given command, unless a client that is still there said that it does it itself.
 */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/strv.h"

struct monitor_request {
	const char *program; /* path of strake-monitor */
	const char *id;
	const char *bundle;    /* containers/ID: config.json, log, exit.json */
	const char *run_dir;   /* live.json, attach */
	const char *cache_dir; /* compiled seccomp filters */
	uint64_t log_max_size; /* 0: the default */
	int log_files;         /* 0: the default */
	bool open_stdin;
	bool brief;    /* removed at its end: its exit record need not survive a power cut */
	bool tied;     /* it ends when the client behind client_fd is gone */
	int lock_fd;   /* handed over: the monitor is its last holder */
	int client_fd; /* its end of a socket pair; -1 */
	const struct strv *cleanup; /* a command line */
};

/* Returns when the container's program was executed, or with the reason why not; then nothing of
 * the monitor is left.  Descriptors stay the caller's.
 */
int monitor_start(const struct monitor_request *req, struct error *err) must_check;

#endif
