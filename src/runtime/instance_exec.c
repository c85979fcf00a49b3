/* src/runtime/instance_exec.c - another process in a container that runs. */
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/sched.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
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
	int target; /* pidfd of the container's first process */
	int flags;  /* the namespaces it has of its own */
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
	identity_narrate_exec(
		j->req->process, buf_text(&line),
		(j->req->flags & INSTANCE_DETACHED ? NARRATE_EXEC_DETACHED : NARRATE_EXEC_PLAIN) |
			(j->flags & CLONE_NEWUSER ? NARRATE_EXEC_MAPPED : NARRATE_EXEC_PLAIN));
	buf_done(&line);
}

/* Before it is made, outside: its terminal or its descriptors. */
static int exec_stdio(const struct join *j, const int stdio[3], struct error *err)
{
	const struct spec_process *p = j->req->process;
	int r = 0;

	if (p->terminal)
		r = console_open(p, j->req->console_socket, NULL, err);
	return r < 0 ? r
		     : identity_stdio(p->terminal ? NULL : stdio, j->req->preserve_fds, p->uid,
				      err);
}

/* Behind the preserved descriptors: those for the errors and for the pid, and all others closed. */
static int exec_descriptors(const struct join *j, int fds[2], struct error *err)
{
	const int first = 3 + j->req->preserve_fds;
	int moved[2];

	for (int i = 0; i < 2; i++) {
		moved[i] = fcntl(fds[i], F_DUPFD_CLOEXEC, first + 2);
		if (moved[i] < 0)
			return error_sys(err, -errno, "keep descriptor %d", fds[i]);
	}
	for (int i = 0; i < 2; i++) {
		fds[i] = dup3(moved[i], first + i, O_CLOEXEC);
		if (fds[i] < 0)
			return error_sys(err, -errno, "keep descriptor %d", moved[i]);
	}
	return syscall(SYS_close_range, first + 2, ~0U, 0) < 0
		       ? error_sys(err, -errno, "close our own descriptors")
		       : 0;
}

/* Whether somebody in the container may look into each process there, and write to it. */
static bool may_trace(const struct join *j)
{
	const uint64_t trace = UINT64_C(1) << CAP_SYS_PTRACE;
	const struct spec_process *init = j->req->spec->process, *p = j->req->process;

	return !init || !init->has_capabilities || !p->has_capabilities ||
	       (init->capabilities.bounding | init->capabilities.permitted |
		p->capabilities.permitted | p->capabilities.bounding) &
		       trace;
}

static _Noreturn void exec_child(struct join *j, int sync)
{
	const struct spec_process *p = j->req->process;
	struct error err = { 0 };
	int r = 0;

	if (setsid() < 0)
		r = error_sys(&err, -errno, "start a session");
	if (r == 0 && p->terminal && ioctl(STDIN_FILENO, TIOCSCTTY, 0) < 0)
		r = error_sys(&err, -errno, "make the terminal the controlling one");
	if (r == 0)
		r = identity_take(p, &j->seccomp, &err);
	if (r == 0)
		ignore_result(launch_program(p, &j->seccomp, sync, &err));
	child_fail(sync, &err);
}

/* Where the launcher cannot make it: of ours, for a moment, in the container. */
static int exec_make(struct join *j, const int fds[2], struct error *err)
{
	struct clone_args child = { .flags = CLONE_PARENT };
	pid_t pid;

	if (may_trace(j))
		return error_set(
			err, -EPERM,
			"in a container with CAP_SYS_PTRACE this wants a filter that allows "
			"clone and execveat, and files in memory that may be executed "
			"(sysctl vm.memfd_noexec)");
	pid = (pid_t)syscall(SYS_clone3, &child, sizeof(child));
	if (pid == 0) {
		(void)close(fds[1]);
		exec_child(j, fds[0]);
	}
	if (pid < 0)
		return error_sys(err, -errno, "make a process in the container");
	_exit(write(fds[1], &pid, sizeof(pid)) == (ssize_t)sizeof(pid) ? 0 : 1);
}

