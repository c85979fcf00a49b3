/* src/monitor/client.c
 *
 * Order is kept and nothing is dropped: what cannot be written to the monitor yet stops the reading
 * of standard input; what we cannot write to standard output stops the reading from the monitor.
 */
#include "monitor/client.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/terminal.h"
#include "monitor/clients.h"
#include "monitor/protocol.h"

#define OUT_MAX       (1U << 20)
#define STATUS_PIPE   (128 + SIGPIPE)
#define INTERRUPTS    3
#define INTERRUPTS_MS 3000
#define JUDGE_MS      2000

enum { AT_SIGNAL, AT_MONITOR, AT_INPUT, N_POLLED };

struct session {
	const struct client *client;
	struct buf in;  /* from the monitor, not yet a whole frame */
	struct buf out; /* to the monitor */
	bool input_open;
	bool prefix; /* the first of the two detach keys was pressed */
	bool broken_pipe;
	int write_failed; /* otherwise than that: the first errno, negative */
	unsigned interrupts;
	int64_t interrupted_ms; /* the first of them */
	bool given_up;
	bool killed;  /* for a signal, which is pending */
	bool refused; /* there are CLIENTS_MAX already */
	bool ended;
	int status;
};

static const int forwarded[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGUSR1, SIGUSR2, SIGWINCH };

static void send_size(struct session *s)
{
	struct winsize size;
	uint16_t bytes[2];

	if (!s->client->terminal || ioctl(STDIN_FILENO, TIOCGWINSZ, &size) < 0)
		return;
	bytes[0] = htons(size.ws_row);
	bytes[1] = htons(size.ws_col);
	frame_add(&s->out, FRAME_RESIZE, bytes, sizeof(bytes));
}

/* Whoever types it three times has seen that the container does not listen. */
static bool is_third_interrupt(struct session *s)
{
	int64_t now = clock_monotonic_ms();

	if (s->interrupts == 0 || now - s->interrupted_ms > INTERRUPTS_MS) {
		s->interrupts = 0;
		s->interrupted_ms = now;
	}
	return ++s->interrupts == INTERRUPTS;
}

/* It is process 1 in there, which may not hear anything less. */
static void kill_it(struct session *s)
{
	s->killed = true;
	if (s->client->pidfd >= 0)
		(void)syscall(SYS_pidfd_send_signal, s->client->pidfd, SIGKILL, NULL, 0);
}

static void take_signal(struct session *s, int fd)
{
	struct signalfd_siginfo info;

	if (s->client->ends_by_signal) {
		kill_it(s);
		return;
	}
	if (read(fd, &info, sizeof(info)) != sizeof(info))
		return;
	if (info.ssi_signo == SIGINT && s->client->is_maker && is_third_interrupt(s)) {
		s->given_up = true;
		return;
	}
	if (info.ssi_signo == SIGWINCH) {
		send_size(s);
	} else if (s->client->keeps_signals) {
		s->ended = true;
		s->status = 128 + (int)info.ssi_signo;
	} else if (s->client->pidfd >= 0) {
		(void)syscall(SYS_pidfd_send_signal, s->client->pidfd, (int)info.ssi_signo, NULL,
			      0);
	}
}

/* A descriptor that our caller made non-blocking is waited for like any other. */
static int write_waiting(int fd, const struct frame *frame)
{
	size_t done = 0;

	while (done < frame->len) {
		ssize_t n = write(fd, frame->bytes + done, frame->len - done);
		struct pollfd p = { .fd = fd, .events = POLLOUT };

		if (n >= 0)
			done += (size_t)n;
		else if (errno == EAGAIN)
			(void)poll(&p, 1, -1);
		else if (errno != EINTR)
			return -errno;
	}
	return 0;
}

/* Nobody reads any more: what would end any other writer ends the container that runs for us
 * (run ... | head); one that we only look at goes on without us.
 */
static void write_output(struct session *s, int fd, const struct frame *frame)
{
	int r = 0;

	if (s->client->output)
		s->client->output(s->client->output_data, fd == STDERR_FILENO, frame->bytes,
				  frame->len);
	else if (!s->broken_pipe && !s->write_failed && !s->client->quiet)
		r = write_waiting(fd, frame);
	if (r < 0 && r != -EPIPE)
		s->write_failed = r;
	if (r != -EPIPE)
		return;
	s->broken_pipe = true;
	if (s->client->is_maker && s->client->pidfd >= 0) {
		(void)syscall(SYS_pidfd_send_signal, s->client->pidfd, SIGKILL, NULL, 0);
		return;
	}
	s->ended = true;
	s->status = CLIENT_DETACHED;
}

