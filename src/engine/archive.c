/* src/engine/archive.c */
#include "engine/archive.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/strv.h"
#include "engine/engine.h"

#define ANSWER_MAX 4096

static _Noreturn void child(const char *program, char **argv, int to)
{
	if (dup2(to, STDOUT_FILENO) >= 0)
		(void)execv(program, argv);
	_exit(127);
}

/* What it prints, one line.  Its errors go to the user as they are: they start with "strake". */
static int read_answer(const char *program, char **argv, char ret[ANSWER_MAX], struct error *err)
{
	autoclose int from = -1, to = -1;
	int ends[2], state = 0, r;
	autofree char *text = NULL;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make a pipe");
	from = ends[0];
	to = ends[1];
	pid = fork();
	if (pid < 0)
		return error_sys(err, -errno, "start %s", program);
	if (pid == 0)
		child(program, argv, to);
	(void)close(steal_fd(&to));
	r = file_read_fd(from, program, ANSWER_MAX - 1, &text, NULL, err);
	if (TEMP_FAILURE_RETRY(waitpid(pid, &state, 0)) < 0)
		return error_sys(err, -errno, "wait for %s", program);
	if (r == 0 && (!WIFEXITED(state) || WEXITSTATUS(state) != 0))
		r = error_set(err, -EIO, "nothing is run");
	if (r < 0 || !text)
		return r;
	(void)snprintf(ret, ANSWER_MAX, "%.*s", (int)strcspn(text, "\n"), text);
	return 0;
}

/* words end with NULL. */
static int ask(const struct engine *engine, const char *const *words, char ret[ANSWER_MAX],
	       struct error *err)
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
	for (; *words; words++)
		strv_add(&argv, *words);
	r = read_answer(program, argv.items, ret, err);
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
	char answer[ANSWER_MAX];
	int r;

	if (explain_dry())
		return error_set(err, -EOPNOTSUPP,
				 "--dry-run: %s has to be brought into the store first; 'strake "
				 "import %s NAME', then run NAME",
				 path, path);
	r = ask(engine, words, answer, err);
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

int archive_fetch(const struct engine *engine, const char *name, const char *platform, bool always,
		  char ret_id[ID_LEN + 1], struct error *err)
{
	autofree char *wish = platform ? xasprintf("--platform=%s", platform) : NULL;
	const char *const words[] = { "pull",
				      always ? "--policy=always" : "--policy=missing",
				      wish ? wish : "--",
				      wish ? "--" : name,
				      wish ? name : NULL,
				      NULL };
	char answer[ANSWER_MAX];
	int r;

	if (explain_dry())
		return error_set(
			err, -EOPNOTSUPP,
			"image %s is not here, and a dry run fetches nothing; 'strake pull "
			"%s' first",
			name, name);
	r = ask(engine, words, answer, err);
	if (r == -EIO)
		r = error_set(err, r,
			      always ? "image %s could not be fetched"
				     : "image %s is not here, and could not be fetched",
			      name);
	if (r == 0 && !is_id(answer))
		r = error_set(err, -EPROTO, "fetching %s gave no image", name);
	if (r < 0)
		return r;
	memcpy(ret_id, answer, ID_LEN + 1);
	return 0;
}
