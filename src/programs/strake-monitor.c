/* src/programs/strake-monitor.c - one per container; the work is in monitor/serve.c */
#include "base/explain.h"
#include "cmd/cmd.h"
#include "monitor/serve.h"

static const struct opt opts[] = {
	OPT(struct serve_request, id, "id", 0, "ID", "the container"),
	OPT(struct serve_request, bundle, "bundle", 0, "DIR", "its directory"),
	OPT(struct serve_request, run_dir, "run-dir", 0, "DIR", "its directory while it runs"),
	OPT(struct serve_request, cache_dir, "cache-dir", 0, "DIR", "compiled seccomp filters"),
	OPT(struct serve_request, log_max_size, "log-max-size", 0, "SIZE", "of one log file"),
	OPT(struct serve_request, log_files, "log-files", 0, "N", "log files"),
	OPT(struct serve_request, open_stdin, "stdin", 0, NULL, "its standard input is kept open"),
	OPT(struct serve_request, brief, "brief", 0, NULL, "it is removed at its end"),
	OPT(struct serve_request, tied, "tied", 0, NULL, "it ends with the first client"),
	OPT(struct serve_request, status_fd, "status-fd", 0, "FD", "where to report the start"),
	OPT(struct serve_request, lock_fd, "lock-fd", 0, "FD", "to hold until the end"),
	OPT(struct serve_request, client_fd, "client-fd", 0, "FD", "the first client"),
	OPT(struct serve_request, explain_fd, "explain-fd", 0, "FD", "narrate there"),
	{ 0 },
};

int main(int argc, char **argv)
{
	struct serve_request req = { 0 };
	const struct opt_set sets[] = { { opts, &req }, { 0 } };
	struct error err = { 0 };
	int n = opt_parse(sets, OPT_FIRST_OPERAND, argc - 1, argv + 1, &err);

	if (n < 0 || !req.id || !req.bundle || !req.run_dir) {
		(void)fprintf(stderr, "strake-monitor: %s\n",
			      n < 0 ? err.text : "started by strake, not by hand");
		return 2;
	}
	if (req.explain_fd > 0)
		explain_init(EXPLAIN_NARRATE, req.explain_fd);
	explain_name_known("id", req.id);
	explain_name_known("state", req.bundle);
	explain_name_known("run", req.run_dir);
	req.cleanup = argv + 1;
	req.ncleanup = (size_t)n;
	return serve(&req);
}
