/* src/base/daemon.c */
#include "base/daemon.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/fault.h"
#include "base/process.h"
#include "base/strv.h"

#define STATUS     "status-fd"
#define STOPPED_MS 2000 /* so long nothing is asked */

static void pass(int fd)
{
	if (fd >= 0)
		(void)fcntl(fd, F_SETFD, 0);
}

static void tell_pid(int fd, pid_t pid)
{
	ignore_result((int)write(fd, &pid, sizeof(pid)));
}

/* Twice forked, so that it is no zombie of ours; a session of its own, so that no terminal's signal
 * reaches it.
 */
static _Noreturn void become(const char *program, const struct strv *args,
			     const struct daemon_fd *fds, size_t n, int status, int name)
{
	struct error err = { 0 };
	sigset_t none;
	pid_t pid;
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)setsid();
	pid = fork();
	if (pid < 0) {
		(void)error_sys(&err, -errno, "start %s", args->items[0]);
		(void)error_send(status, &err);
	}
	if (pid > 0)
		tell_pid(name, pid);
	if (pid != 0)
		_exit(0);
	/* Pipes, locks and sockets of our caller's are not for as long as this one lives. */
	(void)close_range(STDERR_FILENO + 1, ~0U, CLOSE_RANGE_CLOEXEC);
	for (size_t i = 0; i < n; i++)
		pass(fds[i].fd);
	pass(status);
	for (int fd = 0; fd < 3; fd++)
		(void)dup2(nothing, fd);
	fault_point("daemon-forked");
	(void)chdir("/");
	/* What its maker holds back for a while would never reach it. */
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)execv(program, args->items);
	(void)error_sys(&err, -errno, "run %s", program);
	(void)error_send(status, &err);
	_exit(127);
}

static int is_stopped(const char *name, pid_t pid, struct error *err)
{
	return error_set(err, -ETIMEDOUT,
			 "%s, process %d, is stopped; 'kill -CONT %d' lets it go on, 'kill -KILL "
			 "%d' ends it",
			 name, pid, pid, pid);
}

/* Its first word; not for ever, if it is stopped, be it before it is the program. */
static int hear(int fd, const char *name, pid_t pid, struct error *ret, struct error *err)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int r;

	while (poll(&p, 1, STOPPED_MS) <= 0) {
		if (pid > 0 && process_is_stopped(pid))
			return is_stopped(name, pid, err);
	}
	r = error_receive(fd, ret);
	if (r == 0)
		return error_set(err, -ECHILD, "%s ended without a word", name);
	return r < 0 ? error_sys(err, r, "hear from %s", name) : 0;
}

int daemon_start(const char *program, const struct strv *args, const struct daemon_fd *fds,
		 size_t n, struct error *err)
{
	cleanup(strv_done) struct strv all = { 0 };
	autoclose int ours = -1, theirs = -1, pid_from = -1, pid_to = -1;
	struct error said = { 0 };
	int pair[2], names[2], how = 0, r;
	pid_t pid, daemon = 0;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make a pipe");
	ours = pair[0];
	theirs = pair[1];
	if (pipe2(names, O_CLOEXEC | O_NONBLOCK) < 0)
		return error_sys(err, -errno, "make a pipe");
	pid_from = names[0];
	pid_to = names[1];
	strv_add(&all, args->items[0]);
	for (size_t i = 0; i < n; i++)
		if (fds[i].fd >= 0)
			strv_addf(&all, "--%s=%d", fds[i].name, fds[i].fd);
	strv_addf(&all, "--" STATUS "=%d", theirs);
	strv_extend(&all, args->items + 1, args->n - 1);
	pid = fork();
	if (pid == 0)
		become(program, &all, fds, n, theirs, pid_to);
	if (pid < 0)
		return error_sys(err, -errno, "start %s", args->items[0]);
	(void)close(steal_fd(&theirs));
	(void)close(steal_fd(&pid_to));
	(void)TEMP_FAILURE_RETRY(waitpid(pid, &how, WUNTRACED));
	if (WIFSTOPPED(how))
		return is_stopped(args->items[0], pid, err);
	/* Written before the end of the one in between, or not at all. */
	if (read(pid_from, &daemon, sizeof(daemon)) != sizeof(daemon))
		daemon = 0;
	r = hear(ours, args->items[0], daemon, &said, err);
	if (r < 0)
		return r;
	if (said.code < 0 && err)
		*err = said;
	return said.code;
}
