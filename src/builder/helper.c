/* src/builder/helper.c */
#include "builder/helper.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/text.h"

#define SAID_MAX      4096
#define STATUS_SELF   126 /* it was not even started */
#define STATUS_ABSENT 127

struct running {
	const struct helper *h;
	pid_t pid;
	int out, said; /* ends to read from; -1 when closed */
	struct buf text;
	char last[SAID_MAX]; /* the end of what it said */
	size_t len;
};

void helper_env(struct strv *ret)
{
	static const char *const names[] = { "http_proxy",  "https_proxy", "all_proxy", "no_proxy",
					     "HTTPS_PROXY", "ALL_PROXY",   "NO_PROXY" };
	const char *path = getenv("PATH");

	strv_addf(ret, "PATH=%s", path ? path : "/usr/local/bin:/usr/bin:/bin");
	strv_add(ret, "LC_ALL=C");
	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (getenv(names[i]))
			strv_addf(ret, "%s=%s", names[i], getenv(names[i]));
}

static _Noreturn void child(const struct helper *h, int out, int said)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);
	sigset_t none;

	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	(void)setsid(); /* so that all that it starts can be ended */
	if (null < 0 || dup2(null, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0 ||
	    dup2(said, STDERR_FILENO) < 0 || confine_enter(&h->confine) < 0)
		_exit(STATUS_SELF);
	(void)execvpe(h->argv->items[0], h->argv->items, h->env->items);
	_exit(errno == ENOENT ? STATUS_ABSENT : STATUS_SELF);
}

static void keep_last(struct running *run, const char *bytes, size_t n)
{
	size_t keep = MIN(run->len, sizeof(run->last) - 1 - n);

	memmove(run->last, run->last + run->len - keep, keep);
	memcpy(run->last + keep, bytes, n);
	run->len = keep + n;
}

/* What is there; closes an end that has nothing more. */
static void take(struct running *run, int *fd)
{
	char bytes[SAID_MAX / 2];
	ssize_t n = TEMP_FAILURE_RETRY(read(*fd, bytes, sizeof(bytes)));

	if (n <= 0) {
		(void)close(*fd);
		*fd = -1;
	} else if (fd == &run->out) {
		buf_add(&run->text, bytes, (size_t)n);
	} else {
		keep_last(run, bytes, (size_t)n);
	}
}

static int listen_to(struct running *run)
{
	while (run->out >= 0 || run->said >= 0) {
		struct pollfd p[] = { { .fd = run->out, .events = POLLIN },
				      { .fd = run->said, .events = POLLIN } };
		int64_t left = run->h->deadline_ms - clock_monotonic_ms();
		int n = left > 0 ? poll(p, ARRAY_SIZE(p), (int)MIN(left, 3600000)) : 0;

		if (n == 0)
			return -ETIMEDOUT;
		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0 && p[0].revents)
			take(run, &run->out);
		if (n > 0 && p[1].revents)
			take(run, &run->said);
		if (buf_result(&run->text) < 0)
			return -EFBIG;
	}
	return 0;
}

static int start(struct running *run)
{
	int out[2] = { -1, -1 }, said[2] = { -1, -1 }, r = 0;

	if (pipe2(out, O_CLOEXEC) < 0 || pipe2(said, O_CLOEXEC) < 0)
		r = -errno;
	if (r == 0) {
		run->pid = fork();
		if (run->pid == 0)
			child(run->h, out[1], said[1]);
		r = run->pid < 0 ? -errno : 0;
	}
	run->out = out[0];
	run->said = said[0];
	if (out[1] >= 0)
		(void)close(out[1]);
	if (said[1] >= 0)
		(void)close(said[1]);
	return r;
}

/* With what it may have left behind, too: nothing of it is to go on.  As long as it is a zombie its
 * group's number is nobody else's.
 */
static int end(const struct running *run, bool at_once)
{
	siginfo_t info;
	int state = 0;

	if (at_once)
		(void)kill(-run->pid, SIGKILL);
	(void)TEMP_FAILURE_RETRY(waitid(P_PID, (id_t)run->pid, &info, WEXITED | WNOWAIT));
	(void)kill(-run->pid, SIGKILL);
	(void)TEMP_FAILURE_RETRY(waitpid(run->pid, &state, 0));
	return state;
}

/* The first line that says "fatal", as git does before others that follow from it; else the last.
 */
static const char *last_words(struct running *run)
{
	char *line;

	run->last[run->len] = '\0';
	while (run->len > 0 && strchr("\n\r ", run->last[run->len - 1]))
		run->last[--run->len] = '\0';
	line = strstr(run->last, "fatal: ");
	if (line)
		line[strcspn(line, "\n")] = '\0';
	else
		line = strrchr(run->last, '\n') ? strrchr(run->last, '\n') + 1 : run->last;
	text_clean(line);
	return *line ? line : "it failed and said nothing";
}

static int judge(struct running *run, int r, int state, struct error *err)
{
	const char *name = run->h->argv->items[0];

	if (r == -ETIMEDOUT)
		return error_set(err, r, "%s does not come to an end", name);
	if (r == -EFBIG)
		return error_set(err, r, "%s says too much", name);
	if (r < 0)
		return error_sys(err, r, "run %s", name);
	if (WIFEXITED(state) && WEXITSTATUS(state) == 0)
		return 0;
	if (WIFEXITED(state) && WEXITSTATUS(state) == STATUS_ABSENT)
		return error_set(err, -ENOENT, "%s is not installed (package %s)", name,
				 run->h->package);
	if (WIFEXITED(state) && WEXITSTATUS(state) == STATUS_SELF && run->len == 0)
		return error_set(err, -EPERM, "%s could not be started", name);
	return error_set(err, -EIO, "%s: %s", name, last_words(run));
}

int helper_run(const struct helper *h, char **ret_out, struct error *err)
{
	struct running run = { .h = h, .pid = -1, .out = -1, .said = -1 };
	int state = 0, r;

	buf_init(&run.text, HELPER_OUTPUT_MAX);
	r = start(&run);
	if (r == 0)
		r = listen_to(&run);
	if (run.pid > 0)
		state = end(&run, r < 0);
	if (run.out >= 0)
		(void)close(run.out);
	if (run.said >= 0)
		(void)close(run.said);
	r = judge(&run, r, state, err);
	if (r == 0 && ret_out)
		*ret_out = buf_steal(&run.text);
	buf_done(&run.text);
	return r;
}
