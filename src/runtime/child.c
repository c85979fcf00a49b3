/* src/runtime/child.c - the process that becomes the container's first.
 *
 * It is a clone of its parent, and /proc/PID of it is shut by PR_SET_DUMPABLE; our own file is
 * never executed again, least of all by the container (CVE-2019-5736, launcher.c).
 */
#include <fcntl.h>
#include <linux/keyctl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/explain.h"
#include "runtime/launch.h"
#include "runtime/setup.h"
#include "runtime/state_text.h"

int child_report(int sync)
{
	const struct error fine = { 0 };

	return error_send(sync, &fine);
}

/* 0 when the parent said go, else it is gone. */
int child_wait(int sync)
{
	char byte;
	ssize_t n = TEMP_FAILURE_RETRY(read(sync, &byte, 1));

	return n == 1 ? 0 : -ECONNRESET;
}

_Noreturn void child_fail(int sync, const struct error *err)
{
	struct error copy = *err;

	if (copy.code == 0)
		copy.code = -EIO;
	(void)error_send(sync, &copy);
	_exit(err->status ? err->status : 1);
}

static int join_namespaces(const struct spec *spec, struct error *err)
{
	for (size_t i = 0; i < spec->nnamespaces; i++) {
		const struct spec_namespace *ns = &spec->namespaces[i];
		autoclose int fd = -1;

		if (!ns->path || ns->flag == CLONE_NEWPID)
			continue;
		fd = open(ns->path, O_RDONLY | O_CLOEXEC);
		if (fd < 0 || setns(fd, ns->flag) < 0)
			return error_sys(err, -errno, "join namespace %s", ns->path);
	}
	return 0;
}

static int set_names(const struct spec *spec, struct error *err)
{
	if (spec->hostname && !explain("what it is called", "hostname %s", sq(spec->hostname)) &&
	    sethostname(spec->hostname, strlen(spec->hostname)) < 0)
		return error_sys(err, -errno, "set host name %s", spec->hostname);
	if (spec->domainname &&
	    !explain("and in which domain", "domainname %s", sq(spec->domainname)) &&
	    setdomainname(spec->domainname, strlen(spec->domainname)) < 0)
		return error_sys(err, -errno, "set domain name %s", spec->domainname);
	return 0;
}

/* A session keyring of its own; not there in every kernel, and forbidden in nested containers. */
static int join_keyring(const struct setup *s, struct error *err)
{
	if (s->req->flags & INSTANCE_NO_NEW_KEYRING || explain_dry())
		return 0;
	if (syscall(SYS_keyctl, KEYCTL_JOIN_SESSION_KEYRING, s->req->id) < 0 && errno != ENOSYS &&
	    errno != EPERM && errno != EACCES && errno != EDQUOT)
		return error_sys(err, -errno, "make a session keyring");
	return 0;
}

static int run_hooks(const struct setup *s, enum spec_hook_kind kind, const char *status,
		     struct error *err)
{
	autofree char *state = NULL;

	if (s->spec->hooks[kind].n == 0)
		return 0;
	/* Our pid as the host knows it is not known in here: 0 would lie, the inner one is what it
	 * is. */
	state = state_text(s->spec, s->req->id, s->req->bundle, status, getpid());
	return hooks_run(s->spec, kind, state, err);
}

/* The parent runs its hooks while everything is mounted and nothing is entered. */
static int let_parent_run_hooks(const struct setup *s)
{
	if (explain_dry() ||
	    s->spec->hooks[HOOK_PRESTART].n + s->spec->hooks[HOOK_CREATE_RUNTIME].n == 0)
		return 0;
	if (child_report(s->sync) < 0)
		return -ECONNRESET;
	return child_wait(s->sync);
}

static int place_stdio(const struct setup *s, struct error *err)
{
	const struct spec_process *p = s->spec->process;
	int preserve = s->req->preserve_fds;

	if (explain_dry())
		return 0;
	if (setsid() < 0 && errno != EPERM)
		return error_sys(err, -errno, "start a session");
	if (!p)
		return 0;
	if (!p->terminal)
		return identity_stdio(s->stdio, preserve, p->uid, err);
	return console_open(p, s->req->console_socket, &s->root, err);
}

