/* src/network/firewalld.c */
#include "network/firewalld.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/explain.h"

#define PROGRAM "strake-firewalld"
#define ZONE    "trusted"

enum { SAYS_YES, SAYS_NO }; /* exit statuses; any other: it failed, and sent its error */

static _Noreturn void become(const char *path, const char *verb, const char *link, int status)
{
	autofree char *fd = xasprintf("--status-fd=%d", status);
	char *const argv[] = { (char[]) { PROGRAM }, fd, (char *)verb, (char *)link, NULL };
	struct error err = { 0 };

	(void)fcntl(status, F_SETFD, 0);
	(void)execv(path, argv);
	(void)error_sys(&err, -errno, "run %s", path);
	(void)error_send(status, &err);
	_exit(127);
}

/* Its exit status, or what went wrong. */
static int ask(const char *libexec, const char *verb, const char *link, struct error *err)
{
	autofree char *path = xasprintf("%s/" PROGRAM, libexec);
	autoclose int ours = -1, theirs = -1;
	struct error said = { 0 };
	int pair[2], state = 0;
	pid_t pid;

	if (pipe2(pair, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make a pipe");
	ours = pair[0];
	theirs = pair[1];
	pid = fork();
	if (pid == 0)
		become(path, verb, link, theirs);
	if (pid < 0)
		return error_sys(err, -errno, "start " PROGRAM);
	(void)close(steal_fd(&theirs));
	if (error_receive(ours, &said) > 0 && err)
		*err = said;
	if (TEMP_FAILURE_RETRY(waitpid(pid, &state, 0)) < 0)
		return error_sys(err, -errno, "wait for " PROGRAM);
	if (said.code < 0)
		return said.code;
	if (!WIFEXITED(state) || WEXITSTATUS(state) > SAYS_NO)
		return error_set(err, -ECHILD, PROGRAM " ended without a word");
	return WEXITSTATUS(state);
}

int firewalld_knows(const char *libexec, const char *link, bool *ret, struct error *err)
{
	int r = ask(libexec, "knows", link, err);

	if (r >= 0)
		*ret = r == SAYS_YES;
	return r < 0 ? r : 0;
}

int firewalld_add(const char *libexec, const char *link, struct error *err)
{
	int r;

	if (explain("firewalld rejects what comes from links that it does not know",
		    "firewall-cmd --zone=" ZONE " --change-interface=%s", link))
		return 0;
	r = ask(libexec, "add", link, err);
	return r < 0 ? r : 0;
}

int firewalld_remove(const char *libexec, const char *link, struct error *err)
{
	int r;

	if (explain(NULL, "firewall-cmd --zone=" ZONE " --remove-interface=%s", link))
		return 0;
	r = ask(libexec, "remove", link, err);
	return r < 0 ? r : 0;
}
