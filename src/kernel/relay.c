/* src/kernel/relay.c */
#include "kernel/relay.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/signalfd.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/file.h"
#include "base/terminal.h"

enum { AT_SIGNAL, AT_CHILD, AT_MASTER, AT_INPUT, N_POLLED };

static const int forwarded[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH };

static int signals_open(sigset_t *ret_before)
{
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		(void)sigaddset(&set, forwarded[i]);
	(void)sigprocmask(SIG_BLOCK, &set, ret_before);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* ^C at a shared terminal reaches the child by itself: the kernel's SI_KERNEL is not sent on. */
static void signal_take(const struct relay *relay, int fd)
{
	struct signalfd_siginfo info;

	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGWINCH) {
		if (relay->master >= 0)
			terminal_copy_size(STDIN_FILENO, relay->master);
		return;
	}
	if (info.ssi_code != SI_KERNEL)
		(void)syscall(SYS_pidfd_send_signal, relay->pidfd, (int)info.ssi_signo, NULL, 0);
}

/* Returns false at the end of the stream; a pty whose other side is closed reads as EIO. */
static bool copy(int from, int to)
{
	char bytes[16384];
	ssize_t n = TEMP_FAILURE_RETRY(read(from, bytes, sizeof(bytes)));

	if (n < 0)
		return errno == EAGAIN;
	return n > 0 && file_write_all(to, bytes, (size_t)n) == 0;
}

static void input_take(const struct relay *relay, struct pollfd *input)
{
	static const char end = 4; /* ^D, what a line discipline takes for the end of the input */

	if (copy(STDIN_FILENO, relay->master))
		return;
	ignore_result(file_write_all(relay->master, &end, 1));
	input->fd = -1;
}

int relay_run(const struct relay *relay, struct error *err)
{
	struct terminal terminal = TERMINAL_INIT;
	sigset_t before;
	autoclose int signals = signals_open(&before);
	struct pollfd polled[N_POLLED] = {
		[AT_SIGNAL] = { .fd = signals, .events = POLLIN },
		[AT_CHILD] = { .fd = relay->pidfd, .events = POLLIN },
		[AT_MASTER] = { .fd = relay->master, .events = POLLIN },
		[AT_INPUT] = { .fd = relay->master >= 0 && relay->input ? STDIN_FILENO : -1,
			       .events = POLLIN },
	};
	int r = 0;

	if (relay->master >= 0 && relay->input)
		r = terminal_raw(&terminal, STDIN_FILENO, err);
	terminal_copy_size(STDIN_FILENO, relay->master); /* nothing without a master */
	while (r == 0 && (polled[AT_CHILD].fd >= 0 || polled[AT_MASTER].fd >= 0)) {
		/* Once the child is gone, only what it wrote is left; others may keep the pty open.
		 */
		int timeout = polled[AT_CHILD].fd >= 0 ? -1 : 0;
		int n = poll(polled, N_POLLED, timeout);

		if (n < 0 && errno != EINTR)
			r = error_sys(err, -errno, "wait for the process");
		if (n == 0)
			break;
		if (n < 0)
			continue;
		if (polled[AT_SIGNAL].revents)
			signal_take(relay, signals);
		if (polled[AT_MASTER].revents && !copy(relay->master, STDOUT_FILENO))
			polled[AT_MASTER].fd = -1;
		if (polled[AT_INPUT].revents)
			input_take(relay, &polled[AT_INPUT]);
		if (polled[AT_CHILD].revents)
			polled[AT_CHILD].fd = -1;
	}
	terminal_done(&terminal);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}
