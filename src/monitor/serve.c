/* src/monitor/serve.c - the life of one monitor.
 *
 * Signals: TERM, INT, HUP and QUIT are ignored.  At a shutdown they are sent to everybody, and the
 * container's own processes decide what becomes of it; the monitor ends after them, with the
 * record.
 */
#include "monitor/serve.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "base/socket.h"
#include "monitor/clients.h"
#include "monitor/log.h"
#include "monitor/protocol.h"
#include "runtime/instance.h"
#include "runtime/spec.h"

#define ATTACH_SOCKET      "attach"
#define EXIT_RESERVED      "exit.json.reserved"
#define EXIT_BYTES_MAX     4096
#define INPUT_MAX          (1U << 20) /* waits for the container to read it */
#define READ_SIZE          32768
#define TERMINAL_BYTES_MAX (256 << 10) /* more than a pty holds */

enum { AT_CHILD, AT_SIGNAL, AT_OUT, AT_ERR, AT_LISTENER, AT_INPUT, N_FIXED };

struct monitor {
	const struct serve_request *req;
	struct spec *spec;
	struct instance instance;
	struct log log;
	int bundle_fd, run_fd;
	int exit_fd;  /* what becomes exit.json; -1 */
	int out, err; /* our ends: pipes, or the pty's master in out */
	int input;    /* to the container; the pty's master too; -1 when closed */
	bool terminal, input_ends;
	struct buf pending; /* input that the container has not read */
	int listener, signals;
	struct clients clients;
	char started[CLOCK_TEXT_LEN];
	int status;
};

/* start */

