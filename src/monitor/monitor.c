/* src/monitor/monitor.c - starting one */
#include "monitor/monitor.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"

/* Each becomes "--NAME=NUMBER" and loses its close-on-exec in the child. */
struct handed {
	const char *name;
	int fd;
};

static void build_args(const struct monitor_request *req, const struct handed *fds, size_t n,
		       struct strv *args)
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
	for (size_t i = 0; i < n; i++)
		if (fds[i].fd >= 0)
			strv_addf(args, "--%s=%d", fds[i].name, fds[i].fd);
	strv_add(args, "--");
	strv_extend(args, req->cleanup->items, req->cleanup->n);
}

/* Twice forked, so that it is nobody's child and no zombie of ours; a session of its own, so that
 * no terminal's signal reaches it.
 */
static _Noreturn void become(const struct monitor_request *req, const struct handed *fds, size_t n,
			     const struct strv *args, int status)
{
	struct error err = { .code = -EIO };
	pid_t pid;
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	pid = fork();
	if (pid < 0) {
		(void)error_sys(&err, -errno, "start the monitor");
		(void)error_send(status, &err);
	}
	if (pid != 0)
		_exit(0);
	/* What our caller had open (pipes, locks, sockets) is not for as long as a container lives.
	 */
	(void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	for (size_t i = 0; i < n; i++)
		if (fds[i].fd >= 0)
			(void)fcntl(fds[i].fd, F_SETFD, 0);
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(nothing, fd);
	(void)chdir("/");
	(void)execv(req->program, args->items);
	(void)error_sys(&err, -errno, "run %s", req->program);
	(void)error_send(status, &err);
	_exit(127);
}

int monitor_start(const struct monitor_request *req, struct error *err)
{
	autoclose int ours = -1, theirs = -1, narration = -1;
	struct error said = { 0 };
	struct strv args = { 0 };
	int pair[2], r;
	pid_t pid;

	/* Standard error is often what it is, and there the monitor has nothing. */
	if (explain_fd() >= 0)
		narration = fcntl(explain_fd(), F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
	if (pipe2(pair, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make a pipe");
	ours = pair[0];
	theirs = pair[1];
	{
		const struct handed fds[] = {
			{ "status-fd", theirs },
			{ "lock-fd", req->lock_fd },
			{ "client-fd", req->client_fd },
			{ "explain-fd", narration },
		};

		build_args(req, fds, ARRAY_SIZE(fds), &args);
		pid = fork();
		if (pid == 0)
			become(req, fds, ARRAY_SIZE(fds), &args, theirs);
	}
	strv_done(&args);
	if (pid < 0)
		return error_sys(err, -errno, "start the monitor");
	(void)close(steal_fd(&theirs));
	(void)TEMP_FAILURE_RETRY(waitpid(pid, NULL, 0));
	r = error_receive(ours, &said);
	if (r < 0)
		return error_sys(err, r, "hear from the monitor");
	if (r == 0)
		return error_set(err, -ECHILD, "the monitor ended without a word");
	if (said.code == 0)
		return 0;
	if (err)
		*err = said;
	return said.code;
}
