/* src/monitor/monitor.c - starting one */
#include "monitor/monitor.h"

#include <fcntl.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/daemon.h"
#include "base/explain.h"

static void build_args(const struct monitor_request *req, struct strv *args)
{
	strv_add(args, "strake-monitor");
	strv_addf(args, "--id=%s", req->id);
	strv_addf(args, "--bundle=%s", req->bundle);
	strv_addf(args, "--run-dir=%s", req->run_dir);
	strv_addf(args, "--cache-dir=%s", req->cache_dir);
	if (req->log_max_size)
		strv_addf(args, "--log-max-size=%llu", (unsigned long long)req->log_max_size);
	if (req->log_files)
		strv_addf(args, "--log-files=%d", req->log_files);
	if (req->open_stdin)
		strv_add(args, "--stdin");
	if (req->brief)
		strv_add(args, "--brief");
	if (req->tied)
		strv_add(args, "--tied");
	strv_add(args, "--");
	strv_extend(args, req->cleanup->items, req->cleanup->n);
}

int monitor_start(const struct monitor_request *req, struct error *err)
{
	cleanup(strv_done) struct strv args = { 0 };
	autoclose int narration = -1;

	/* Standard error is often what it is, and there the monitor has nothing. */
	if (explain_fd() >= 0)
		narration = fcntl(explain_fd(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	build_args(req, &args);
	return daemon_start(req->program, &args,
			    (const struct daemon_fd[]) { { "lock-fd", req->lock_fd },
							 { "client-fd", req->client_fd },
							 { "explain-fd", narration } },
			    3, err);
}