/* The exit record has its blocks from the start: the disk may be full when it is written. */
static void reserve_exit(struct monitor *m)
{
	if (m->req->brief)
		return;
	m->exit_fd = openat(m->bundle_fd, EXIT_RESERVED, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (m->exit_fd >= 0)
		(void)fallocate(m->exit_fd, FALLOC_FL_KEEP_SIZE, 0, EXIT_BYTES_MAX);
}

static int open_dirs(struct monitor *m, struct error *err)
{
	int r = dir_open_at(AT_FDCWD, m->req->bundle, &m->bundle_fd, err);

	if (r == 0)
		r = dir_open_at(AT_FDCWD, m->req->run_dir, &m->run_fd, err);
	if (r == 0)
		reserve_exit(m);
	if (r == 0)
		r = log_open(&m->log, m->bundle_fd,
			     m->req->log_max_size ? m->req->log_max_size : LOG_SIZE_DEFAULT,
			     m->req->log_files ? m->req->log_files : LOG_FILES_DEFAULT, err);
	(void)unlinkat(m->run_fd, ATTACH_SOCKET, 0); /* of one that was killed */
	if (r == 0)
		r = socket_listen_at(m->run_fd, ATTACH_SOCKET, SOCK_STREAM, &m->listener, err);
	return r < 0 ? r : spec_load(m->req->bundle, &m->spec, err);
}

/* theirs become the container's 0, 1, 2; a container without --interactive reads /dev/null. */
static int open_pipes(struct monitor *m, int theirs[3], struct error *err)
{
	int in[2], out[2], errors[2];

	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(errors, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make pipes");
	m->out = out[0];
	m->err = errors[0];
	theirs[1] = out[1];
	theirs[2] = errors[1];
	if (!m->req->open_stdin) {
		theirs[0] = open("/dev/null", O_RDONLY | O_CLOEXEC);
		return theirs[0] < 0 ? error_sys(err, -errno, "open /dev/null") : 0;
	}
	if (pipe2(in, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make pipes");
	theirs[0] = in[0];
	m->input = in[1];
	return 0;
}

static int take_master(struct monitor *m, int sock, struct error *err)
{
	char name[16];
	ssize_t n = socket_receive_fd(sock, name, sizeof(name), &m->out);

	if (n < 0 || m->out < 0)
		return error_sys(err, n < 0 ? (int)n : -EPROTO, "receive the terminal");
	m->input = m->out;
	return 0;
}

static int create(struct monitor *m, struct error *err)
{
	struct instance_request req = INSTANCE_REQUEST_INIT;
	int theirs[3] = { -1, -1, -1 }, console[2] = { -1, -1 }, r = 0;

	m->terminal = m->spec->process && m->spec->process->terminal;
	if (!m->terminal)
		r = open_pipes(m, theirs, err);
	else if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, console) < 0)
		r = error_sys(err, -errno, "make a socket for the terminal");
	req.id = m->req->id;
	req.bundle = m->req->bundle;
	req.cache_dir = m->req->cache_dir;
	req.spec = m->spec;
	memcpy(req.stdio, theirs, sizeof(theirs));
	req.console_socket = console[1];
	if (r == 0)
		r = instance_create(&req, &m->instance, err);
	if (r == 0 && m->terminal)
		r = take_master(m, console[0], err);
	for (size_t i = 0; i < 3; i++)
		if (theirs[i] >= 0)
			(void)close(theirs[i]);
	for (size_t i = 0; i < 2; i++)
		if (console[i] >= 0)
			(void)close(console[i]);
	return r;
}

static int write_live(struct monitor *m, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = json_object();
	char boot[BOOT_ID_LEN + 1];
	uint64_t own = 0;
	int r = boot_id(boot, err);

	if (r == 0)
		r = process_start_time(getpid(), &own);
	if (r < 0)
		return error_sys(err, r, "write the live record");
	clock_format(clock_now_ns(), m->started);
	(void)json_object_set_new(doc, "id", json_string(m->req->id));
	(void)json_object_set_new(doc, "pid", json_integer(m->instance.pid));
	(void)json_object_set_new(doc, "startTime",
				  json_integer((json_int_t)m->instance.start_time));
	(void)json_object_set_new(doc, "monitorPid", json_integer(getpid()));
	(void)json_object_set_new(doc, "monitorStartTime", json_integer((json_int_t)own));
	(void)json_object_set_new(doc, "bootId", json_string(boot));
	(void)json_object_set_new(doc, "startedAt", json_string(m->started));
	return json_save_at(m->run_fd, "live.json", doc, false, err);
}

static int start(struct monitor *m, struct error *err)
{
	int r = open_dirs(m, err);

	if (r == 0)
		r = create(m, err);
	if (r == 0)
		instance_set_owner(m->spec, m->req->id, m->req->bundle);
	if (r == 0)
		r = write_live(m, err);
	if (r == 0)
		r = instance_start(&m->instance, err);
	if (r < 0 && m->instance.pid > 0) {
		instance_abandon(&m->instance);
		ignore_result(instance_cleanup(m->spec, m->req->id, NULL));
		(void)unlinkat(m->run_fd, "live.json", 0);
	}
	return r;
}

/* the loop */

static void set_nonblocking(int fd)
{
	if (fd >= 0)
		(void)fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK);
}

/* Returns false at the end of the stream; EIO is a pty whose last slave was closed. */
static bool take_output(struct monitor *m, int fd, bool is_stderr, size_t *ret_len)
{
	char bytes[READ_SIZE];
	ssize_t n = TEMP_FAILURE_RETRY(read(fd, bytes, sizeof(bytes)));

	*ret_len = 0;
	if (n < 0)
		return errno == EAGAIN;
	if (n == 0)
		return false;
	*ret_len = (size_t)n;
	ignore_result(log_write(&m->log, is_stderr, bytes, (size_t)n));
	clients_send(&m->clients, is_stderr ? FRAME_STDERR : FRAME_STDOUT, bytes, (size_t)n);
	return true;
}

static void close_input(struct monitor *m)
{
	if (m->input >= 0 && m->input != m->out)
		(void)close(m->input);
	m->input = -1;
}

static void push_input(struct monitor *m)
{
	while (m->input >= 0 && m->pending.len > 0) {
		ssize_t n = write(m->input, m->pending.data, m->pending.len);

		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno == EAGAIN)
			return;
		if (n < 0) {
			close_input(m);
			break;
		}
		buf_drop_front(&m->pending, (size_t)n);
	}
	if (m->input < 0)
		buf_reset(&m->pending);
	else if (m->input_ends && !m->terminal)
		close_input(m);
}

static void set_size(const struct monitor *m, const struct frame *frame)
{
	struct winsize size = { 0 };
	uint16_t words[2];

	if (!m->terminal || frame->len != sizeof(words))
		return;
	memcpy(words, frame->bytes, sizeof(words));
	size.ws_row = ntohs(words[0]);
	size.ws_col = ntohs(words[1]);
	if (m->out >= 0 && size.ws_row && size.ws_col)
		(void)ioctl(m->out, TIOCSWINSZ, &size);
}

static void take_frame(void *data, const struct frame *frame)
{
	static const char end = 4; /* ^D */
	struct monitor *m = data;

	switch (frame->type) {
	case FRAME_STDIN:
		if (m->input >= 0 && m->req->open_stdin)
			buf_add(&m->pending, frame->bytes, frame->len);
		break;
	case FRAME_STDIN_EOF:
		if (m->terminal && m->input >= 0)
			buf_add(&m->pending, &end, 1);
		m->input_ends = true;
		break;
	case FRAME_RESIZE:
		set_size(m, frame);
		break;
	case FRAME_STDOUT:
	case FRAME_STDERR:
	case FRAME_EXIT:
	case FRAME_REFUSED:
	case N_FRAME_TYPES:
		break;
	}
	push_input(m);
}

