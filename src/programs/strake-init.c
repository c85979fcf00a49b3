/* src/programs/strake-init.c - what "strake run --init" puts in front of the program.
 *
 * "strake-init --env FILE PROGRAM..." is another thing, for builds: it puts the file's variables,
 * each ending with a zero byte, into its environment and becomes the program.
 *
 * Process 1 of a pid namespace inherits every orphan and gets no default signal actions; programs
 * rarely expect either.  This one forwards signals to its only child, reaps whatever ends, and
 * exits as its child did.  It waits for signals alone (sigwaitinfo), so there is nothing to race
 * with.
 */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <unistd.h>

static pid_t spawn(char **argv, const sigset_t *old)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void)setpgid(0, 0);
	/* Its own process group in the foreground, so that ^C reaches the program and not us. */
	(void)signal(SIGTTOU, SIG_IGN);
	(void)tcsetpgrp(STDIN_FILENO, getpid());
	(void)signal(SIGTTOU, SIG_DFL);
	(void)sigprocmask(SIG_SETMASK, old, NULL);
	(void)execvp(argv[0], argv);
	(void)fprintf(stderr, "strake-init: %s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* Returns the exit status once our own child ended, else -1. */
static int reap(pid_t child)
{
	int state, status = -1;
	pid_t pid;

	while ((pid = waitpid(-1, &state, WNOHANG)) > 0)
		if (pid == child)
			status = WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
	return status;
}

static int become(const char *file, char **argv)
{
	char *variable = NULL;
	size_t room = 0;
	FILE *f = fopen(file, "re");

	if (!f) {
		(void)fprintf(stderr, "strake-init: %s: %s\n", file, strerror(errno));
		return 126;
	}
	/* Each is kept by the environment. */
	while (getdelim(&variable, &room, '\0', f) > 0) {
		(void)putenv(variable);
		variable = NULL;
		room = 0;
	}
	(void)fclose(f);
	(void)execvp(argv[0], argv);
	(void)fprintf(stderr, "strake-init: %s: %s\n", argv[0], strerror(errno));
	return errno == ENOENT ? 127 : 126;
}

int main(int argc, char **argv)
{
	sigset_t all, old;
	siginfo_t info;
	pid_t child;

	if (argc < 2) {
		(void)fprintf(stderr, "strake-init: wants a program to run\n");
		return 2;
	}
	if (argc > 3 && strcmp(argv[1], "--env") == 0)
		return become(argv[2], argv + 3);
	(void)sigfillset(&all);
	(void)sigprocmask(SIG_BLOCK, &all, &old);
	child = spawn(argv + 1, &old);
	if (child < 0) {
		(void)fprintf(stderr, "strake-init: fork: %s\n", strerror(errno));
		return 126;
	}
	for (;;) {
		int sig = sigwaitinfo(&all, &info);

		if (sig < 0)
			continue;
		if (sig == SIGCHLD) {
			int status = reap(child);

			if (status >= 0)
				return status;
			continue;
		}
		(void)kill(child, sig);
	}
}
