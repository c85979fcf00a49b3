/* src/lab/keeper.c */
#include "lab/keeper.h"

#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "base/process.h"
#include "base/strv.h"
#include "lab/enter.h"
#include "lab/name_server.h"
#include "lab/names.h"
#include "lab/relay.h"

#define END_MS 10000 /* a killed process is gone at once, unless the kernel is stuck */

static void reap(void)
{
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
}

/* One command of a node, in its place among the others. */
static int run_one(const struct raised *raised, size_t node, const char *dir, const char *command,
		   struct error *err)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)command, NULL };
	const struct node *n = &raised->topology->nodes[node];
	autofree char *hosts = lab_names_hosts(dir, n), *resolv = lab_names_resolv(dir, n);
	const struct entering to = {
		.netns_fd = raised->ns[node].fd, .node = n->name, .hosts = hosts, .resolv = resolv
	};
	int status = 0;
	pid_t pid = fork();

	if (pid < 0)
		return error_sys(err, -errno, "start a command of %s", to.node);
	if (pid == 0)
		enter_and_exec(&to, argv);
	if (TEMP_FAILURE_RETRY(waitpid(pid, &status, 0)) < 0)
		return error_sys(err, -errno, "wait for a command of %s", to.node);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return 0;
	return error_set(err, -ECHILD, "node %s: '%.200s' ended with status %d", to.node, command,
			 WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status));
}

static int run_commands(const struct raised *raised, const char *dir, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < raised->topology->n_nodes; i++) {
		const struct strv *run = &raised->topology->nodes[i].run;

		for (size_t k = 0; r == 0 && k < run->n; k++)
			r = run_one(raised, i, dir, run->items[k], err);
	}
	return r;
}

/* What the commands of a lab print is for the one who raises it, not for the script that reads our
 * standard output.
 */
static void detach_output(void)
{
	int nothing = open("/dev/null", O_RDWR | O_CLOEXEC);

	(void)dup2(nothing, STDIN_FILENO);
	(void)dup2(STDERR_FILENO, STDOUT_FILENO);
}

static void detach_rest(void)
{
	(void)dup2(STDIN_FILENO, STDOUT_FILENO);
	(void)dup2(STDIN_FILENO, STDERR_FILENO);
}

static void live(int go)
{
	struct pollfd waiting = { .fd = go, .events = POLLIN };
	char word = 0;
	sigset_t set;

	/* One that asked for no lab any more has closed its end without a word. */
	if (TEMP_FAILURE_RETRY(poll(&waiting, 1, -1)) < 0 || read(go, &word, 1) != 1)
		_exit(1);
	(void)close(go);
	detach_rest();
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	/* No other signal than SIGKILL from outside reaches the first process of a namespace. */
	for (;;) {
		(void)sigwaitinfo(&set, NULL);
		reap();
	}
}

static int compare(const void *a, const void *b)
{
	return *(const int *)a < *(const int *)b ? -1 : *(const int *)a > *(const int *)b;
}

/* Locks, sockets and whatever else the command has open are not for as long as the lab is up. */
static void keep_only(const struct raised *raised, int status, int go)
{
	size_t n = 0;
	autofree int *fds = xcalloc(raised->topology->n_nodes + 3, sizeof(*fds));
	int next = STDERR_FILENO + 1;

	for (size_t i = 0; i < raised->topology->n_nodes; i++)
		fds[n++] = raised->ns[i].fd;
	if (raised->behind_name)
		fds[n++] = raised->behind.fd;
	fds[n++] = status;
	fds[n++] = go;
	qsort(fds, n, sizeof(*fds), compare);
	for (size_t i = 0; i < n; i++) {
		if (fds[i] > next)
			(void)close_range((unsigned)next, (unsigned)fds[i] - 1, 0);
		next = fds[i] + 1;
	}
	(void)close_range((unsigned)next, ~0U, 0);
}

static _Noreturn void keep(const struct raised *raised, const char *dir, int status, int go)
{
	struct error err = { 0 };
	sigset_t set;

	(void)prctl(PR_SET_NAME, "strake-lab-keep");
	(void)setsid();
	(void)chdir("/");
	(void)sigemptyset(&set);
	(void)sigaddset(&set, SIGCHLD);
	(void)sigprocmask(SIG_BLOCK, &set, NULL);
	detach_output();
	keep_only(raised, status, go);
	if (relay_start(raised, &err) == 0 && name_servers_start(raised, dir, &err) == 0)
		(void)run_commands(raised, dir, &err);
	(void)error_send(status, &err);
	(void)close(status);
	if (err.code < 0)
		_exit(1);
	live(go);
	_exit(0);
}