/* Whoever made it is gone, and it was to live no longer. */
static void end_if_orphaned(struct monitor *m)
{
	if (m->req->tied && !clients_have_foreground(&m->clients))
		(void)syscall(SYS_pidfd_send_signal, m->instance.pidfd, SIGKILL, NULL, 0);
}

/* Orphans of the container that the kernel gave to us; its first process is waited for by name. */
static void reap_others(const struct monitor *m)
{
	struct signalfd_siginfo info;
	siginfo_t who;

	(void)TEMP_FAILURE_RETRY(read(m->signals, &info, sizeof(info)));
	for (;;) {
		who.si_pid = 0;
		if (waitid(P_ALL, 0, &who, WEXITED | WNOHANG | WNOWAIT) < 0 || who.si_pid == 0 ||
		    who.si_pid == m->instance.pid)
			return;
		(void)waitpid(who.si_pid, NULL, 0);
	}
}

static void accept_client(struct monitor *m)
{
	int fd = accept4(m->listener, NULL, NULL, SOCK_CLOEXEC);

	if (fd >= 0)
		clients_add(&m->clients, fd, false);
}

static size_t prepare_poll(const struct monitor *m, struct pollfd *p)
{
	bool full = clients_are_full(&m->clients);

	p[AT_CHILD] = (struct pollfd) { .fd = m->instance.pidfd, .events = POLLIN };
	p[AT_SIGNAL] = (struct pollfd) { .fd = m->signals, .events = POLLIN };
	p[AT_OUT] = (struct pollfd) { .fd = full ? -1 : m->out, .events = POLLIN };
	p[AT_ERR] = (struct pollfd) { .fd = full ? -1 : m->err, .events = POLLIN };
	p[AT_LISTENER] = (struct pollfd) { .fd = m->listener, .events = POLLIN };
	p[AT_INPUT] = (struct pollfd) { .fd = m->pending.len ? m->input : -1, .events = POLLOUT };
	clients_poll(&m->clients, m->pending.len < INPUT_MAX / 2, p + N_FIXED);
	return N_FIXED + m->clients.n;
}

static void watch(struct monitor *m)
{
	struct pollfd p[N_FIXED + CLIENTS_MAX];

	for (;;) {
		size_t n = prepare_poll(m, p), took;

		if (poll(p, n, -1) < 0)
			continue;
		if (p[AT_OUT].revents && !take_output(m, m->out, false, &took)) {
			if (m->input == m->out)
				m->input = -1;
			(void)close(m->out);
			m->out = -1;
		}
		if (p[AT_ERR].revents && !take_output(m, m->err, true, &took)) {
			(void)close(m->err);
			m->err = -1;
		}
		clients_handle(&m->clients, p + N_FIXED, take_frame, m);
		end_if_orphaned(m);
		if (p[AT_INPUT].revents)
			push_input(m);
		if (p[AT_SIGNAL].revents)
			reap_others(m);
		if (p[AT_LISTENER].revents)
			accept_client(m);
		if (p[AT_CHILD].revents)
			return;
	}
}

/* Takes what is there at this moment, which fits the clients' buffers.  Its processes are gone, but
 * it may have handed its output to another container's, and they never stop writing.
 */
static void drain(struct monitor *m, int fd, bool is_stderr)
{
	struct pollfd p = { .fd = fd, .events = POLLIN };
	int there = TERMINAL_BYTES_MAX;

	if (fd < 0)
		return;
	/* Of a terminal some may be on its way still, and is not counted. */
	if (!m->terminal && ioctl(fd, FIONREAD, &there) < 0)
		return;
	for (size_t left = (size_t)there; left > 0 && poll(&p, 1, 0) > 0;) {
		size_t took = 0;

		if (!take_output(m, fd, is_stderr, &took))
			return;
		left -= MIN(took, left);
	}
}

/* the end */

