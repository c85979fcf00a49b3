/* src/engine/archive.c */
#include "engine/archive.h"

#include <fcntl.h>
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

/* Its errors go to the user as they are: they start with "strake". */
static int ask(const char *program, char **argv, char **ret, struct error *err)
{
	autoclose int from = -1, to = -1;
	int ends[2], state = 0, r;
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
	r = file_read_fd(from, program, ANSWER_MAX, ret, NULL, err);
	if (TEMP_FAILURE_RETRY(waitpid(pid, &state, 0)) < 0)
		return error_sys(err, -errno, "wait for %s", program);
	if (r == 0 && (!WIFEXITED(state) || WEXITSTATUS(state) != 0))
		return error_set(err, -EIO, "nothing is run");
	return r;
}

int archive_import(const struct engine *engine, const char *path, char ret_id[ID_LEN + 1],
		   struct error *err)
{
	autofree char *program = engine_program(engine, "strake-image"), *answer = NULL;
	struct strv argv = { 0 };
	int r;

	if (explain_dry())
		return error_set(err, -EOPNOTSUPP,
				 "--dry-run: %s has to be brought into the store first; 'strake "
				 "import %s NAME', then run NAME",
				 path, path);
	strv_add(&argv, "strake-image");
	strv_add(&argv, "--root");
	strv_add(&argv, engine->root);
	strv_add(&argv, "--run-root");
	strv_add(&argv, engine->run_root);
	strv_add(&argv, "take");
	strv_add(&argv, path);
	r = ask(program, argv.items, &answer, err);
	strv_done(&argv);
	if (r < 0)
		return r;
	answer[strcspn(answer, "\n")] = '\0';
	if (strlen(answer) != ID_LEN || !id_is_hex(answer))
		return error_set(err, -EBADMSG,
				 "%s holds several images; 'strake load -i %s' "
				 "brings them, then run one by name",
				 path, path);
	memcpy(ret_id, answer, ID_LEN + 1);
	return 0;
}
