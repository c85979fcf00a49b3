/* src/disk/tool.c */
#include "disk/tool.h"

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/statvfs.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/strv.h"
#include "kernel/seccomp.h"

#define TOOL_PATH "/usr/sbin:/usr/bin:/sbin:/bin"
#define SAID_MAX  4096

struct tool {
	const struct strv *argv;
	const int *fds;
	size_t nfds;
	int64_t now_s;
	const char *package;
	int out, said; /* its standard output and error */
	int in;        /* its standard input; 0: nothing */
	rlim_t room;   /* how large it may make a file; 0: any size */
	bool unsynced;
};

static void in_child(const struct tool *t)
{
	autofree char *date = xasprintf("%lld", (long long)t->now_s);
	int null = open("/dev/null", O_RDWR); /* NOLINT(android-cloexec-open): the program's */

	if (null < 0 || dup2(t->in ? t->in : null, STDIN_FILENO) < 0 ||
	    dup2(t->out, STDOUT_FILENO) < 0 || dup2(t->said, STDERR_FILENO) < 0)
		_exit(126);
	for (size_t i = 0; i < t->nfds; i++)
		(void)fcntl(t->fds[i], F_SETFD, 0);
	/* Files of the user's could change what is written. */
	(void)(t->now_s < 0 ? unsetenv("SOURCE_DATE_EPOCH") : setenv("SOURCE_DATE_EPOCH", date, 1));
	if (t->room)
		(void)setrlimit(RLIMIT_FSIZE, &(const struct rlimit) { t->room, t->room });
	(void)setenv("TZ", "UTC", 1);
	(void)setenv("LC_ALL", "C", 1);
	(void)setenv("PATH", TOOL_PATH, 1);
	(void)setenv("MTOOLSRC", "/dev/null", 1);
	(void)setenv("MTOOLS_SKIP_CHECK", "1", 1);
	if (t->unsynced)
		(void)seccomp_skip_syncs(); /* else it only takes longer */
	(void)execvp(t->argv->items[0], t->argv->items);
	_exit(127);
}

/* The last line of what it said. */
static const char *last_words(int said, char text[SAID_MAX])
{
	off_t size = lseek(said, 0, SEEK_END);
	ssize_t n = pread(said, text, SAID_MAX - 1, MAX(size - (SAID_MAX - 1), 0));
	char *line;

	text[MAX(n, 0)] = '\0';
	while (n > 0 && (text[n - 1] == '\n' || text[n - 1] == ' '))
		text[--n] = '\0';
	line = strrchr(text, '\n');
	line = line ? line + 1 : text;
	return *line ? line : "it failed and said nothing";
}

static pid_t start(const struct tool *t, struct error *err)
{
	pid_t pid = fork();

	if (pid == 0)
		in_child(t);
	return pid < 0 ? error_sys(err, -errno, "run %s", t->argv->items[0]) : pid;
}

static int finish(const struct tool *t, pid_t pid, struct error *err)
{
	const char *name = t->argv->items[0];
	char text[SAID_MAX];
	int status;

	if (TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) < 0)
		return error_sys(err, -errno, "wait for %s", name);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	if (WIFEXITED(status) && WEXITSTATUS(status) == 127)
		return error_set(err, -ENOENT, "%s is not installed (package %s)", name,
				 t->package);
	if (WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ)
		return error_set(
			err, -EFBIG,
			"%s: it unpacks to more than %llu MiB, half of what is free there: "
			"let TMPDIR name a place with more room",
			name, (unsigned long long)t->room >> 20);
	return error_set(err, -EIO, "%s: %s", name, last_words(t->said, text));
}

static int run(const struct tool *t, struct error *err)
{
	pid_t pid = start(t, err);

	return pid < 0 ? pid : finish(t, pid, err);
}

int tool_run(const struct strv *argv, const int *fds, size_t nfds, int64_t now_s,
	     const char *package, struct error *err)
{
	autoclose int said = memfd_create("said", MFD_CLOEXEC);
	const struct tool t = { argv, fds, nfds, now_s, package, said, said };

	return said < 0 ? error_sys(err, -errno, "run %s", argv->items[0]) : run(&t, err);
}

int tool_run_unsynced(const struct strv *argv, const int *fds, size_t nfds, int64_t now_s,
		      const char *package, struct error *err)
{
	autoclose int said = memfd_create("said", MFD_CLOEXEC);
	const struct tool t = { argv, fds, nfds, now_s, package, said, said, .unsynced = true };

	return said < 0 ? error_sys(err, -errno, "run %s", argv->items[0]) : run(&t, err);
}

/* A program that ends early says why itself; the pipe that broke says less. */
int tool_feed(const struct strv *argv, const int *fds, size_t nfds, int64_t now_s,
	      const char *package, tool_feed_fn feed, void *data, struct error *err)
{
	const struct sigaction ignore = { .sa_handler = SIG_IGN };
	autoclose int said = memfd_create("said", MFD_CLOEXEC);
	struct tool t = { argv, fds, nfds, now_s, package, said, said };
	struct sigaction before;
	int ends[2], r, fed;
	pid_t pid;

	if (said < 0 || pipe2(ends, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "run %s", argv->items[0]);
	t.in = ends[0];
	pid = start(&t, err);
	(void)close(ends[0]);
	if (pid < 0) {
		(void)close(ends[1]);
		return pid;
	}
	(void)sigaction(SIGPIPE, &ignore, &before);
	fed = feed(data, ends[1], err);
	(void)close(ends[1]);
	(void)sigaction(SIGPIPE, &before, NULL);
	r = finish(&t, pid, fed < 0 && fed != -EPIPE ? NULL : err);
	return fed < 0 && fed != -EPIPE ? fed : r;
}

int tool_write(const struct strv *argv, const int *fds, size_t nfds, int64_t now_s,
	       const char *package, int out, struct error *err)
{
	autoclose int said = memfd_create("said", MFD_CLOEXEC);
	struct tool t = { argv, fds, nfds, now_s, package, out, said };
	struct statvfs room;

	if (said < 0)
		return error_sys(err, -errno, "run %s", argv->items[0]);
	/* Some kilobytes of a packed file can be terabytes of zeros. */
	if (fstatvfs(out, &room) == 0)
		t.room = (rlim_t)room.f_bavail * room.f_frsize / 2;
	return run(&t, err);
}

int tool_output(const struct strv *argv, const int *fds, size_t nfds, const char *package,
		char **ret, struct error *err)
{
	autoclose int said = memfd_create("said", MFD_CLOEXEC);
	autoclose int out = memfd_create("output", MFD_CLOEXEC);
	const struct tool t = { argv, fds, nfds, 0, package, out, said };
	int r = said < 0 || out < 0 ? error_sys(err, -errno, "run %s", argv->items[0])
				    : run(&t, err);

	if (r < 0)
		return r;
	if (lseek(out, 0, SEEK_SET) < 0)
		return error_sys(err, -errno, "read what %s says", argv->items[0]);
	return file_read_fd(out, argv->items[0], TOOL_OUTPUT_MAX, ret, NULL, err);
}
