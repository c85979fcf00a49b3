/* src/engine/archive.c */
#include "engine/archive.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/strv.h"
#include "engine/engine.h"

/* It ends with us: whoever waited for it is not there any more. */
static _Noreturn void child(const char *program, char **argv, const int to[2], pid_t parent)
{
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(127);
	if (dup2(to[0], STDOUT_FILENO) >= 0 && (to[1] < 0 || dup2(to[1], STDERR_FILENO) >= 0))
		(void)execv(program, argv);
	_exit(127);
}

/* What it prints; its errors, which start with "strake", go to the user as they are. */
static int listen_to(const int from[2], const char *program, const struct archive_call *call,
		     char **ret, struct error *err)
{
	char bytes[4096];
	ssize_t n = 1;

	/* First what it says while it works: its answer is a line, for which its pipe has room. */
	while (from[1] >= 0 && n > 0) {
		n = TEMP_FAILURE_RETRY(read(from[1], bytes, sizeof(bytes)));
		if (n > 0)
			call->output(call->data, bytes, (size_t)n);
	}
	return file_read_fd(from[0], program, ARCHIVE_ANSWER_MAX - 1, ret, NULL, err);
}

struct pipes {
	int from[2], to[2]; /* for its answer, and for its errors: -1 */
};

static void pipes_close(int ends[2])
{
	for (size_t i = 0; i < 2; i++)
		if (ends[i] >= 0)
			(void)close(ends[i]);
	ends[0] = ends[1] = -1;
}

static void pipes_done(struct pipes *p)
{
	pipes_close(p->from);
	pipes_close(p->to);
}

static int pipes_open(struct pipes *p, bool errors_too, struct error *err)
{
	for (size_t i = 0; i < (errors_too ? 2 : 1); i++) {
		int ends[2];

		if (pipe2(ends, O_CLOEXEC) < 0)
			return error_sys(err, -errno, "make a pipe");
		p->from[i] = ends[0];
		p->to[i] = ends[1];
	}
	return 0;
}

static int read_answer(const char *program, char **argv, const struct archive_call *call,
		       char ret[ARCHIVE_ANSWER_MAX], struct error *err)
{
	cleanup(pipes_done) struct pipes p = { { -1, -1 }, { -1, -1 } };
	int state = 0, r = pipes_open(&p, call->output != NULL, err);
	autofree char *text = NULL;
	pid_t parent = getpid(), pid;

	if (r < 0)
		return r;
	pid = fork();
	if (pid < 0)
		return error_sys(err, -errno, "start %s", program);
	if (pid == 0)
		child(program, argv, p.to, parent);
	pipes_close(p.to);
	r = listen_to(p.from, program, call, &text, err);
	if (TEMP_FAILURE_RETRY(waitpid(pid, &state, 0)) < 0)
		return error_sys(err, -errno, "wait for %s", program);
	if (r == 0 && (!WIFEXITED(state) || WEXITSTATUS(state) != 0))
		r = error_set(err, -EIO, "nothing is run");
	if (r < 0 || !text)
		return r;
	(void)snprintf(ret, ARCHIVE_ANSWER_MAX, "%.*s", (int)strcspn(text, "\n"), text);
	return 0;
}

int archive_run(const struct engine *engine, const struct archive_call *call,
		char ret[ARCHIVE_ANSWER_MAX], struct error *err)
{
	autofree char *program = engine_program(engine, "strake-image");
	struct strv argv = { 0 };
	int r;

	ret[0] = '\0';
	strv_add(&argv, "strake-image");
	strv_add(&argv, "--root");
	strv_add(&argv, engine->root);
	strv_add(&argv, "--run-root");
	strv_add(&argv, engine->run_root);
	for (const char *const *word = call->words; *word; word++)
		strv_add(&argv, *word);
	r = read_answer(program, argv.items, call, ret, err);
	strv_done(&argv);
	return r;
}

static bool is_id(const char *text)
{
	return strlen(text) == ID_LEN && id_is_hex(text);
}

int archive_import(const struct engine *engine, const char *path, char ret_id[ID_LEN + 1],
		   struct error *err)
{
	const char *const words[] = { "take", path, NULL };
	const struct archive_call call = { .words = words };
	char answer[ARCHIVE_ANSWER_MAX];
	int r;

	if (explain_dry())
		return error_set(err, -EOPNOTSUPP,
				 "--dry-run: %s has to be brought into the store first; 'strake "
				 "import %s NAME', then run NAME",
				 path, path);
	r = archive_run(engine, &call, answer, err);
	if (r < 0)
		return r;
	if (!is_id(answer))
		return error_set(err, -EBADMSG,
				 "%s holds several images; 'strake load -i %s' "
				 "brings them, then run one by name",
				 path, path);
	memcpy(ret_id, answer, ID_LEN + 1);
	return 0;
}

static void pull_words(const struct fetch_request *req, struct strv *ret)
{
	strv_add(ret, "pull");
	strv_add(ret, req->always ? "--policy=always" : "--policy=missing");
	if (req->platform)
		strv_addf(ret, "--platform=%s", req->platform);
	if (req->flags)
		strv_extend(ret, req->flags->items, req->flags->n);
	strv_add(ret, "--");
	strv_add(ret, req->name);
}

int archive_fetch(const struct engine *engine, const struct fetch_request *req,
		  char ret_id[ID_LEN + 1], struct error *err)
{
	struct archive_call call = { .output = req->output, .data = req->data };
	const char *name = req->name;
	struct strv words = { 0 };
	char answer[ARCHIVE_ANSWER_MAX];
	int r;

	if (explain_dry())
		return error_set(
			err, -EOPNOTSUPP,
			"image %s is not here, and a dry run fetches nothing; 'strake pull "
			"%s' first",
			name, name);
	pull_words(req, &words);
	call.words = (const char *const *)words.items;
	r = archive_run(engine, &call, answer, err);
	strv_done(&words);
	if (r == -EIO)
		r = error_set(err, r,
			      req->always ? "image %s could not be fetched"
					  : "image %s is not here, and could not be fetched",
			      name);
	if (r == 0 && !is_id(answer))
		r = error_set(err, -EPROTO, "fetching %s gave no image", name);
	if (r < 0)
		return r;
	memcpy(ret_id, answer, ID_LEN + 1);
	return 0;
}
