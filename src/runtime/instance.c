/* src/runtime/instance.c - the parent's side: cgroup, clone, and the talk with the child.
 *
 * Parent and child share one SOCK_SEQPACKET pair.  The child sends struct errors, one with code 0
 * meaning "so far so good"; the parent sends single bytes meaning "go on".  The last "so far so
 * good" is the barrier; after the last byte the end of the stream means that the program was
 * executed.
 */
#include "runtime/instance.h"

#include <fcntl.h>
#include <linux/sched.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/process.h"
#include "runtime/setup.h"
#include "runtime/state_text.h"

#define MAPS_BYTES_MAX (SPEC_MAPS_MAX * 40U)

/* What every container may open, as all engines have it: null, zero, full, random, urandom, tty,
 * console, ptmx, ptys; and make any node, which is no access.
 */
static const struct cgroup_device_rule default_rules[] = {
	{ true, 'c', -1, -1, "m" }, { true, 'b', -1, -1, "m" },    { true, 'c', 1, 3, "rwm" },
	{ true, 'c', 1, 5, "rwm" }, { true, 'c', 1, 7, "rwm" },    { true, 'c', 1, 8, "rwm" },
	{ true, 'c', 1, 9, "rwm" }, { true, 'c', 5, 0, "rwm" },    { true, 'c', 5, 1, "rwm" },
	{ true, 'c', 5, 2, "rwm" }, { true, 'c', 136, -1, "rwm" },
};

static bool allows_all(const struct cgroup_device_rule *rule)
{
	return rule->allow && rule->type == 'a';
}

/* The defaults go between the document's "deny all" and what it allows itself.  A document without
 * a list gets none but those and the devices that it has made.
 */
static size_t device_rules(const struct spec *spec, struct cgroup_device_rule *ret)
{
	static const struct cgroup_device_rule deny_all = { false, 'a', -1, -1, "rwm" };
	const struct cgroup_limits *l = &spec->limits;
	size_t at = 0;

	ret[at++] = l->ndevices ? l->devices[0] : deny_all;
	memcpy(ret + at, default_rules, sizeof(default_rules));
	at += ARRAY_SIZE(default_rules);
	for (size_t i = 1; i < l->ndevices; i++)
		ret[at++] = l->devices[i];
	for (size_t i = 0; i < spec->ndevices && l->ndevices == 0; i++)
		ret[at++] = (struct cgroup_device_rule) {
			.allow = true,
			.type = S_ISBLK(spec->devices[i].mode) ? 'b' : 'c',
			.major = spec->devices[i].major,
			.minor = spec->devices[i].minor,
			.access = "rwm",
		};
	return at;
}

static int set_limits(const struct setup *s, struct error *err)
{
	struct cgroup_limits all = s->spec->limits;
	size_t n = all.ndevices;
	int r;

	if (n == 0 || !allows_all(&all.devices[n - 1])) {
		all.devices = xcalloc(n + s->spec->ndevices + ARRAY_SIZE(default_rules) + 1,
				      sizeof(*all.devices));
		all.ndevices = device_rules(s->spec, all.devices);
	}
	r = cgroup_limit(&s->cgroup, &all, err);
	if (all.devices != s->spec->limits.devices)
		free(all.devices);
	return r;
}

static char *cgroup_path(const struct spec *spec, const char *id)
{
	if (!spec->cgroups_path || !spec->cgroups_path[0])
		return xasprintf("/strake/%s", id);
	return spec->cgroups_path[0] == '/' ? xstrdup(spec->cgroups_path)
					    : xasprintf("/%s", spec->cgroups_path);
}

static int prepare(struct setup *s, struct error *err)
{
	autofree char *path = cgroup_path(s->spec, s->req->id);
	int r = host_guard(s->spec, err);

	if (r == 0 && s->spec->seccomp)
		r = seccomp_prepare(s->spec->seccomp, explain_dry() ? NULL : s->req->cache_dir,
				    &s->seccomp, err);
	if (r == 0)
		r = cgroup_create(path, &s->cgroup, err);
	if (r < 0)
		return r;
	r = set_limits(s, err);
	if (r < 0)
		ignore_result(cgroup_remove(&s->cgroup, NULL));
	return r;
}

static void setup_done(struct setup *s)
{
	cgroup_close(&s->cgroup);
	seccomp_program_done(&s->seccomp);
}

/* narration of the clone */