/* What "ip netns exec" finds below /etc/netns it puts into /etc. */
static void dry_file(const char *why, const char *name, const char *file, const struct buf *text)
{
	(void)explain(why, "mkdir -p /etc/netns/%s; printf %%s %s >/etc/netns/%s/%s", sq(name),
		      sq(buf_text(text)), sq(name), file);
}

static void dry_names(const struct raised *raised)
{
	const struct topology *t = raised->topology;

	for (size_t i = 0; i < t->n_nodes; i++) {
		const struct node *n = &t->nodes[i];
		cleanup(buf_done) struct buf hosts = BUF_INIT(NAMES_MAX),
					     servers = BUF_INIT(NAMES_MAX);

		if (!n->dns && !n->n_resolvers)
			continue;
		lab_names_put_hosts(t, n, &hosts);
		lab_names_put_resolv(n, &servers);
		dry_file(n->dns ? "the names that it knows" : "it knows itself alone",
			 raised->names[i], "hosts", &hosts);
		if (n->n_resolvers)
			dry_file("whom it asks for other names", raised->names[i], "resolv.conf",
				 &servers);
		if (n->dns)
			(void)explain(
				"a name server",
				"ip netns exec %s dnsmasq --no-resolv --user=root --pid-file=",
				sq(raised->names[i]));
	}
}

static void dry_commands(const struct raised *raised)
{
	dry_names(raised);
	for (size_t i = 0; i < raised->topology->n_nodes; i++) {
		const struct strv *run = &raised->topology->nodes[i].run;

		for (size_t k = 0; k < run->n; k++)
			(void)explain(k == 0 ? "what the file says is run there" : NULL,
				      "ip netns exec %s sh -c %s", sq(raised->names[i]),
				      sq(run->items[k]));
	}
}

/* A process namespace is entered by children alone, so ours is put back. */
static pid_t fork_init(struct error *err)
{
	autoclose int home = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	pid_t pid;

	if (home < 0 || unshare(CLONE_NEWPID) < 0)
		return error_sys(err, -errno, "make a process namespace for the lab");
	pid = fork();
	if (pid < 0)
		return error_sys(err, -errno, "start the lab's keeper");
	if (pid > 0 && setns(home, CLONE_NEWPID) < 0)
		abort(); /* the next child would be in the lab */
	return pid;
}

int keeper_start(const struct raised *raised, const char *dir, struct keeper *ret,
		 struct error *err)
{
	autoclose int heard = -1, said = -1, go = -1, gone = -1;
	struct error first = { 0 };
	int status[2], pipe[2];
	int r;
	pid_t pid;

	dry_commands(raised);
	if (explain_dry())
		return 0;
	if (pipe2(status, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make a pipe");
	heard = status[0];
	said = status[1];
	if (pipe2(pipe, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make a pipe");
	go = pipe[0];
	gone = pipe[1];
	pid = fork_init(err);
	if (pid < 0)
		return (int)pid;
	if (pid == 0) {
		(void)close(steal_fd(&heard));
		(void)close(steal_fd(&gone));
		keep(raised, dir, said, go);
	}
	*ret = (struct keeper) { .pid = pid, .pipe = steal_fd(&gone) };
	(void)close(steal_fd(&said));
	r = error_receive(heard, &first);
	if (r == 1 && first.code == 0)
		return 0;
	if (r == 1)
		*err = first;
	else
		(void)error_set(err, -ECHILD, "the lab's keeper ended without a word");
	return err->code;
}

int keeper_commit(struct keeper *keeper, struct error *err)
{
	if (explain_dry())
		return 0;
	if (write(keeper->pipe, "g", 1) != 1)
		return error_sys(err, -errno, "tell the lab's keeper to stay");
	(void)close(steal_fd(&keeper->pipe));
	keeper->pid = -1;
	return 0;
}

void keeper_done(struct keeper *keeper)
{
	if (keeper->pipe >= 0)
		(void)close(keeper->pipe);
	if (keeper->pid > 0) {
		(void)kill(keeper->pid, SIGKILL);
		(void)TEMP_FAILURE_RETRY(waitpid(keeper->pid, NULL, 0));
	}
	*keeper = KEEPER_INIT;
}

int keeper_end(pid_t pid, uint64_t start_time, struct error *err)
{
	autoclose int pidfd = -1;
	struct pollfd end = { .events = POLLIN };
	int r = process_open(pid, start_time, &pidfd);

	if (r < 0)
		return r == -ESRCH ? r : error_sys(err, r, "open process %d", pid);
	if (pidfd_send_signal(pidfd, SIGKILL, NULL, 0) < 0 && errno != ESRCH)
		return error_sys(err, -errno, "end the lab's keeper, process %d", pid);
	end.fd = pidfd;
	if (TEMP_FAILURE_RETRY(poll(&end, 1, END_MS)) <= 0)
		return error_set(err, -ETIMEDOUT, "the lab's keeper, process %d, does not end",
				 pid);
	return 0;
}
