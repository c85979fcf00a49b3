/* src/engine/stop.c */
#include "engine/stop.h"

#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/explain.h"
#include "base/process.h"
#include "base/socket.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/lock.h"
#include "engine/remove.h"
#include "engine/status.h"
#include "monitor/client.h"

#define STATUS_UNKNOWN 255
#define KILL_WAIT_MS   10000

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

static int send_signal(int pidfd, pid_t pid, int sig, struct error *err)
{
	if (explain("a signal to its first process", "kill -%d %d", sig, pid))
		return 0;
	if (syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) == 0 || errno == ESRCH)
		return 0;
	if (errno == EPERM)
		return error_set(err, -EPERM,
				 "process %d is another user's and takes no signal %d from you; "
				 "try it with sudo",
				 pid, sig);
	return error_sys(err, -errno, "send signal %d to process %d", sig, pid);
}

static void tell_signal(const struct engine *engine, const struct container *c, int sig)
{
	char number[16];

	(void)snprintf(number, sizeof(number), "%d", sig);
	container_event(engine, c, "kill", "signal", number);
}

int container_kill(struct engine *engine, const struct container *c, int sig, struct error *err)
{
	autoclose int pidfd = -1;
	pid_t pid = 0;
	int r = open_init(engine, c, &pidfd, &pid, err);

	if (r == 0)
		r = send_signal(pidfd, pid, sig, err);
	if (r == 0)
		tell_signal(engine, c, sig);
	return r;
}

/* ending several */

struct ending {
	const struct container *c;
	int pidfd; /* -1: not waited for (any more) */
	pid_t pid;
	int timeout_s;
	int64_t deadline_ms; /* -1: none */
	bool killed;
};

static bool wait_narrate(pid_t pid, int timeout_s)
{
	if (timeout_s < 0)
		return explain("until it has gone", "tail -s 0.1 --pid=%d -f /dev/null", pid);
	return explain("until it has gone, but no longer than that",
		       "timeout %d tail -s 0.1 --pid=%d -f /dev/null || :", timeout_s, pid);
}

/* A script does not know how it goes: it says all that may be needed. */
static void ending_narrate(const struct ending *e)
{
	int timeout_s = e->killed ? -1 : e->timeout_s;

	/* timeout(1) takes 0 for ever. */
	if (timeout_s != 0 && (!wait_narrate(e->pid, timeout_s) || timeout_s < 0))
		return;
	if (!explain_dry())
		return;
	(void)explain("what does not listen is killed", "! kill -0 %d 2> /dev/null || kill -%d %d",
		      e->pid, SIGKILL, e->pid);
	(void)wait_narrate(e->pid, -1);
}

static void ending_start(struct engine *engine, const struct stop_plan *plan, struct ending *e,
			 struct error *err, int *ret)
{
	int own = e->c->stop_signal ? signal_parse(e->c->stop_signal) : SIGTERM;
	int sig = plan->sig ? plan->sig : own > 0 ? own : SIGTERM;
	int timeout_s = plan->timeout_s == STOP_TIMEOUT_OWN ? e->c->stop_timeout : plan->timeout_s;

	*ret = open_init(engine, e->c, &e->pidfd, &e->pid, err);
	if (*ret == 0)
		*ret = send_signal(e->pidfd, e->pid, sig, err);
	if (*ret == 0)
		tell_signal(engine, e->c, sig);
	e->killed = sig == SIGKILL;
	e->timeout_s = timeout_s;
	e->deadline_ms = e->killed       ? clock_monotonic_ms() + KILL_WAIT_MS
			 : timeout_s < 0 ? -1
					 : clock_monotonic_ms() + (int64_t)timeout_s * 1000;
}

static void ending_done(struct ending *e)
{
	if (e->pidfd >= 0)
		(void)close(e->pidfd);
	e->pidfd = -1;
}

/* It is late: the kill, and if that came already it is given up.  Returns < 0 then. */
static int ending_late(struct ending *e, struct error *err)
{
	if (e->killed)
		return error_set(err, -ETIMEDOUT,
				 "container %s does not end although it was killed: process %d "
				 "waits in the kernel, see /proc/%d/stack",
				 e->c->name, e->pid, e->pid);
	e->killed = true;
	e->deadline_ms = clock_monotonic_ms() + KILL_WAIT_MS;
	return send_signal(e->pidfd, e->pid, SIGKILL, err);
}

struct endings {
	struct ending *items;
	struct pollfd *polled;
	size_t n;
	ended_fn ended;
	void *data;
};

static void endings_report(struct endings *all, size_t i, int r, const struct error *err)
{
	ending_done(&all->items[i]);
	all->ended(all->data, i, r, err);
}

