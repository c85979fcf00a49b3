/* src/disk/attend.c */
#include "disk/attend.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"
#include "base/strv.h"

#define GRACE_MS   20000 /* for a machine that was asked to end: it waits 10 s for its program */
#define ANSWER_MAX 4096
#define STATUS_MAX 255

struct attending {
	struct attendance *a;
	struct error *err;
	sigset_t heard, before;
	int signals;
	pid_t qemu;
	int64_t end_ms;  /* when the power button is pressed; 0: never */
	int64_t kill_ms; /* when QEMU is ended; 0: nobody asked for it */
	bool timed_out;
};

int attend_open(struct attendance *ret, struct error *err)
{
	int pair[2], status = memfd_create("status", MFD_CLOEXEC);

	if (status < 0 || socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0) {
		int r = -errno;

		if (status >= 0)
			(void)close(status);
		return error_sys(err, r, "make a monitor for the machine");
	}
	*ret = (struct attendance) { .monitor = pair[0], .theirs = pair[1], .status_fd = status };
	return 0;
}

void attend_close(struct attendance *a)
{
	(void)close(a->monitor);
	(void)close(a->theirs);
	(void)close(a->status_fd);
}

int attend_parse_status(const char *text)
{
	autofree char *word = NULL;
	uint64_t number;

	if (strncmp(text, "exit ", 5) != 0)
		return -1;
	word = xstrndup(text + 5, strcspn(text + 5, "\n"));
	return number_parse(word, STATUS_MAX, &number) == 0 ? (int)number : -1;
}

static void in_child(const struct attending *w, const struct strv *argv)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	(void)sigprocmask(SIG_SETMASK, &w->before, NULL);
	(void)fcntl(w->a->theirs, F_SETFD, 0);
	(void)fcntl(w->a->status_fd, F_SETFD, 0);
	(void)execvp(argv->items[0], argv->items);
	_exit(errno == ENOENT ? 127 : 126);
}

static void press_power(struct attending *w)
{
	static const char text[] = "system_powerdown\n";

	if (w->kill_ms) {
		(void)kill(w->qemu, SIGKILL);
		return;
	}
	w->kill_ms = clock_monotonic_ms() + GRACE_MS;
	(void)!write(w->a->monitor, text, sizeof(text) - 1);
}

static int wait_ms(const struct attending *w)
{
	int64_t next = w->kill_ms ? w->kill_ms : w->end_ms, left = next - clock_monotonic_ms();

	return !next ? -1 : left < 0 ? 0 : (int)MIN(left, INT32_MAX);
}

static void hear(struct attending *w)
{
	struct signalfd_siginfo info;
	char answer[ANSWER_MAX];

	/* What the monitor answers is nobody's, but must not fill the socket. */
	while (recv(w->a->monitor, answer, sizeof(answer), MSG_DONTWAIT) > 0)
		;
	while (read(w->signals, &info, sizeof(info)) == (ssize_t)sizeof(info))
		if (info.ssi_signo != SIGCHLD)
			press_power(w);
}

static void heed_time(struct attending *w)
{
	int64_t now_ms = clock_monotonic_ms();

	if (w->kill_ms && now_ms >= w->kill_ms) {
		(void)kill(w->qemu, SIGKILL);
		w->kill_ms = now_ms + GRACE_MS;
	} else if (!w->kill_ms && w->end_ms && now_ms >= w->end_ms) {
		w->timed_out = true;
		press_power(w);
	}
}

static int wait_for(struct attending *w)
{
	int state;

	while (waitpid(w->qemu, &state, WNOHANG) == 0) {
		struct pollfd fds[] = { { .fd = w->signals, .events = POLLIN },
					{ .fd = w->a->monitor, .events = POLLIN } };

		/* The other end closes when QEMU goes; then only the signal tells. */
		(void)poll(fds, fds[1].fd < 0 ? 1 : 2, wait_ms(w));
		hear(w);
		heed_time(w);
	}
	return state;
}

static int conclude(const struct attending *w, int state, const char *name)
{
	char text[64] = "";
	int status = pread(w->a->status_fd, text, sizeof(text) - 1, 0) > 0
			     ? attend_parse_status(text)
			     : -1;

	if (w->timed_out)
		return ATTEND_TIMED_OUT;
	if (status >= 0)
		return status;
	if (WIFSIGNALED(state) && w->kill_ms)
		return 0; /* as asked for */
	if (WIFEXITED(state) && WEXITSTATUS(state) == 127)
		return error_set(w->err, -ENOENT, "%s is not installed (package %s)", name,
				 strstr(name, "aarch64") ? "qemu-system-arm" : "qemu-system-x86");
	if (!WIFEXITED(state) || WEXITSTATUS(state))
		return error_set(w->err, -EIO, "%s failed, see above", name);
	return 0;
}

int attend_run(struct attendance *a, const struct strv *argv, struct error *err)
{
	struct attending w = { .a = a, .err = err };
	struct termios terminal;
	bool is_terminal = tcgetattr(STDIN_FILENO, &terminal) == 0;
	int state;

	(void)sigemptyset(&w.heard);
	(void)sigaddset(&w.heard, SIGCHLD);
	(void)sigaddset(&w.heard, SIGTERM);
	(void)sigaddset(&w.heard, SIGINT);
	(void)sigaddset(&w.heard, SIGHUP);
	(void)sigprocmask(SIG_BLOCK, &w.heard, &w.before);
	w.signals = signalfd(-1, &w.heard, SFD_CLOEXEC | SFD_NONBLOCK);
	if (w.signals < 0)
		return error_sys(err, -errno, "wait for signals");
	if (a->timeout_s)
		w.end_ms = clock_monotonic_ms() + (int64_t)a->timeout_s * 1000;
	w.qemu = fork();
	if (w.qemu == 0)
		in_child(&w, argv);
	if (w.qemu < 0) {
		(void)close(w.signals);
		return error_sys(err, -errno, "run %s", argv->items[0]);
	}
	state = wait_for(&w);
	(void)close(w.signals);
	(void)sigprocmask(SIG_SETMASK, &w.before, NULL);
	/* A QEMU that was killed leaves the terminal as it had it. */
	if (is_terminal)
		(void)tcsetattr(STDIN_FILENO, TCSADRAIN, &terminal);
	return conclude(&w, state, argv->items[0]);
}
