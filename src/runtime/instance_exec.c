/* src/runtime/instance_exec.c - another process in a container that runs. */
#include <fcntl.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/explain.h"
#include "base/process.h"
#include "runtime/launch.h"
#include "runtime/setup.h"

struct join {
	const struct instance_exec_request *req;
	struct cgroup cgroup;
	struct seccomp_program seccomp;
	int target;         /* pidfd of the container's first process */
	int console_socket; /* in the child */
	int flags;          /* the namespaces it has of its own */
};

static int own_namespaces(const struct spec *spec)
{
	int flags = 0;

	for (size_t i = 0; i < spec->nnamespaces; i++)
		flags |= spec->namespaces[i].flag;
	return flags;
}

static void narrate_exec(const struct join *j)
{
	static const struct {
		int flag;
		const char *option;
	} options[] = {
		{ CLONE_NEWUSER, "--user" },     { CLONE_NEWNS, "--mount" },
		{ CLONE_NEWUTS, "--uts" },       { CLONE_NEWIPC, "--ipc" },
		{ CLONE_NEWNET, "--net" },       { CLONE_NEWPID, "--pid" },
		{ CLONE_NEWCGROUP, "--cgroup" },
	};
	struct buf line = BUF_INIT(1024);

	if (explain_mode() == EXPLAIN_OFF)
		return;
	explain_name("id", j->req->id);
	cgroup_narrate(&j->cgroup, "another process in the same control groups");
	(void)explain("counted and limited with it",
		      "for d in $groups; do echo 0 > $d/cgroup.procs || exit; done");
	buf_addf(&line, "nsenter --target %d", j->req->pid);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++)
		if (j->flags & options[i].flag)
			buf_addf(&line, " %s", options[i].option);
	identity_narrate_exec(j->req->process, buf_text(&line));
	buf_done(&line);
}

static _Noreturn void exec_child(struct join *j, int sync)
{
	const struct spec_process *p = j->req->process;
	struct error err = { 0 };
	int r = 0;

	if (setsid() < 0)
		r = error_sys(&err, -errno, "start a session");
	if (r == 0 && p->terminal)
		r = console_open(p, j->console_socket, NULL, &err);
	if (r == 0)
		r = identity_stdio(NULL, j->req->preserve_fds, p->uid, &err);
	child_reset_signals();
	if (r == 0)
		r = identity_take(p, &j->seccomp, &err);
	if (r == 0)
		ignore_result(launch_program(p, &j->seccomp, sync, &err));
	child_fail(sync, &err);
}

/* Behind the preserved descriptors: those for the child, and all others closed. */
static int exec_descriptors(struct join *j, int sync, int pid_pipe, int ret[3], struct error *err)
{
	const int given[3] = { sync, j->req->console_socket, pid_pipe };
	const int first = 3 + j->req->preserve_fds;
	int moved[3];

	for (int i = 0; i < 3; i++) {
		moved[i] = given[i] < 0 ? -1 : fcntl(given[i], F_DUPFD_CLOEXEC, first + 3);
		if (given[i] >= 0 && moved[i] < 0)
			return error_sys(err, -errno, "keep descriptor %d", given[i]);
	}
	for (int i = 0; i < 3; i++) {
		ret[i] = first + i;
		if (moved[i] >= 0 && dup3(moved[i], ret[i], O_CLOEXEC) < 0)
			return error_sys(err, -errno, "keep descriptor %d", given[i]);
		if (moved[i] < 0)
			(void)close(ret[i]);
	}
	return syscall(SYS_close_range, first + 3, ~0U, 0) < 0
		       ? error_sys(err, -errno, "close our own descriptors")
		       : 0;
}

/* Joins everything and then makes the child, which so is born with the container's files around it
 * and with no descriptor of ours: one in the container with CAP_SYS_PTRACE looks at it from its
 * first instruction.  With CLONE_PARENT it is our parent's child.
 */
