/* src/runtime/instance_exec.c - another process in a container that runs. */
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/explain.h"
#include "base/process.h"
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
	(void)explain(NULL, "for d in $groups; do echo 0 > $d/cgroup.procs || exit; done");
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
	int r = cgroup_join_v1(&j->cgroup, &err);

	if (r == 0)
		r = identity_prepare(p, &err);
	if (r == 0 && setns(j->target, j->flags & ~CLONE_NEWPID) < 0)
		r = error_sys(&err, -errno, "join the container's namespaces");
	if (r == 0 && setsid() < 0)
		r = error_sys(&err, -errno, "start a session");
	if (r == 0)
		r = p->terminal ? console_open(p, j->req->console_socket, NULL, &err)
				: identity_stdio(j->req->stdio, j->req->preserve_fds, p->uid, &err);
	if (r == 0 && p->terminal)
		r = identity_stdio(NULL, j->req->preserve_fds, p->uid, &err);
	child_reset_signals();
	if (r == 0)
		r = identity_take(p, &j->seccomp, &err);
	if (r == 0)
		ignore_result(identity_exec(p, &err));
	child_fail(sync, &err);
}

/* The child is in the container's pid namespace from its first instruction, so /proc/PID/exe of it
 * must be shut before: it inherits that from us.
 */
static int exec_spawn(struct join *j, int sockets[2], struct instance *inst, struct error *err)
{
	int home = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	int dumpable = prctl(PR_GET_DUMPABLE, 0, 0, 0, 0);
	int r = 0;

	if (home < 0 || (j->flags & CLONE_NEWPID && setns(j->target, CLONE_NEWPID) < 0))
		r = error_sys(err, -errno, "join the container's pid namespace");
	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	if (r == 0) {
		r = instance_clone(&j->cgroup, 0, &inst->pidfd);
		if (r == 0) {
			int preserve = j->req->preserve_fds;

			(void)close(sockets[0]);
			exec_child(j, fcntl(sockets[1], F_DUPFD_CLOEXEC, 3 + preserve));
		}
		if (r < 0)
			(void)error_sys(err, r, "make a process in the container");
	}
	(void)prctl(PR_SET_DUMPABLE, dumpable == 1, 0, 0, 0);
	if (home >= 0) {
		(void)setns(home, CLONE_NEWPID);
		(void)close(home);
	}
	if (r < 0)
		return r;
	inst->pid = r;
	return 0;
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
