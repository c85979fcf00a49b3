/* src/kernel/relay.c */
#include "kernel/relay.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/terminal.h"

#define CHUNK 4096 /* a pipe that is ready to be written takes PIPE_BUF at once */

static const int forwarded[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH };

/* One direction.  It waits to read when it is empty, and to write when it is not, so that a side
 * that is stuck holds up neither the others nor the signals.
 */
struct channel {
	int from, to; /* borrowed; from is -1 after its end */
	size_t at, len;
	char bytes[CHUNK];
};

enum { IN, OUT, ERR, N_CHANNELS };
enum { AT_SIGNAL = N_CHANNELS, AT_CHILD, N_POLLED };

int relay_pipes(struct relay *relay, int stdio[3], struct error *err)
{
	for (int i = 0; i < 3; i++) {
		int pair[2], inner = i == 0 ? 0 : 1;
		struct stat st;

		if (fstat(stdio[i], &st) < 0 ||
		    !(S_ISREG(st.st_mode) || S_ISDIR(st.st_mode) || isatty(stdio[i])))
			continue;
		if (pipe2(pair, O_CLOEXEC) < 0)
			return error_sys(err, -errno, "make a pipe to the new process");
		stdio[i] = pair[inner];
		relay->pipes[i] = pair[!inner];
	}
	return 0;
}

void relay_started(const struct relay *relay, const int stdio[3])
{
	for (int i = 0; i < 3; i++)
		if (relay->pipes[i] >= 0)
			(void)close(stdio[i]);
}

void relay_done(struct relay *relay)
{
	for (int i = 0; i < 3; i++)
		if (relay->pipes[i] >= 0)
			(void)close(relay->pipes[i]);
	if (relay->master >= 0)
		(void)close(relay->master);
	*relay = RELAY_INIT;
}

static int signals_open(sigset_t *ret_before)
{
	sigset_t set;

	(void)sigemptyset(&set);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		(void)sigaddset(&set, forwarded[i]);
	(void)sigaddset(&set, SIGPIPE); /* an error of write(2) instead */
	(void)sigprocmask(SIG_BLOCK, &set, ret_before);
	(void)sigdelset(&set, SIGPIPE);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* A SIGPIPE of ours that is waiting would end us when it is let in. */
static void signals_restore(const sigset_t *before)
{
	const struct timespec now = { 0 };
	sigset_t set;

	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGPIPE);
	(void)sigtimedwait(&set, NULL, &now);
	(void)sigprocmask(SIG_SETMASK, before, NULL);
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

static void channel_close(struct channel *c, int *end)
{
	c->from = -1;
	c->len = 0;
	if (*end >= 0)
		(void)close(*end);
	*end = -1;
}

/* A terminal's end of input is a key, a pipe's that it is closed. */
static void input_end(struct relay *relay, struct channel *c)
{
	static const char key = 4; /* ^D */

	c->from = -1;
	if (relay->master < 0) {
		channel_close(c, &relay->pipes[0]);
		return;
	}
	c->bytes[0] = key;
	c->at = 0;
	c->len = 1;
}

/* What was typed to a pty, but for the keys that are for us. */
static void keys_take(struct relay *relay, struct channel *c)
{
	struct buf rest = BUF_INIT(CHUNK);

	relay->detached = terminal_detach(&relay->held, c->bytes, c->len, &rest);
	c->len = rest.len;
	if (c->len > 0)
		memcpy(c->bytes, rest.data, c->len);
	if (relay->detached)
		c->from = -1;
	buf_done(&rest);
}

/* A pty whose other side is closed reads as EIO. */
static void channel_read(struct relay *relay, struct channel *c, int i)
{
	ssize_t n = read(c->from, c->bytes,
			 sizeof(c->bytes) - 1); /* a key that was held comes in front */

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	c->at = 0;
	c->len = n > 0 ? (size_t)n : 0;
	if (n > 0 && i == IN && relay->master >= 0)
		keys_take(relay, c);
	if (n > 0)
		return;
	if (i == IN)
		input_end(relay, c);
	else
		c->from = -1;
}

/* Nobody reads it any more.  A child that writes finds out by SIGPIPE, or SIGHUP from its terminal.
 */
static void channel_lost(struct relay *relay, struct channel channels[N_CHANNELS], int i)
{
	if (relay->master < 0) {
		channel_close(&channels[i], &relay->pipes[i]);
		return;
	}
	channels[IN].from = -1;
	channels[IN].len = 0;
	if (i == OUT)
		channel_close(&channels[OUT], &relay->master);
}

static void channel_write(struct relay *relay, struct channel channels[N_CHANNELS], int i)
{
	struct channel *c = &channels[i];
	ssize_t n = write(c->to, c->bytes + c->at, c->len);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0) {
		channel_lost(relay, channels, i);
		return;
	}
	c->at += (size_t)n;
	c->len -= (size_t)n;
}