int child_build(struct setup *s, struct error *err)
{
	const struct spec_process *p = s->spec->process;
	int r;

	(void)umask(022); /* for what is made to mount on; the program gets its own */
	r = set_names(s->spec, err);
	if (r == 0)
		r = filesystem_build(s, err);
	if (r == 0)
		r = let_parent_run_hooks(s);
	if (r == 0)
		r = run_hooks(s, HOOK_CREATE_CONTAINER, "creating", err);
	if (r == 0 && p && !explain_dry())
		r = identity_prepare(p, err);
	if (r == 0 && p && !explain_dry())
		r = identity_null(s->req->stdio, s->stdio, err);
	if (r == 0)
		r = join_keyring(s, err);
	if (r == 0)
		r = filesystem_enter(s, err);
	return r < 0 ? r : place_stdio(s, err);
}

/* Signals as a new process has them, whatever our caller ignored or blocked. */
void child_reset_signals(void)
{
	const struct sigaction plain = { .sa_handler = SIG_DFL };
	sigset_t none;

	for (int sig = 1; sig < NSIG; sig++)
		(void)sigaction(sig, &plain, NULL);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
}

/* Descriptor 3 and up are for the program when descriptors are preserved: ours move out of the way.
 */
static int keep_above(int fd, int preserve)
{
	int moved = fcntl(fd, F_DUPFD_CLOEXEC, 3 + preserve);

	if (moved >= 0)
		(void)close(fd);
	return moved;
}

static int barrier(struct setup *s, int listen_fd, struct error *err)
{
	int sock;

	if (child_report(s->sync) < 0)
		_exit(1);
	if (listen_fd < 0)
		return child_wait(s->sync) < 0 ? -ECONNRESET : 0;
	sock = TEMP_FAILURE_RETRY(accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC));
	if (sock < 0)
		return error_sys(err, -errno, "wait for the start");
	(void)close(s->sync);
	s->sync = sock;
	return child_wait(s->sync);
}

static int become(struct setup *s, struct error *err)
{
	const struct spec_process *p = s->spec->process;
	int preserve = s->req->preserve_fds, r;

	if (!p)
		return error_set(err, -EINVAL, "config.json has no process to start");
	r = run_hooks(s, HOOK_START_CONTAINER, "created", err);
	if (r == 0)
		r = identity_stdio(NULL, preserve, p->uid, err);
	child_reset_signals();
	if (r == 0)
		r = identity_take(p, &s->seccomp, err);
	return r < 0 ? r : launch_program(p, &s->seccomp, s->sync, err);
}

_Noreturn void child_main(struct setup *s)
{
	struct error err = { 0 };
	int r, listen_fd = s->req->listen_fd;

	(void)prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
	s->sync = keep_above(s->sync, s->req->preserve_fds);
	r = cgroup_join_v1(&s->cgroup, &err);
	if (r == 0 && spec_has_new(s->spec, CLONE_NEWUSER)) {
		r = child_report(s->sync) < 0 ? -ECONNRESET : child_wait(s->sync);
		if (r == 0 && (setresgid(0, 0, 0) < 0 || setresuid(0, 0, 0) < 0))
			r = error_sys(&err, -errno, "become root of the user namespace");
	}
	if (r == 0)
		r = join_namespaces(s->spec, &err);
	/* After the join, or its root would be the group we come from. */
	if (r == 0 && spec_has_new(s->spec, CLONE_NEWCGROUP) && unshare(CLONE_NEWCGROUP) < 0)
		r = error_sys(&err, -errno, "make a cgroup namespace");
	if (r == 0)
		r = child_build(s, &err);
	/* A hook at the start may still bring it. */
	if (r == 0 && s->spec->process && s->spec->hooks[HOOK_START_CONTAINER].n == 0)
		r = launch_check(s->spec->process, &err);
	if (r == 0)
		r = barrier(s, listen_fd, &err);
	if (r == 0)
		r = become(s, &err);
	if (r == -ECONNRESET && err.code == 0)
		_exit(1);
	child_fail(s->sync, &err);
}