static void narrate_clone(const struct setup *s)
{
	static const struct {
		int flag;
		const char *option;
	} options[] = {
		{ CLONE_NEWNS, "--mount --propagation unchanged" },
		{ CLONE_NEWUTS, "--uts" },
		{ CLONE_NEWIPC, "--ipc" },
		{ CLONE_NEWNET, "--net" },
		{ CLONE_NEWPID, "--pid --fork" },
		{ CLONE_NEWCGROUP, "--cgroup" },
		{ CLONE_NEWUSER, "--user" },
	};
	struct buf join = BUF_INIT(MAPS_BYTES_MAX), fresh = BUF_INIT(MAPS_BYTES_MAX);
	const char *path;

	if (explain_mode() == EXPLAIN_OFF)
		return;
	explain_name("root", s->spec->root);
	for (size_t i = 0; i < ARRAY_SIZE(options); i++) {
		if (!spec_namespace_find(s->spec, options[i].flag, &path))
			continue;
		if (path)
			buf_addf(&join, "nsenter %.*s=%s ", (int)strcspn(options[i].option, " "),
				 options[i].option, sq(path));
		else
			buf_addf(&fresh, " %s", options[i].option);
	}
	(void)explain_begin(
		"CONTAINER", "a process in its cgroups and in namespaces of its own",
		"%sfor d in $groups; do echo 0 > $d/cgroup.procs || exit; done; exec %sunshare%s",
		explain_dry() ? "(" : "", buf_text(&join), buf_text(&fresh));
	buf_done(&join);
	buf_done(&fresh);
}

/* clone */

static uint64_t clone_flags(const struct spec *spec)
{
	uint64_t flags = 0;

	for (size_t i = 0; i < spec->nnamespaces; i++)
		if (!spec->namespaces[i].path && spec->namespaces[i].flag != CLONE_NEWCGROUP)
			flags |= (uint64_t)spec->namespaces[i].flag;
	return flags;
}

int instance_clone(const struct cgroup *cg, uint64_t flags, int *ret_pidfd)
{
	int into = cgroup_v2_fd(cg);
	struct clone_args args = {
		.flags = flags | CLONE_PIDFD | (into >= 0 ? CLONE_INTO_CGROUP : 0),
		.pidfd = (uint64_t)(uintptr_t)ret_pidfd,
		.exit_signal = SIGCHLD,
		.cgroup = (uint64_t)(into >= 0 ? into : 0),
	};

	long pid = syscall(SYS_clone3, &args, sizeof(args));

	return pid < 0 ? -errno : (int)pid;
}

/* Joining a pid namespace concerns children only, so the parent does it and comes back. */
struct pid_visit {
	int home;
};

static int visit_pid_namespace(const char *path, struct pid_visit *visit, struct error *err)
{
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);

	visit->home = open("/proc/self/ns/pid", O_RDONLY | O_CLOEXEC);
	if (fd < 0 || visit->home < 0 || setns(fd, CLONE_NEWPID) < 0)
		return error_sys(err, -errno, "join namespace %s", path);
	return 0;
}

static void leave_pid_namespace(struct pid_visit *visit)
{
	if (visit->home < 0)
		return;
	(void)setns(visit->home, CLONE_NEWPID);
	(void)close(visit->home);
}

static int spawn(struct setup *s, int sockets[2], struct instance *inst, struct error *err)
{
	struct pid_visit visit = { .home = -1 };
	const char *path = NULL;
	int r = 0;

	if (spec_namespace_find(s->spec, CLONE_NEWPID, &path) && path)
		r = visit_pid_namespace(path, &visit, err);
	if (r == 0) {
		r = instance_clone(&s->cgroup, clone_flags(s->spec), &inst->pidfd);
		if (r == 0) {
			(void)close(sockets[0]);
			s->sync = sockets[1];
			child_main(s);
		}
		if (r < 0)
			(void)(r == -ENOSPC
				       ? error_set(err, r,
						   "make a process in new namespaces: there are "
						   "too many; sysctl user.max_*_namespaces")
				       : error_sys(err, r, "make a process in new namespaces"));
	}
	leave_pid_namespace(&visit);
	if (r < 0)
		return r;
	inst->pid = r;
	return 0;
}

/* the talk */