static void keep_words(struct buf *words, const struct frame *frame)
{
	size_t len = MIN(frame->len, words->max);

	if (words->len + len > words->max)
		buf_drop_front(words, words->len + len - words->max);
	buf_add(words, frame->bytes + frame->len - len, len);
}

static void take_frame(struct session *s, const struct frame *frame)
{
	if (s->client->last_words && (frame->type == FRAME_STDOUT || frame->type == FRAME_STDERR))
		keep_words(s->client->last_words, frame);
	if (frame->type == FRAME_STDOUT)
		write_output(s, STDOUT_FILENO, frame);
	else if (frame->type == FRAME_STDERR)
		write_output(s, STDERR_FILENO, frame);
	else if (frame->type == FRAME_EXIT && frame->len == 1) {
		s->ended = true;
		s->status = s->broken_pipe ? STATUS_PIPE : frame->bytes[0];
	} else if (frame->type == FRAME_REFUSED) {
		s->ended = s->refused = true;
	}
}

static int take_monitor(struct session *s, struct error *err)
{
	char bytes[65536];
	ssize_t n = TEMP_FAILURE_RETRY(read(s->client->sock, bytes, sizeof(bytes)));
	size_t used = 0;

	if (n < 0)
		return error_sys(err, -errno, "hear from the monitor");
	if (n == 0)
		return error_set(err, -ECONNRESET,
				 "the container's monitor is gone; 'strake ps -a' tells");
	buf_add(&s->in, bytes, (size_t)n);
	while (!s->ended) {
		struct frame frame;
		int took = frame_parse((const unsigned char *)s->in.data + used, s->in.len - used,
				       &frame);

		if (took < 0)
			return error_set(err, took,
					 "the container's monitor speaks another protocol");
		if (took == 0)
			break;
		take_frame(s, &frame);
		used += (size_t)took;
	}
	buf_drop_front(&s->in, used);
	return 0;
}

static void take_input(struct session *s)
{
	char bytes[16384];
	struct buf in = BUF_INIT(sizeof(bytes) + 1);
	ssize_t n = TEMP_FAILURE_RETRY(read(STDIN_FILENO, bytes, sizeof(bytes)));

	if (n < 0 && errno == EAGAIN)
		return;
	if (n <= 0) {
		s->input_open = false;
		frame_add(&s->out, FRAME_STDIN_EOF, NULL, 0);
		return;
	}
	if (!s->client->terminal) {
		frame_add(&s->out, FRAME_STDIN, bytes, (size_t)n);
		return;
	}
	if (terminal_detach(&s->prefix, bytes, (size_t)n, &in)) {
		s->ended = true;
		s->status = CLIENT_DETACHED;
	}
	if (in.len)
		frame_add(&s->out, FRAME_STDIN, in.data, in.len);
	buf_done(&in);
}

static int flush_out(struct session *s, struct error *err)
{
	ssize_t n;

	if (s->out.len == 0)
		return 0;
	n = send(s->client->sock, s->out.data, s->out.len, MSG_DONTWAIT | MSG_NOSIGNAL);
	if (n < 0 && errno != EAGAIN && errno != EINTR && errno != EPIPE && errno != ECONNRESET)
		return error_sys(err, -errno, "speak to the monitor");
	/* Gone: its last words may still be there to be read. */
	if (n < 0 && (errno == EPIPE || errno == ECONNRESET))
		buf_reset(&s->out);
	if (n > 0)
		buf_drop_front(&s->out, (size_t)n);
	return 0;
}

/* It ended otherwise than with the container. */
static int judge_end(const struct session *s, struct error *err)
{
	if (s->refused)
		return error_set(err, -EUSERS,
				 "container %s: %d are attached to it or wait for it, and no more "
				 "can be; 'strake logs -f' shows its output, too",
				 s->client->name ? s->client->name : "?", CLIENTS_MAX);
	if (s->given_up)
		return error_set(err, -EINTR,
				 "three times ^C, and container %s still runs; 'strake stop %s' "
				 "ends it, 'strake attach %s' shows it again",
				 s->client->name, s->client->name, s->client->name);
	return s->killed ? error_set(err, -EINTR, "a signal ended it") : 0;
}