/* Returns how long to wait for the next deadline, -1 for ever, -2 if nothing is waited for. */
static int endings_prepare(struct endings *all)
{
	int64_t now = clock_monotonic_ms(), next = INT64_MAX;
	bool any = false;

	for (size_t i = 0; i < all->n; i++) {
		struct ending *e = &all->items[i];
		struct error err = { 0 };

		if (e->pidfd >= 0 && e->deadline_ms >= 0 && e->deadline_ms <= now) {
			int r = ending_late(e, &err);

			if (r < 0)
				endings_report(all, i, r, &err);
		}
		all->polled[i] = (struct pollfd) { .fd = e->pidfd, .events = POLLIN };
		any = any || e->pidfd >= 0;
		if (e->pidfd >= 0 && e->deadline_ms >= 0)
			next = MIN(next, e->deadline_ms);
	}
	if (!any)
		return -2;
	return next == INT64_MAX ? -1 : (int)MIN(MAX(next - now, 0), INT32_MAX);
}

static void endings_wait(struct endings *all)
{
	int timeout_ms;

	while ((timeout_ms = endings_prepare(all)) >= -1) {
		if (poll(all->polled, all->n, timeout_ms) <= 0)
			continue;
		for (size_t i = 0; i < all->n; i++)
			if (all->polled[i].revents)
				endings_report(all, i, 0, NULL);
	}
}

void containers_end(struct engine *engine, struct container *const *containers, size_t n,
		    const struct stop_plan *plan, ended_fn ended, void *data)
{
	autofree struct ending *items = xcalloc(n, sizeof(*items));
	autofree struct pollfd *polled = xcalloc(n, sizeof(*polled));
	autofree struct error *errors = xcalloc(n, sizeof(*errors));
	autofree int *results = xcalloc(n, sizeof(*results));
	struct endings all = { items, polled, n, ended, data };

	for (size_t i = 0; i < n; i++) {
		items[i] = (struct ending) { .c = containers[i], .pidfd = -1 };
		ending_start(engine, plan, &items[i], &errors[i], &results[i]);
	}
	for (size_t i = 0; i < n; i++)
		if (results[i] == 0)
			ending_narrate(&items[i]);
	for (size_t i = 0; i < n; i++)
		if (results[i] < 0 || explain_dry())
			endings_report(&all, i, results[i] == -ESRCH ? 0 : results[i], &errors[i]);
	endings_wait(&all);
}

struct stopping {
	struct engine *engine;
	struct container *const *all;
	ended_fn ended;
	void *data;
};

static void finish_stopped(void *data, size_t i, int r, const struct error *err)
{
	const struct stopping *s = data;
	struct error failure = { 0 };

	if (r < 0) {
		s->ended(s->data, i, r, err);
		return;
	}
	r = container_finish(s->engine, s->all[i]->id, &failure);
	/* It has ended; what cannot be written is left for the next command that can. */
	if (r == -EROFS || r == -ENOSPC)
		r = 0;
	s->ended(s->data, i, r, &failure);
}

void containers_stop(struct engine *engine, struct container *const *all, size_t n, int timeout_s,
		     ended_fn ended, void *data)
{
	const struct stop_plan plan = { .timeout_s = timeout_s };
	struct stopping stopping = { engine, all, ended, data };

	containers_end(engine, all, n, &plan, finish_stopped, &stopping);
}

struct waiting {
	const struct engine *engine;
	const char *id;
};

static int judge(void *data, struct error *err)
{
	const struct waiting *w = data;

	return container_judge_end(w->engine, w->id, err);
}

/* Through the attach socket, if there is one: its last word is the status, also with --rm. */
static int wait_attached(const struct engine *engine, const struct container *c, int *ret_status,
			 struct error *err)
{
	struct waiting waiting = { engine, c->id };
	autofree char *path = xasprintf("containers/%s/attach", c->id);
	autoclose int sock = -1;
	int r = socket_connect_at(engine->run_fd, path, SOCK_STREAM, &sock, NULL);

	return r < 0 ? r : client_wait(sock, judge, &waiting, ret_status, err);
}

int container_wait(struct engine *engine, const struct container *c, int *ret_status,
		   struct error *err)
{
	autoclose int lock = -1;
	struct status status = { .pid = 0 };
	int r = status_read(engine, c->id, &status, err);

	if (r < 0)
		return r;
	if (status.kind == STATUS_RUNNING && wait_narrate(status.pid, -1))
		return 0;
	r = wait_attached(engine, c, ret_status, err);
	if (r == 0 || r == -ETIMEDOUT)
		return r;
	r = container_lock_patient(engine, c->id, &lock, err);
	if (r == 0)
		r = status_read(engine, c->id, &status, err);
	if (r == 0)
		*ret_status = status.exit_code < 0 ? STATUS_UNKNOWN : status.exit_code;
	return r;
}
