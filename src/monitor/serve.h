/* src/monitor/serve.h - what strake-monitor does from start to end. */
#ifndef MONITOR_SERVE_H
#define MONITOR_SERVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* As monitor.h has it; descriptors that are 0 are not there. */
struct serve_request {
	const char *id, *bundle, *run_dir, *cache_dir;
	uint64_t log_max_size;
	int log_files;
	bool open_stdin, brief, tied;
	int status_fd, lock_fd, client_fd, explain_fd;
	char *const *cleanup;
	size_t ncleanup;
};

/* Returns the exit status of strake-monitor, if it does not become the clean-up command. */
int serve(const struct serve_request *req);

#endif
