/* src/engine/lock.c */
#include "engine/lock.h"

#include <signal.h>
#include <sys/file.h>
#include <sys/time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/process.h"
#include "engine/engine.h"
#include "engine/status.h"

#define TICK_S     1     /* how often it is looked why it takes so long */
#define WAIT_MS    60000 /* for one that works: it may have a large tree to remove */
#define STOPPED_MS 2000  /* for one that is stopped: a debugger, or a mistake */

int container_lock(const struct engine *engine, const char *id, bool wait, int *ret_fd,
		   struct error *err)
{
	autofree char *path = xasprintf("containers/%s", id);
	autoclose int fd = -1;
	int r = dir_open_at(engine->root_fd, path, &fd, err);

	if (r < 0)
		return r;
	if (TEMP_FAILURE_RETRY(flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB))) < 0)
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

/* Why it is in vain to wait on; 0 if it is not. */
static int judge_wait(const struct engine *engine, const char *id, int64_t waited_ms,
		      struct error *err)
{
	struct status status = { .pid = 0 };
	pid_t pid = status_read(engine, id, &status, NULL) == 0 ? status.monitor_pid : 0;

	if (waited_ms >= STOPPED_MS && pid > 0 && process_is_stopped(pid))
		return error_set(err, -ETIMEDOUT,
				 "container %.12s: its monitor, process %d, is stopped; "
				 "'kill -CONT %d' lets it finish, 'kill -KILL %d' ends it and "
				 "the same command again clears up",
				 id, pid, pid, pid);
	if (waited_ms < WAIT_MS)
		return 0;
	if (pid > 0)
		return error_set(err, -ETIMEDOUT,
				 "container %.12s: its monitor, process %d, does not finish; see "
				 "/proc/%d/stack, 'kill -KILL %d' ends it and the same command "
				 "again clears up",
				 id, pid, pid, pid);
	return error_set(err, -ETIMEDOUT, "container %.12s: another command works on it; try later",
			 id);
}

/* flock() knows no deadline, so a timer interrupts it: again and again, for the one tick that comes
 * before the call.
 */
int container_lock_ended(const struct engine *engine, const char *id, int *ret_fd,
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
		r = errno == EINTR ? judge_wait(engine, id, clock_monotonic_ms() - start, err)
				   : error_sys(err, -errno, "lock container %.12s", id);
	(void)setitimer(ITIMER_REAL, &none, NULL);
	(void)sigaction(SIGALRM, &before, NULL);
	if (r == 0)
		*ret_fd = steal_fd(&fd);
	return r;
}