/* 0 when the child is fine so far. */
static int hear(int sock, const char *what, struct error *err)
{
	struct error said = { 0 };
	int r = error_receive(sock, &said);

	if (r < 0)
		return error_sys(err, r, "hear from the container's first process");
	if (r == 0)
		return error_set(err, -ECHILD, "the container's first process was killed while %s",
				 what);
	if (said.code == 0)
		return 0;
	if (err)
		*err = said;
	return said.code;
}

static int say_go(int sock)
{
	ssize_t n = send(sock, "g", 1, MSG_NOSIGNAL);

	return n == 1 ? 0 : -ECONNRESET;
}

static int write_map(pid_t pid, const char *file, const struct spec_map *maps, size_t n,
		     struct error *err)
{
	struct buf text = BUF_INIT(MAPS_BYTES_MAX);
	autofree char *path = xasprintf("/proc/%d/%s", pid, file);
	int r;

	for (size_t i = 0; i < n; i++)
		buf_addf(&text, "%u %u %u\n", maps[i].inside, maps[i].outside, maps[i].count);
	r = n ? file_put_at(AT_FDCWD, path, buf_text(&text), err) : 0;
	buf_done(&text);
	return r;
}

static int write_maps(const struct setup *s, const struct instance *inst, int sock,
		      struct error *err)
{
	const struct spec *spec = s->spec;
	int r;

	if (!spec_has_new(spec, CLONE_NEWUSER))
		return 0;
	r = hear(sock, "its namespaces were made", err);
	if (r == 0)
		r = write_map(inst->pid, "uid_map", spec->uid_maps, spec->nuid_maps, err);
	if (r == 0)
		r = write_map(inst->pid, "gid_map", spec->gid_maps, spec->ngid_maps, err);
	return r < 0 ? r : say_go(sock);
}

static int run_parent_hooks(const struct setup *s, const struct instance *inst, int sock,
			    struct error *err)
{
	const struct spec *spec = s->spec;
	autofree char *state = NULL;
	int r;

	if (spec->hooks[HOOK_PRESTART].n + spec->hooks[HOOK_CREATE_RUNTIME].n == 0)
		return 0;
	r = hear(sock, "its mounts were made", err);
	if (r < 0)
		return r;
	state = state_text(spec, s->req->id, s->req->bundle, "creating", inst->pid);
	r = hooks_run(spec, HOOK_PRESTART, state, err);
	if (r == 0)
		r = hooks_run(spec, HOOK_CREATE_RUNTIME, state, err);
	return r < 0 ? r : say_go(sock);
}

void instance_abandon(struct instance *inst)
{
	if (inst->pid <= 0)
		return;
	(void)kill(inst->pid, SIGKILL);
	(void)TEMP_FAILURE_RETRY(waitpid(inst->pid, NULL, 0));
	inst->pid = 0;
}

static int raise_child(struct setup *s, struct instance *inst, struct error *err)
{
	autoclose int ours = -1;
	int sockets[2], r;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, sockets) < 0)
		return error_sys(err, -errno, "make a socket to the container's first process");
	r = spawn(s, sockets, inst, err);
	(void)close(sockets[1]);
	ours = sockets[0];
	if (r == 0)
		r = write_maps(s, inst, ours, err);
	if (r == 0)
		r = run_parent_hooks(s, inst, ours, err);
	if (r == 0)
		r = hear(ours, "it was being built (its memory limit may be too small for that)",
			 err);
	if (r == 0) {
		r = process_start_time(inst->pid, &inst->start_time);
		if (r < 0)
			(void)error_sys(err, r, "read the start time of process %d", inst->pid);
	}
	if (r == 0 && s->req->listen_fd < 0)
		inst->start_fd = steal_fd(&ours);
	return r;
}

static void narrate_end(const struct setup *s)
{
	if (s->req->flags & INSTANCE_BACKGROUND) {
		(void)explain("in the background, where no monitor keeps its output",
			      ") < /dev/null > /dev/null 2>&1 &");
		return;
	}
	(void)explain("its exit status is the script's", ") || status=$?");
	(void)explain("nothing runs in its control groups any more", "rmdir $groups");
}

static int create_dry(struct setup *s, struct error *err)
{
	int r;

	if (!(s->req->flags & INSTANCE_BACKGROUND))
		(void)explain("from here on a signal is the container's, which ends or goes on",
			      "trap : HUP INT TERM");
	narrate_clone(s);
	r = child_build(s, err);
	if (r == 0 && s->spec->process)
		identity_narrate(s->spec, s->spec->process, &s->seccomp);
	explain_end("CONTAINER");
	narrate_end(s);
	return r;
}