/* Joins everything, takes away what the program shall not have, and only then is the process made:
 * one in the container with CAP_SYS_PTRACE reads and writes it from its first instruction, and
 * opens what it was executed from (CVE-2019-5736).  This one here is outside its pid namespace, so
 * nobody there sees it.  With CLONE_PARENT the new process is our parent's child.
 */
static _Noreturn void exec_enter(struct join *j, int sync, int pid_socket)
{
	const struct spec_process *p = j->req->process;
	int stdio[3], fds[2] = { sync, pid_socket };
	struct error err = { 0 };
	int r = cgroup_join_v1(&j->cgroup, &err);

	if (r == 0)
		r = identity_prepare(p, &err);
	if (r == 0)
		r = identity_null(j->req->stdio, stdio, &err);
	if (r == 0 && setns(j->target, j->flags) < 0)
		r = error_sys(&err, -errno, "join the container's namespaces");
	if (r == 0)
		r = exec_stdio(j, stdio, &err);
	if (r == 0)
		r = exec_descriptors(j, fds, &err);
	child_reset_signals();
	if (r == 0 && !launch_can_bear(p, &j->seccomp))
		r = exec_make(j, fds, &err);
	if (r == 0)
		r = identity_take(p, &j->seccomp, &err);
	if (r == 0)
		ignore_result(launch_bear(p, &j->seccomp, fds[0], fds[1], &err));
	child_fail(fds[0], &err);
}

/* The pid as exec_enter() tells it, by then gone; 0 if it failed, for which the other socket has
 * the reason.  The new process holds the socket for a moment, too, so the kernel says who speaks.
 */
static pid_t exec_pid(int pid_socket, pid_t enter)
{
	union {
		char bytes[CMSG_SPACE(sizeof(struct ucred))];
		struct cmsghdr align;
	} control;
	pid_t pid;

	(void)TEMP_FAILURE_RETRY(waitpid(enter, NULL, 0));
	for (;;) {
		struct iovec part = { &pid, sizeof(pid) };
		struct msghdr msg = { .msg_iov = &part,
				      .msg_iovlen = 1,
				      .msg_control = control.bytes,
				      .msg_controllen = sizeof(control.bytes) };
		ssize_t n = TEMP_FAILURE_RETRY(recvmsg(pid_socket, &msg, MSG_DONTWAIT));
		const struct cmsghdr *c = n < 0 ? NULL : CMSG_FIRSTHDR(&msg);
		struct ucred who = { 0 };

		if (n <= 0)
			return 0;
		if (c && c->cmsg_type == SCM_CREDENTIALS)
			memcpy(&who, CMSG_DATA(c), sizeof(who));
		if (who.pid == enter && n == (ssize_t)sizeof(pid))
			return pid;
	}
}

static int pid_sockets(int ret[2], struct error *err)
{
	const int on = 1;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, ret) < 0 ||
	    setsockopt(ret[0], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) < 0)
		return error_sys(err, -errno, "make a socket to the new process");
	return 0;
}

/* /proc/PID of what we clone must be shut from its beginning: it inherits that from us. */
static int exec_spawn(struct join *j, int sockets[2], struct instance *inst, struct error *err)
{
	int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
	int pair[2], enter_pidfd = -1, r = pid_sockets(pair, err);

	if (r < 0)
		return r;
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	r = instance_clone(&j->cgroup, 0, &enter_pidfd);
	if (r == 0)
		exec_enter(j, sockets[1], pair[1]);
	(void)prctl(PR_SET_DUMPABLE, dumpable == 1, 0, 0, 0);
	(void)close(pair[1]);
	if (r > 0) {
		(void)close(enter_pidfd);
		inst->pid = exec_pid(pair[0], r);
		r = 0;
	} else {
		(void)error_sys(err, r, "make a process in the container");
	}
	(void)close(pair[0]);
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
