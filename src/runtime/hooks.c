/* src/runtime/hooks.c - programs that others want to be run at points of a container's life. */
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/explain.h"
#include "base/file.h"
#include "runtime/setup.h"

static _Noreturn void hook_exec(const struct spec_hook *hook, int input)
{
	char *const nothing[] = { NULL };
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	if (dup2(input, STDIN_FILENO) >= 0)
		(void)execve(hook->path, hook->args.items, hook->env.n ? hook->env.items : nothing);
	_exit(errno == ENOENT ? 127 : 126);
}

/* The state fits no pipe for sure, so it is a file in memory. */
static int state_open(const char *state, struct error *err)
{
	autoclose int fd = memfd_create("state", MFD_CLOEXEC);

	if (fd < 0)
		return error_sys(err, -errno, "make the state for a hook");
	if (file_write_all(fd, state, strlen(state)) < 0 || lseek(fd, 0, SEEK_SET) < 0)
		return error_sys(err, -EIO, "make the state for a hook");
	return steal_fd(&fd);
}

static int hook_wait(const struct spec_hook *hook, pid_t pid, struct error *err)
{
	autoclose int fd = pidfd_open(pid, 0);
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int status, n = 1;

	if (hook->timeout_s > 0 && fd >= 0)
		n = poll(&p, 1, hook->timeout_s * 1000);
	if (n == 0)
		(void)kill(pid, SIGKILL);
	if (TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) < 0)
		return error_sys(err, -errno, "wait for hook %s", hook->path);
	if (n == 0)
		return error_set(err, -ETIMEDOUT, "hook %s did not end in %d seconds", hook->path,
				 hook->timeout_s);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		return error_set(err, -ECANCELED, "hook %s failed with status %d", hook->path,
				 WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
	return 0;
}

int hooks_run(const struct spec *spec, enum spec_hook_kind kind, const char *state,
	      struct error *err)
{
	const struct spec_hooks *hooks = &spec->hooks[kind];
	int r = 0;

	for (size_t i = 0; r == 0 && i < hooks->n; i++) {
		const struct spec_hook *hook = &hooks->items[i];
		autoclose int input = -1;
		pid_t pid;

		if (explain("a hook of the bundle", "%s", sq(hook->path)))
			continue;
		input = state_open(state, err);
		if (input < 0)
			return input;
		pid = fork();
		if (pid == 0)
			hook_exec(hook, input);
		r = pid < 0 ? error_sys(err, -errno, "start hook %s", hook->path)
			    : hook_wait(hook, pid, err);
	}
	return r;
}
