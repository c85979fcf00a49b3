/* src/engine/stop.c */
#include "engine/stop.h"

#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/explain.h"
#include "base/number.h"
#include "base/process.h"
#include "base/socket.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/lock.h"
#include "engine/remove.h"
#include "engine/status.h"
#include "monitor/client.h"

#define STATUS_UNKNOWN 255

int stop_timeout_parse(const char *text, const char *option, int *ret, struct error *err)
{
	int64_t seconds;

	if (number_parse_signed(text, -1, INT_MAX, &seconds) < 0)
		return error_set(err, -EINVAL, "%s wants seconds, or -1 for ever, not '%s'", option,
				 text);
	*ret = (int)seconds;
	return 0;
}

/* A pidfd of its init, -ESRCH if it does not run. */
static int open_init(const struct engine *engine, const struct container *c, int *ret,
		     pid_t *ret_pid, struct error *err)
{
	struct status status = { .pid = 0 };
	int r = status_read(engine, c->id, &status, err);

	if (r == 0 && status.kind == STATUS_RUNNING)
		r = process_open(status.pid, status.start_time, ret);
	else if (r == 0)
		r = -ESRCH;
	if (r == 0)
		*ret_pid = status.pid;
	if (r == -ESRCH)
		return error_set(err, r, "container %s does not run", c->name);
	return r;
}

static int signal_pidfd(int pidfd, pid_t pid, int sig, struct error *err)
{
	if (syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0 && errno != ESRCH)
		return error_sys(err, -errno, "send signal %d to process %d", sig, pid);
	return 0;
}

static int send_signal(int pidfd, pid_t pid, int sig, struct error *err)
{
	if (explain("a signal to its first process", "kill -%d %d", sig, pid))
		return 0;
	return signal_pidfd(pidfd, pid, sig, err);
}

static int kill_deaf(int pidfd, pid_t pid, struct error *err)
{
	if (explain("what does not listen is killed", "! kill -0 %d 2> /dev/null || kill -%d %d",
		    pid, SIGKILL, pid))
		return 0;
	return signal_pidfd(pidfd, pid, SIGKILL, err);
}

static bool wait_narrate(pid_t pid, int timeout_s)
{
	if (timeout_s < 0)
		return explain("until it has gone", "tail -s 0.1 --pid=%d -f /dev/null", pid);
	return explain("until it has gone, but no longer than that",
		       "timeout %d tail -s 0.1 --pid=%d -f /dev/null || :", timeout_s, pid);
}

/* 1 when it ended, 0 at the deadline; timeout_s -1 waits for ever.  A script goes on with both. */
static int wait_end(int pidfd, pid_t pid, int timeout_s, struct error *err)
{
	struct pollfd p = { .fd = pidfd, .events = POLLIN };
	int64_t deadline = clock_monotonic_ms() + (int64_t)timeout_s * 1000;

	if (wait_narrate(pid, timeout_s))
		return timeout_s < 0;
	for (;;) {
		int64_t left = timeout_s < 0 ? -1 : MAX(deadline - clock_monotonic_ms(), 0);
		int n = poll(&p, 1, (int)MIN(left, INT32_MAX));

		if (n >= 0)
			return n;
		if (errno != EINTR)
			return error_sys(err, -errno, "wait for the container's end");
	}
}

int container_kill(struct engine *engine, const struct container *c, int sig, struct error *err)
{
	autoclose int pidfd = -1;
	pid_t pid = 0;
	int r = open_init(engine, c, &pidfd, &pid, err);

	return r < 0 ? r : send_signal(pidfd, pid, sig, err);
}

int container_stop_with(struct engine *engine, const struct container *c, int sig, int timeout_s,
			struct error *err)
{
	autoclose int pidfd = -1;
	pid_t pid = 0;
	int r = open_init(engine, c, &pidfd, &pid, err);

	if (r == -ESRCH)
		return container_finish(engine, c->id, err);
	if (r == 0)
		r = send_signal(pidfd, pid, sig, err);
	if (r < 0)
		return r;
	r = wait_end(pidfd, pid, timeout_s, err);
	if (r == 0) {
		r = kill_deaf(pidfd, pid, err);
		if (r == 0)
			r = wait_end(pidfd, pid, -1, err);
	}
	return r < 0 ? r : container_finish(engine, c->id, err);
}

int container_stop(struct engine *engine, const struct container *c, int timeout_s,
		   struct error *err)
{
	int sig = c->stop_signal ? signal_parse(c->stop_signal) : SIGTERM;

	return container_stop_with(engine, c, sig > 0 ? sig : SIGTERM,
				   timeout_s == STOP_TIMEOUT_OWN ? c->stop_timeout : timeout_s,
				   err);
}

/* Through the attach socket, if there is one: its last word is the status, also with --rm. */
static int wait_attached(const struct engine *engine, const struct container *c, int *ret_status)
{
	autofree char *path = xasprintf("containers/%s/attach", c->id);
	autoclose int sock = -1;
	int r = socket_connect_at(engine->run_fd, path, SOCK_STREAM, &sock, NULL);

	return r < 0 ? r : client_wait(sock, ret_status);
}

int container_wait(struct engine *engine, const struct container *c, int *ret_status,
		   struct error *err)
{
	autoclose int lock = -1;
	struct status status = { .pid = 0 };
	int r;

	r = status_read(engine, c->id, &status, err);
	if (r < 0)
		return r;
	if (status.kind == STATUS_RUNNING && wait_narrate(status.pid, -1))
		return 0;
	if (wait_attached(engine, c, ret_status) == 0)
		return 0;
	r = container_lock(engine, c->id, true, &lock, err);
	if (r == 0)
		r = status_read(engine, c->id, &status, err);
	if (r == 0)
		*ret_status = status.exit_code < 0 ? STATUS_UNKNOWN : status.exit_code;
	return r;
}