static void write_exit(const struct monitor *m, int signal, bool oom)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	autofree char *text = NULL;
	char now[CLOCK_TEXT_LEN];

	clock_format(clock_now_ns(), now);
	doc = json_pack("{s:i, s:i, s:b, s:s, s:s}", "exitCode", m->status, "signal", signal,
			"oomKilled", oom, "startedAt", m->started, "finishedAt", now);
	text = json_dumps(doc, JSON_INDENT(2));
	if (m->exit_fd < 0 || !text || file_write_all(m->exit_fd, text, strlen(text)) < 0 ||
	    fsync(m->exit_fd) < 0 ||
	    renameat(m->bundle_fd, EXIT_RESERVED, m->bundle_fd, "exit.json") < 0)
		ignore_result(json_save_at(m->bundle_fd, "exit.json", doc, !m->req->brief, NULL));
}

static void record_end(struct monitor *m)
{
	bool oom = instance_was_oom_killed(m->spec, m->req->id);
	int status = 0, signal = 0;

	(void)TEMP_FAILURE_RETRY(waitpid(m->instance.pid, &status, 0));
	signal = WIFSIGNALED(status) ? WTERMSIG(status) : 0;
	m->status = signal ? 128 + signal : WEXITSTATUS(status);
	/* The kernel ends a pid namespace with its first process; without one, others may live. */
	if (!spec_has_new(m->spec, CLONE_NEWPID))
		ignore_result(instance_kill_all(m->spec, m->req->id, SIGKILL, NULL));
	drain(m, m->out, false);
	drain(m, m->err, true);
	write_exit(m, signal, oom);
}

static const int ignored[] = { SIGTERM, SIGINT, SIGHUP, SIGQUIT, SIGPIPE };

static void restore_signals(void)
{
	sigset_t none;

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		(void)signal(ignored[i], SIG_DFL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

static int clean_up(const struct serve_request *req)
{
	autofree char **argv = xcalloc(req->ncleanup + 1, sizeof(*argv));

	if (req->ncleanup == 0)
		return 0;
	memcpy(argv, req->cleanup, req->ncleanup * sizeof(*argv));
	restore_signals();
	(void)execv(argv[0], argv);
	return 127;
}

/* The end is recorded, so the lock goes: the rest is anybody's, and a client that reads slowly, or
 * no more, must not keep others from it.
 */
static int finish(struct monitor *m)
{
	const unsigned char status = (unsigned char)m->status;
	bool cleaned;

	(void)unlinkat(m->run_fd, ATTACH_SOCKET, 0);
	/* Without its live record, and with one of its end, nothing of it is left in the kernel. */
	if (instance_cleanup(m->spec, m->req->id, NULL) == 0)
		(void)unlinkat(m->run_fd, "live.json", 0);
	if (m->req->lock_fd > 0)
		(void)close(m->req->lock_fd);
	clients_send(&m->clients, FRAME_EXIT, &status, 1);
	cleaned = clients_finish(&m->clients);
	return cleaned ? 0 : clean_up(m->req);
}

static int block_signals(void)
{
	sigset_t set;

	for (size_t i = 0; i < ARRAY_SIZE(ignored); i++)
		(void)signal(ignored[i], SIG_IGN);
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

static void take_over(const struct serve_request *req)
{
	const int fds[] = { req->status_fd, req->lock_fd, req->client_fd, req->explain_fd };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] > 2)
			(void)fcntl(fds[i], F_SETFD, FD_CLOEXEC);
}

/* The start is told; who reads along need not wait for the container's end. */
static void end_narration(const struct serve_request *req)
{
	explain_init(EXPLAIN_OFF, -1);
	if (req->explain_fd > STDERR_FILENO)
		(void)close(req->explain_fd);
}

int serve(const struct serve_request *req)
{
	struct monitor m = {
		.req = req,
		.instance = INSTANCE_INIT,
		.log = { .fd = -1 },
		.bundle_fd = -1,
		.run_fd = -1,
		.exit_fd = -1,
		.out = -1,
		.err = -1,
		.input = -1,
		.listener = -1,
		.pending = BUF_INIT(INPUT_MAX + 4 * CLIENTS_MAX * FRAME_BYTES_MAX),
	};
	struct error err = { 0 };
	int r;

	take_over(req);
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	m.signals = block_signals();
	if (req->client_fd > 0)
		clients_add(&m.clients, req->client_fd, true);
	r = start(&m, &err);
	end_narration(req);
	if (r < 0 && err.code == 0)
		(void)error_sys(&err, r, "start the container");
	if (req->status_fd > 0) {
		ignore_result(error_send(req->status_fd, &err));
		(void)close(req->status_fd);
	}
	if (r < 0)
		return 1;
	set_nonblocking(m.out);
	set_nonblocking(m.err);
	set_nonblocking(m.input);
	watch(&m);
	record_end(&m);
	return finish(&m);
}