static void channels_init(struct relay *relay, struct channel channels[N_CHANNELS])
{
	bool pty = relay->master >= 0;

	for (int i = 0; i < N_CHANNELS; i++)
		channels[i] = (struct channel) { .from = -1, .to = -1 };
	if (pty ? relay->input : relay->pipes[0] >= 0)
		channels[IN].from = STDIN_FILENO;
	channels[IN].to = pty ? relay->master : relay->pipes[0];
	channels[OUT].from = pty ? relay->master : relay->pipes[1];
	channels[OUT].to = STDOUT_FILENO;
	channels[ERR].from = relay->pipes[2];
	channels[ERR].to = STDERR_FILENO;
	/* Ours alone, so that nobody else is surprised by it. */
	if (channels[IN].to >= 0)
		(void)fcntl(channels[IN].to, F_SETFL, O_NONBLOCK);
}

static void channels_poll(const struct channel channels[N_CHANNELS], struct pollfd *polled)
{
	for (int i = 0; i < N_CHANNELS; i++) {
		const struct channel *c = &channels[i];

		polled[i].fd = c->len ? c->to : c->from;
		polled[i].events = c->len ? POLLOUT : POLLIN;
		polled[i].revents = 0;
	}
}

static void channels_move(struct relay *relay, struct channel channels[N_CHANNELS],
			  const struct pollfd *polled)
{
	for (int i = 0; i < N_CHANNELS; i++) {
		if (!polled[i].revents)
			continue;
		if (channels[i].len)
			channel_write(relay, channels, i);
		else if (channels[i].from >= 0)
			channel_read(relay, &channels[i], i);
	}
}

static bool output_waits(const struct channel channels[N_CHANNELS])
{
	return channels[OUT].len > 0 || channels[ERR].len > 0;
}

static bool output_open(const struct channel channels[N_CHANNELS])
{
	return channels[OUT].from >= 0 || channels[ERR].from >= 0 || output_waits(channels);
}

static int forward(struct relay *relay, int signals, struct error *err)
{
	struct channel channels[N_CHANNELS];
	struct pollfd polled[N_POLLED] = {
		[AT_SIGNAL] = { .fd = signals, .events = POLLIN },
		[AT_CHILD] = { .fd = relay->pidfd, .events = POLLIN },
	};

	channels_init(relay, channels);
	while ((!relay->detached || channels[IN].len > 0) &&
	       (polled[AT_CHILD].fd >= 0 || output_open(channels))) {
		/* Once the child is gone only what it wrote is left; others may keep its end open.
		 */
		bool ended = polled[AT_CHILD].fd < 0;
		int n;

		channels_poll(channels, polled);
		if (ended)
			polled[IN].fd = -1;
		n = poll(polled, N_POLLED, ended && !output_waits(channels) ? 0 : -1);
		if (n < 0 && errno != EINTR)
			return error_sys(err, -errno, "wait for the process");
		if (n == 0)
			break;
		if (n < 0)
			continue;
		if (polled[AT_SIGNAL].revents)
			signal_take(relay, signals);
		channels_move(relay, channels, polled);
		if (polled[AT_CHILD].revents)
			polled[AT_CHILD].fd = -1;
	}
	return 0;
}

int relay_run(struct relay *relay, struct error *err)
{
	struct terminal terminal = TERMINAL_INIT;
	sigset_t before;
	autoclose int signals = signals_open(&before);
	int r = 0;

	if (relay->master >= 0 && relay->input)
		r = terminal_raw(&terminal, STDIN_FILENO, err);
	terminal_copy_size(STDIN_FILENO, relay->master); /* nothing without a master */
	if (r == 0)
		r = forward(relay, signals, err);
	terminal_done(&terminal);
	signals_restore(&before);
	return r;
}