static _Noreturn void exec_enter(struct join *j, int sync, int pid_pipe)
{
	const struct spec_process *p = j->req->process;
	struct clone_args child = { .flags = CLONE_PARENT };
	struct error err = { 0 };
	int stdio[3], fds[3] = { sync, -1, pid_pipe }, r = cgroup_join_v1(&j->cgroup, &err);
	pid_t pid = -1;

	if (r == 0)
		r = identity_prepare(p, &err);
	if (r == 0)
		r = identity_null(j->req->stdio, stdio, &err);
	if (r == 0 && setns(j->target, j->flags) < 0)
		r = error_sys(&err, -errno, "join the container's namespaces");
	if (r == 0 && !p->terminal)
		r = identity_stdio(stdio, j->req->preserve_fds, p->uid, &err);
	if (r == 0)
		r = exec_descriptors(j, sync, pid_pipe, fds, &err);
	j->console_socket = fds[1];
	if (r == 0) {
		pid = (pid_t)syscall(SYS_clone3, &child, sizeof(child));
		if (pid == 0) {
			(void)close(fds[2]);
			exec_child(j, fds[0]);
		}
		if (pid < 0)
			r = error_sys(&err, -errno, "make a process in the container");
	}
	if (r < 0)
		child_fail(fds[0], &err);
	_exit(write(fds[2], &pid, sizeof(pid)) == (ssize_t)sizeof(pid) ? 0 : 1);
}

/* The pid that exec_enter() tells; 0 if it failed, for which the socket has the reason. */
static int exec_pid(int pid_pipe, pid_t enter)
{
	pid_t pid = 0;

	if (TEMP_FAILURE_RETRY(read(pid_pipe, &pid, sizeof(pid))) != (ssize_t)sizeof(pid))
		pid = 0;
	(void)TEMP_FAILURE_RETRY(waitpid(enter, NULL, 0));
	return pid;
}

/* /proc/PID of what we clone must be shut from its beginning: it inherits that from us. */
static int exec_spawn(struct join *j, int sockets[2], struct instance *inst, struct error *err)
{
	int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
	int pid_pipe[2], enter_pidfd = -1, r;

	if (pipe2(pid_pipe, O_CLOEXEC) < 0)
		return error_sys(err, -errno, "make a pipe to the new process");
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	r = instance_clone(&j->cgroup, 0, &enter_pidfd);
	if (r == 0)
		exec_enter(j, sockets[1], pid_pipe[1]);
	(void)prctl(PR_SET_DUMPABLE, dumpable == 1, 0, 0, 0);
	(void)close(pid_pipe[1]);
	if (r > 0) {
		(void)close(enter_pidfd);
		inst->pid = exec_pid(pid_pipe[0], r);
		r = 0;
	} else {
		(void)error_sys(err, r, "make a process in the container");
	}
	(void)close(pid_pipe[0]);
	if (r == 0 && inst->pid > 0) {
		inst->pidfd = (int)syscall(SYS_pidfd_open, inst->pid, 0);
		r = inst->pidfd < 0 ? error_sys(err, -errno, "watch the new process") : 0;
	}
	return r;
}

static int exec_go(struct join *j, struct instance *inst, struct error *err)
{
	int sockets[2], r;

	narrate_exec(j);
	if (explain_dry())
		return 0;
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return error_sys(err, -errno, "make a socket to the new process");
	r = exec_spawn(j, sockets, inst, err);
	(void)close(sockets[1]);
	if (r == 0) {
		struct error said = { 0 };
		int got = error_receive(sockets[0], &said);

		if (got != 0 && err)
			*err = said;
		r = got == 0 ? 0 : got < 0 ? got : said.code;
	}
	(void)close(sockets[0]);
	if (r < 0)
		instance_abandon(inst);
	else
		ignore_result(process_start_time(inst->pid, &inst->start_time));
	return r;
}

int instance_exec(const struct instance_exec_request *req, struct instance *ret, struct error *err)
{
	struct join j = { .req = req, .target = -1, .flags = own_namespaces(req->spec) };
	struct instance inst = INSTANCE_INIT;
	int r;

	r = process_open(req->pid, req->start_time, &j.target);
	if (r < 0)
		return error_set(err, r, "the container does not run");
	r = instance_cgroup(req->spec, req->id, &j.cgroup, err);
	if (r == 0 && cgroup_is_frozen(&j.cgroup))
		r = error_set(err, -EBUSY, "the container is paused");
	if (r == 0 && req->spec->seccomp)
		r = seccomp_prepare(req->spec->seccomp, req->cache_dir, &j.seccomp, err);
	if (r == 0)
		r = exec_go(&j, &inst, err);
	cgroup_close(&j.cgroup);
	seccomp_program_done(&j.seccomp);
	(void)close(j.target);
	if (r < 0)
		instance_done(&inst);
	else
		*ret = inst;
	return r;
}
