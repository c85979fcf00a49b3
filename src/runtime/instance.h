/* src/runtime/instance.h - one container as the kernel sees it: from config.json to a process.
 *
 * This is the library under strake-runtime, strake-monitor and the engine.  States: created (all
 * namespaces, mounts and limits are there, the process waits and has run nothing of the
 * container's), running, stopped.  The caller keeps what must outlive it (state files are not
 * written here).
 *
 * In a dry run (base/explain.h) nothing is made: create narrates its own steps and, nested, those
 * of the child, up to and including the exec of the user's program; start and the rest do nothing.
 */
#ifndef RUNTIME_INSTANCE_H
#define RUNTIME_INSTANCE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

struct spec;
struct spec_process;

enum instance_flags {
	INSTANCE_PLAIN = 0,
	INSTANCE_NO_PIVOT = 1, /* chroot instead of pivot_root (root on initramfs) */
	INSTANCE_NO_NEW_KEYRING = 2,
	INSTANCE_DETACHED = 4,   /* exec: do not die with the caller */
	INSTANCE_BACKGROUND = 8, /* create, dry run: the script does not wait for its end */
};

/* A process that instance_create() or instance_exec() made.  Owned; instance_done() closes. */
struct instance {
	pid_t pid; /* in the caller's pid namespace */
	uint64_t start_time;
	int pidfd;
	int start_fd; /* the barrier it waits at, and the pipe its exec failure comes through; -1
			 after start */
};
#define INSTANCE_INIT ((struct instance) { .pidfd = -1, .start_fd = -1 })

struct instance_request {
	const char *id;
	const char *bundle;    /* absolute; root.path and hooks are relative to it */
	const char *cache_dir; /* for compiled seccomp filters, made if missing; NULL: no cache */
	const struct spec *spec;
	int stdio[3];       /* become 0, 1, 2; ignored with process.terminal */
	int console_socket; /* process.terminal: gets the pty's master (SCM_RIGHTS); else -1 */
	int preserve_fds;   /* descriptors 3 .. 3 + n - 1 stay open in the container */
	int listen_fd; /* -1, or a listening SOCK_SEQPACKET socket: the barrier is opened by who
			  connects there (instance_start_at()), and start_fd stays -1 */
	enum instance_flags flags;
};
#define INSTANCE_REQUEST_INIT                                                                      \
	((struct instance_request) { .stdio = { 0, 1, 2 }, .console_socket = -1, .listen_fd = -1 })

/* The caller becomes the parent.  On failure nothing is left: no process, cgroup or mount.
 * err->status is 127 or 126 if process.args[0] is missing or cannot be executed.
 */
int instance_create(const struct instance_request *req, struct instance *ret,
		    struct error *err) must_check;
/* Opens the barrier; returns when the program was executed, or with the reason why not. */
int instance_start(struct instance *inst, struct error *err) must_check;
/* The same for another process: sock is connected to the container's listen_fd. */
int instance_start_at(int sock, struct error *err) must_check;
void instance_done(struct instance *inst); /* closes; kills nothing */

/* Runs another process inside.  start is implied. */
struct instance_exec_request {
	const char *id;
	pid_t pid; /* of the container's init */
	uint64_t start_time;
	const struct spec *spec; /* the container's */
	const struct spec_process *process;
	const char *cache_dir;
	int stdio[3];
	int console_socket;
	int preserve_fds;
	enum instance_flags flags;
};
int instance_exec(const struct instance_exec_request *req, struct instance *ret,
		  struct error *err) must_check;

/* Kills whatever is left in the container's cgroups and removes them; a missing one is fine. */
int instance_cleanup(const struct spec *spec, const char *id, struct error *err) must_check;
/* Notes at its cgroups whose it is, for who finds them when all else is lost. */
void instance_set_owner(const struct spec *spec, const char *id, const char *owner);
/* Every process in its cgroups gets sig. */
int instance_kill_all(const struct spec *spec, const char *id, int sig,
		      struct error *err) must_check;

/* Kills and reaps one that was created by us and shall not live. */
void instance_abandon(struct instance *inst);
/* kind is an enum spec_hook_kind; state the document for their standard input. */
int instance_run_hooks(const struct spec *spec, int kind, const char *state,
		       struct error *err) must_check;

int instance_freeze(const struct spec *spec, const char *id, bool frozen,
		    struct error *err) must_check;
bool instance_is_frozen(const struct spec *spec, const char *id);
/* Heap array of all processes in its cgroup, in the caller's pid namespace. */
int instance_pids(const struct spec *spec, const char *id, pid_t **ret, size_t *ret_n,
		  struct error *err) must_check;
/* Whether the kernel's OOM killer struck in it; ask before the cleanup. */
bool instance_was_oom_killed(const struct spec *spec, const char *id);

#endif
