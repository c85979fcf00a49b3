/* src/engine/lock.c */
#include "engine/lock.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/status.h"

#define TICK_S     1     /* how often it is looked why it takes so long */
#define WAIT_MS    60000 /* for one that works: it may have a large tree to remove */
#define STOPPED_MS 2000  /* for one that is stopped: a debugger, or a mistake */

int container_lock(const struct engine *engine, const char *id, int *ret_fd, struct error *err)
{
	autofree char *path = xasprintf("containers/%s", id);
	autoclose int fd = -1;
	int r = dir_open_at(engine->root_fd, path, &fd, err);

	if (r < 0)
		return r;
	if (TEMP_FAILURE_RETRY(flock(fd, LOCK_EX | LOCK_NB)) < 0)
		return error_sys(err, errno == EWOULDBLOCK ? -EBUSY : -errno,
				 "lock container %.12s", id);
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* waiting, not for ever */

static void ignore_tick(int sig)
{
	(void)sig;
}

/* One that has not written its live record yet is known by its arguments. */
static pid_t find_monitor(const struct engine *engine, const char *id)
{
	autofree char *argument = xasprintf("--id=%s", id);
	struct status status = { .pid = 0 };

	if (status_read(engine, id, &status, NULL) == 0 && status.monitor_pid)
		return status.monitor_pid;
	return process_find("strake-monitor", argument);
}

/* Before it has arguments of its own a monitor is a copy of the command that starts it; all that is
 * known of it is that it has the lock.
 */
static pid_t find_holder(const struct engine *engine, const char *id)
{
	autofree char *path = xasprintf("containers/%s", id);
	autoclose int dir = -1;

	return dir_open_at(engine->root_fd, path, &dir, NULL) < 0 ? 0 : process_find_locker(dir);
}

int container_judge_monitor(const struct engine *engine, const char *id, struct error *err)
{
	pid_t pid = find_monitor(engine, id), maker = container_maker(engine, id);

	if (pid > 0 && process_is_stopped(pid))
		return error_set(err, -ETIMEDOUT,
				 "container %.12s: its monitor, process %d, is stopped; "
				 "'kill -CONT %d' lets it go on, 'kill -KILL %d' ends it and "
				 "the same command again clears up",
				 id, pid, pid, pid);
	if (maker > 0 && process_is_stopped(maker))
		return error_set(err, -ETIMEDOUT,
				 "container %.12s: the command that makes it, process %d, is "
				 "stopped; 'kill -CONT %d' lets it go on, 'kill -KILL %d' ends it",
				 id, maker, maker, maker);
	pid = find_holder(engine, id);
	if (pid > 0 && process_is_stopped(pid))
		return error_set(err, -ETIMEDOUT,
				 "container %.12s: process %d, which has its lock, is stopped; "
				 "'kill -CONT %d' lets it go on, 'kill -KILL %d' ends it and the "
				 "same command again clears up",
				 id, pid, pid, pid);
	return 0;
}

int container_judge_end(const struct engine *engine, const char *id, struct error *err)
{
	struct status status = { .pid = 0 };

	if (status_read(engine, id, &status, NULL) == 0 && status.kind == STATUS_RUNNING)
		return 0;
	return container_judge_monitor(engine, id, err);
}

/* Why it is in vain to wait on; 0 if it is not. */
static int judge_wait(const struct engine *engine, const char *id, int64_t waited_ms,
		      struct error *err)
{
	int r = waited_ms >= STOPPED_MS ? container_judge_monitor(engine, id, err) : 0;
	pid_t pid;

	if (r < 0 || waited_ms < WAIT_MS)
		return r;
	pid = find_monitor(engine, id);
	if (pid > 0)
		return error_set(err, -ETIMEDOUT,
				 "container %.12s: its monitor, process %d, does not finish; see "
				 "/proc/%d/stack, 'kill -KILL %d' ends it and the same command "
				 "again clears up",
				 id, pid, pid, pid);
	return error_set(err, -ETIMEDOUT, "container %.12s: another command works on it; try later",
			 id);
}

static int judge_patiently(const struct engine *engine, const char *id, int64_t waited_ms,
			   struct error *err)
{
	return waited_ms >= STOPPED_MS ? container_judge_end(engine, id, err) : 0;
}

typedef int (*judge_fn)(const struct engine *engine, const char *id, int64_t waited_ms,
			struct error *err);

/* flock() knows no deadline, so a timer interrupts it: again and again, for the one tick that comes
 * before the call.
 */
static int lock_waiting(const struct engine *engine, const char *id, judge_fn judge, int *ret_fd,
			struct error *err)
{
	const struct sigaction tick = { .sa_handler = ignore_tick };
	const struct itimerval every = { { TICK_S, 0 }, { TICK_S, 0 } },
			       none = { { 0, 0 }, { 0, 0 } };
	autofree char *path = xasprintf("containers/%s", id);
	int64_t start = clock_monotonic_ms();
	autoclose int fd = -1;
	struct sigaction before;
	int r = dir_open_at(engine->root_fd, path, &fd, err);

	if (r < 0)
		return r;
	(void)sigaction(SIGALRM, &tick, &before);
	(void)setitimer(ITIMER_REAL, &every, NULL);
	while (r == 0 && flock(fd, LOCK_EX) < 0)
		r = errno == EINTR ? judge(engine, id, clock_monotonic_ms() - start, err)
				   : error_sys(err, -errno, "lock container %.12s", id);
	(void)setitimer(ITIMER_REAL, &none, NULL);
	(void)sigaction(SIGALRM, &before, NULL);
	if (r == 0)
		*ret_fd = steal_fd(&fd);
	return r;
}

int container_lock_ended(const struct engine *engine, const char *id, int *ret_fd,
			 struct error *err)
{
	return lock_waiting(engine, id, judge_wait, ret_fd, err);
}

int container_lock_patient(const struct engine *engine, const char *id, int *ret_fd,
			   struct error *err)
{
	return lock_waiting(engine, id, judge_patiently, ret_fd, err);
}
