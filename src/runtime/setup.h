/* src/runtime/setup.h - what the files that build one container share; for this folder only.
 *
 * The order, in the child unless said otherwise:
 *
 *	instance.c, host_guard.c  (parent) cgroup, limits, clone
 *	child.c	       joins namespaces and v1 cgroups, calls the others, waits at the barrier
 *	filesystem.c   root, mounts, devices, sysctls, masks, pivot
 *	console.c      the pty
 *	identity.c     limits of the process, user, capabilities, seccomp, the program
 */
#ifndef RUNTIME_SETUP_H
#define RUNTIME_SETUP_H

#include "base/error.h"
#include "kernel/cgroup.h"
#include "kernel/rootdir.h"
#include "kernel/seccomp.h"
#include "runtime/instance.h"
#include "runtime/spec.h"

struct setup {
	const struct instance_request *req;
	const struct spec *spec;
	struct cgroup cgroup;
	struct seccomp_program seccomp;
	struct rootdir root; /* once it is mounted */
	int proc_fd;  /* the container's own procfs, before anything was mounted over it; or -1 */
	int sync;     /* the child's end to its parent */
	int stdio[3]; /* of the request, or what identity_null() made of it */
};

/* -EINVAL if the specification would set a parameter or a name of this host; before the clone. */
int host_guard(const struct spec *spec, struct error *err) must_check;

int filesystem_build(struct setup *s, struct error *err) must_check;
/* From here on the host's files are out of reach. */
int filesystem_enter(struct setup *s, struct error *err) must_check;

/* A pty of the container's own devpts: becomes 0, 1, 2 and /dev/console, and the controlling
 * terminal; its master goes through console_socket.  root is -1 for a process that is inside
 * already, and there it is the controlling terminal of none yet.
 */
int console_open(const struct spec_process *p, int console_socket, const struct rootdir *root,
		 struct error *err) must_check;

/* Before the root changes: what needs the host's /proc. */
int identity_prepare(const struct spec_process *p, struct error *err) must_check;
/* All that takes power away but for that filter, in the order that keeps each step possible. */
int identity_take(const struct spec_process *p, const struct seccomp_program *seccomp,
		  struct error *err) must_check;
/* The filter, if it has to wait until nothing but the exec is left (no_new_privs). */
int identity_filter(const struct spec_process *p, const struct seccomp_program *seccomp,
		    struct error *err) must_check;
/* A process's descriptors: stdio in place, all above 2 + preserve closed at exec. */
int identity_stdio(const int stdio[3], int preserve, uid_t owner, struct error *err) must_check;
/* ret is stdio, but with a null device that stays ours whatever is done to it in there: chmod(2) of
 * /proc/self/fd/0 would reach the host's.  For a process that is still outside.
 */
int identity_null(const int stdio[3], int ret[3], struct error *err) must_check;
/* Of another process: enter is the nsenter(1) command with its namespaces. */
enum narrate_exec {
	NARRATE_EXEC_PLAIN,
	NARRATE_EXEC_DETACHED = 1, /* the script goes on at once */
	NARRATE_EXEC_MAPPED = 2,   /* the container has users of its own */
};
void identity_narrate_exec(const struct spec_process *p, const char *enter,
			   enum narrate_exec flags);
/* In a dry run: the one command line that does what the three above do. */
void identity_narrate(const struct spec *spec, const struct spec_process *p,
		      const struct seccomp_program *seccomp);

/* Runs them one after the other with the state document on standard input. */
int hooks_run(const struct spec *spec, enum spec_hook_kind kind, const char *state,
	      struct error *err) must_check;

/* instance.c: a child born in the v2 cgroup; returns its pid, and 0 in it. */
int instance_clone(const struct cgroup *cg, uint64_t flags, int *ret_pidfd) must_check;
int instance_cgroup(const struct spec *spec, const char *id, struct cgroup *ret,
		    struct error *err) must_check;

/* child.c */
_Noreturn void child_main(struct setup *s);
int child_build(struct setup *s, struct error *err) must_check; /* also the whole of a dry run */
int child_report(int sync); /* tells the parent "so far so good" */
int child_wait(int sync);   /* until the parent says go */
void child_reset_signals(void);
_Noreturn void child_fail(int sync, const struct error *err);

#endif