static int loop(struct session *s, int signals, struct error *err)
{
	int r = 0, n;

	while (r == 0 && !s->ended && !s->given_up) {
		struct pollfd p[N_POLLED] = {
			[AT_SIGNAL] = { .fd = s->killed ? -1 : signals, .events = POLLIN },
			[AT_MONITOR] = { .fd = s->client->sock,
					 .events = (short)(POLLIN | (s->out.len ? POLLOUT : 0)) },
			[AT_INPUT] = { .fd = s->input_open && s->out.len < OUT_MAX / 2
						     ? STDIN_FILENO
						     : -1,
				       .events = POLLIN },
		};

		n = poll(p, N_POLLED, s->client->judge ? JUDGE_MS : -1);
		if (n < 0 && errno != EINTR)
			r = error_sys(err, -errno, "wait for the container");
		if (n == 0 && s->client->judge)
			r = s->client->judge(s->client->judge_data, err);
		if (n <= 0)
			continue;
		if (p[AT_SIGNAL].revents)
			take_signal(s, signals);
		if (p[AT_INPUT].revents)
			take_input(s);
		r = flush_out(s, err);
		if (r == 0 && p[AT_MONITOR].revents & (POLLIN | POLLHUP | POLLERR))
			r = take_monitor(s, err);
	}
	return r < 0 ? r : judge_end(s, err);
}

static void forwarded_set(sigset_t *ret)
{
	(void)sigemptyset(ret);
	for (size_t i = 0; i < ARRAY_SIZE(forwarded); i++)
		(void)sigaddset(ret, forwarded[i]);
}

/* Those that would end us: one that nohup ignores would not. */
static void ending_set(sigset_t *ret)
{
	static const int ending[] = { SIGINT, SIGTERM, SIGHUP, SIGQUIT };

	(void)sigemptyset(ret);
	for (size_t i = 0; i < ARRAY_SIZE(ending); i++) {
		struct sigaction how;

		if (sigaction(ending[i], NULL, &how) == 0 && how.sa_handler != SIG_IGN)
			(void)sigaddset(ret, ending[i]);
	}
}

void client_hold_signals(sigset_t *ret_before)
{
	sigset_t set;

	forwarded_set(&set);
	(void)sigprocmask(SIG_BLOCK, &set, ret_before);
}

int client_run(const struct client *client, int *ret_status, struct error *err)
{
	struct session s = {
		.client = client,
		.in = BUF_INIT(2 * (FRAME_BYTES_MAX + FRAME_HEADER_LEN) + 65536),
		.out = BUF_INIT(OUT_MAX),
		.input_open = client->input,
	};
	struct terminal terminal = TERMINAL_INIT;
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	struct sigaction pipe_before;
	sigset_t set, before;
	autoclose int signals = -1;
	int r = 0;

	forwarded_set(&set);
	if (client->quiet) /* a mere wait ends by ^C as anything does */
		(void)sigemptyset(&set);
	if (client->ends_by_signal)
		ending_set(&set);
	(void)sigprocmask(SIG_BLOCK, &set, &before);
	/* Ignored and not blocked: a pending one would end us later, before we have cleared up. */
	(void)sigaction(SIGPIPE, &ignore, &pipe_before);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (client->terminal && client->input)
		r = terminal_raw(&terminal, STDIN_FILENO, err);
	send_size(&s);
	if (r == 0)
		r = loop(&s, signals, err);
	terminal_done(&terminal);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	(void)sigaction(SIGPIPE, &pipe_before, NULL);
	buf_done(&s.in);
	buf_done(&s.out);
	if (r == 0 || (s.killed && s.ended))
		*ret_status = s.status;
	if (r < 0)
		return r;
	return s.write_failed ? error_sys(err, s.write_failed,
					  "write what the container said; the rest is in its log")
			      : 0;
}

int client_wait(int sock, int (*judge)(void *data, struct error *err), void *judge_data,
		int *ret_status, struct error *err)
{
	const struct client client = {
		.sock = sock, .pidfd = -1, .quiet = true, .judge = judge, .judge_data = judge_data
	};

	return client_run(&client, ret_status, err);
}