int instance_create(const struct instance_request *req, struct instance *ret, struct error *err)
{
	struct setup s = { .req = req, .spec = req->spec, .proc_fd = -1, .sync = -1 };
	struct instance inst = INSTANCE_INIT;
	int r = prepare(&s, err);

	if (r == 0 && explain_dry()) {
		r = create_dry(&s, err);
		setup_done(&s);
		return r;
	}
	if (r == 0) {
		narrate_clone(&s);
		r = raise_child(&s, &inst, err);
		if (req->spec->process)
			identity_narrate(req->spec, req->spec->process, &s.seccomp);
		explain_end("CONTAINER");
		if (r < 0) {
			instance_abandon(&inst);
			ignore_result(cgroup_remove(&s.cgroup, NULL));
			instance_done(&inst);
		}
	}
	setup_done(&s);
	if (r == 0)
		*ret = inst;
	return r;
}

int instance_start_at(int sock, struct error *err)
{
	struct error said = { 0 };
	int r = say_go(sock);

	if (r < 0)
		return error_set(err, r, "the container's first process is gone");
	r = error_receive(sock, &said);
	if (r == 0)
		return 0;
	if (r < 0)
		return error_sys(err, r, "hear from the container's first process");
	if (err)
		*err = said;
	return said.code < 0 ? said.code : -EIO;
}

int instance_start(struct instance *inst, struct error *err)
{
	int r = instance_start_at(inst->start_fd, err);

	(void)close(inst->start_fd);
	inst->start_fd = -1;
	return r;
}

void instance_done(struct instance *inst)
{
	if (inst->pidfd >= 0)
		(void)close(inst->pidfd);
	if (inst->start_fd >= 0)
		(void)close(inst->start_fd);
	inst->pidfd = inst->start_fd = -1;
}

/* after its end */

int instance_cgroup(const struct spec *spec, const char *id, struct cgroup *ret, struct error *err)
{
	autofree char *path = cgroup_path(spec, id);

	return cgroup_open(path, ret, err);
}

int instance_cleanup(const struct spec *spec, const char *id, struct error *err)
{
	struct cgroup cg = { 0 };
	int r = instance_cgroup(spec, id, &cg, err);

	if (r == 0)
		r = cgroup_remove(&cg, err);
	cgroup_close(&cg);
	return r;
}

void instance_set_owner(const struct spec *spec, const char *id, const char *owner)
{
	struct cgroup cg = { 0 };

	if (instance_cgroup(spec, id, &cg, NULL) == 0)
		cgroup_set_owner(&cg, owner);
	cgroup_close(&cg);
}

int instance_kill_all(const struct spec *spec, const char *id, int sig, struct error *err)
{
	struct cgroup cg = { 0 };
	int r = instance_cgroup(spec, id, &cg, err);

	if (r == 0)
		r = cgroup_signal(&cg, sig, err);
	cgroup_close(&cg);
	return r;
}

int instance_freeze(const struct spec *spec, const char *id, bool frozen, struct error *err)
{
	struct cgroup cg = { 0 };
	int r = instance_cgroup(spec, id, &cg, err);

	if (r == 0)
		r = cgroup_freeze(&cg, frozen, err);
	cgroup_close(&cg);
	return r;
}

int instance_pids(const struct spec *spec, const char *id, pid_t **ret, size_t *ret_n,
		  struct error *err)
{
	struct cgroup cg = { 0 };
	int r = instance_cgroup(spec, id, &cg, err);

	if (r == 0)
		r = cgroup_pids(&cg, ret, ret_n, err);
	cgroup_close(&cg);
	return r;
}

bool instance_is_frozen(const struct spec *spec, const char *id)
{
	struct cgroup cg = { 0 };
	bool frozen = false;

	if (instance_cgroup(spec, id, &cg, NULL) == 0)
		frozen = cgroup_is_frozen(&cg);
	cgroup_close(&cg);
	return frozen;
}

bool instance_was_oom_killed(const struct spec *spec, const char *id)
{
	struct cgroup cg = { 0 };
	bool killed = false;

	if (instance_cgroup(spec, id, &cg, NULL) == 0)
		killed = cgroup_oom_kills(&cg) > 0;
	cgroup_close(&cg);
	return killed;
}

int instance_run_hooks(const struct spec *spec, int kind, const char *state, struct error *err)
{
	return hooks_run(spec, (enum spec_hook_kind)kind, state, err);
}
