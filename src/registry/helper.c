/* src/registry/helper.c */
#include "registry/helper.h"

#include <fcntl.h>
#include <jansson.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "registry/auth.h"

#define ANSWER_MAX  (64U << 10)
#define DEADLINE_MS 60000 /* it may ask a person */

static bool name_is_valid(const char *name)
{
	return *name && strlen(name) < 100 &&
	       strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.-") ==
		       strlen(name);
}

static void helper_exec(const char *program, const char *verb, int in, int out)
{
	if (dup2(in, STDIN_FILENO) < 0 || dup2(out, STDOUT_FILENO) < 0)
		_exit(127);
	(void)execlp(program, program, verb, NULL);
	_exit(errno == ENOENT ? 127 : 126);
}

/* The exit status, or -errno. */
static int talk(const char *program, const char *verb, const char *input, struct buf *ret)
{
	int in[2] = { -1, -1 }, out[2] = { -1, -1 }, status = 0, r;
	pid_t pid;

	if (pipe2(in, O_CLOEXEC) < 0)
		return -errno;
	r = pipe2(out, O_CLOEXEC) < 0 ? -errno : 0;
	pid = r == 0 ? fork() : -1;
	if (pid == 0)
		helper_exec(program, verb, in[0], out[1]);
	(void)close(in[0]);
	if (out[1] >= 0)
		(void)close(out[1]);
	if (pid < 0) {
		r = r < 0 ? r : -errno;
	} else {
		/* Shorter than a pipe holds: it cannot block.  One that reads nothing is its own
		 * fault. */
		ignore_result(file_write_all(in[1], input, strlen(input)));
		(void)close(steal_fd(&in[1]));
		r = file_read_until(out[0], clock_monotonic_ms() + DEADLINE_MS, ret);
		if (r < 0)
			(void)kill(pid, SIGKILL);
		if (TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) < 0 && r == 0)
			r = -errno;
	}
	if (in[1] >= 0)
		(void)close(in[1]);
	if (out[0] >= 0)
		(void)close(out[0]);
	return r < 0 ? r : WIFEXITED(status) ? WEXITSTATUS(status) : 128;
}

static int call(const char *name, const char *verb, const char *input, struct buf *ret,
		struct error *err)
{
	autofree char *program = xasprintf("docker-credential-%s", name);
	void (*before)(int);
	int r;

	if (!name_is_valid(name))
		return error_set(err, -EINVAL, "'%.100s' is no name of a credential helper", name);
	if (strlen(input) > 60000)
		return error_set(err, -E2BIG, "the password is too long for %s", program);
	before = signal(SIGPIPE, SIG_IGN);
	r = talk(program, verb, input, ret);
	(void)signal(SIGPIPE, before);
	if (r < 0)
		return error_sys(err, r, "credential helper %s", program);
	if (r == 127)
		return error_set(err, -ENOENT, "credential helper %s is not installed", program);
	return r;
}

static int said(const char *name, const char *verb, struct buf *answer, struct error *err)
{
	autofree char *text = buf_steal(answer);

	text[strcspn(text, "\n")] = '\0';
	return error_set(err, -EACCES, "docker-credential-%s %s: %.200s", name, verb,
			 *text ? text : "failed without a word");
}

int helper_get(const char *name, const char *key, struct credentials *ret, struct error *err)
{
	struct buf answer = BUF_INIT(ANSWER_MAX);
	cleanup(json_cleanup) json_t *doc = NULL;
	const char *user, *secret;
	struct json_reader rd;
	int r = call(name, "get", key, &answer, err);

	if (r > 0 && strstr(buf_text(&answer), "not found"))
		r = 0, buf_reset(&answer);
	else if (r > 0)
		r = said(name, "get", &answer, err);
	else if (r == 0)
		r = json_load_bytes(buf_text(&answer), answer.len, "a credential helper's answer",
				    &doc, err);
	buf_done(&answer);
	if (r < 0 || !doc)
		return r;
	json_reader_init(&rd, "a credential helper's answer", err);
	user = json_read_string(&rd, doc, "Username", "");
	secret = json_need_string(&rd, doc, "Secret");
	if (rd.r < 0)
		return rd.r;
	if (!*user && !*secret)
		return 0;
	*ret = (struct credentials) { .from = xasprintf("docker-credential-%s, key %s", name,
							key) };
	if (strcmp(user, "<token>") == 0) {
		ret->identity_token = xstrdup(secret);
	} else {
		ret->user = xstrdup(user);
		ret->secret = xstrdup(secret);
	}
	return 1;
}

int helper_store(const char *name, const char *key, const struct credentials *c, struct error *err)
{
	struct buf answer = BUF_INIT(ANSWER_MAX);
	cleanup(json_cleanup) json_t *doc =
		json_pack("{s:s, s:s, s:s}", "ServerURL", key, "Username",
			  c->identity_token ? "<token>" : c->user, "Secret",
			  c->identity_token ? c->identity_token : c->secret);
	autofree char *text = doc ? json_dumps(doc, JSON_COMPACT) : NULL;
	int r = text ? call(name, "store", text, &answer, err)
		     : error_set(err, -EINVAL, "the password is not UTF-8");

	if (r > 0)
		r = said(name, "store", &answer, err);
	buf_done(&answer);
	return r;
}

int helper_erase(const char *name, const char *key, struct error *err)
{
	struct buf answer = BUF_INIT(ANSWER_MAX);
	int r = call(name, "erase", key, &answer, err);

	if (r > 0)
		r = said(name, "erase", &answer, err);
	buf_done(&answer);
	return r;
}
