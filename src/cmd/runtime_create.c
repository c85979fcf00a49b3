/* src/cmd/runtime_create.c - strake-runtime create, run and start */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/socket.h"
#include "cmd/cmd.h"
#include "cmd/runtime.h"
#include "kernel/relay.h"
#include "runtime/instance.h"
#include "runtime/record.h"
#include "runtime/seal.h"
#include "runtime/spec.h"
#include "runtime/state_text.h"

struct create_args {
	const char *bundle, *pid_file, *console_socket;
	int preserve_fds;
	bool no_pivot, no_new_keyring, detach, keep;
};

#define ROW(field, name, letter, operand, help)                                                    \
	OPT(struct create_args, field, name, letter, operand, help)
#define CREATE_ROWS                                                                                \
	ROW(bundle, "bundle", 'b', "DIR", "the bundle (default: here)"),                           \
		ROW(pid_file, "pid-file", 0, "FILE",                                               \
		    "write the pid of its first process to FILE"),                                 \
		ROW(console_socket, "console-socket", 0, "SOCKET",                                 \
		    "send the terminal's master there"),                                           \
		ROW(preserve_fds, "preserve-fds", 0, "N", "hand on descriptors 3 to 3 + N - 1"),   \
		ROW(no_pivot, "no-pivot", 0, NULL, "chroot in place of pivot_root"),               \
		ROW(no_new_keyring, "no-new-keyring", 0, NULL, "keep the session keyring")

static const struct opt create_opts[] = { CREATE_ROWS, { 0 } };
static const struct opt run_opts[] = {
	CREATE_ROWS,
	ROW(detach, "detach", 'd', NULL, "do not wait for its end"),
	ROW(keep, "keep", 0, NULL, "do not delete it at its end"),
	{ 0 },
};

/* One container being made by one call. */
struct making {
	const struct runtime_globals *globals;
	const struct create_args *args;
	struct spec *spec;
	struct record record;
	struct instance instance;
	int console;  /* connected to whoever wants the terminal */
	int listener; /* what its first process waits at; -1 when we start it ourselves */
	int own_end;  /* of console, if we relay the terminal ourselves */
	bool made;    /* there is something to take back */
};

static void making_done(struct making *m)
{
	const int fds[] = { m->console, m->listener, m->own_end };

	for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
		if (fds[i] >= 0)
			(void)close(fds[i]);
	instance_done(&m->instance);
	record_done(&m->record);
	spec_free(m->spec);
}

static int open_console(struct making *m, bool foreground, struct error *err)
{
	int pair[2];

	if (!m->spec->process || !m->spec->process->terminal)
		return m->args->console_socket
			       ? error_set(err, -EINVAL, "--console-socket needs process.terminal")
			       : 0;
	if (m->args->console_socket)
		return socket_connect_at(AT_FDCWD, m->args->console_socket, SOCK_STREAM,
					 &m->console, err);
	if (!foreground)
		return error_set(err, -EINVAL,
				 "process.terminal needs --console-socket when nobody waits");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return error_sys(err, -errno, "make a socket for the terminal");
	m->own_end = pair[0];
	m->console = pair[1];
	return 0;
}

static int write_pid_file(const struct making *m, struct error *err)
{
	autofree char *text = xasprintf("%d", m->instance.pid);

	if (!m->args->pid_file)
		return 0;
	return file_write_named(m->args->pid_file, text, strlen(text), 0644, err);
}

static int make_instance(struct making *m, const char *id, bool foreground, struct error *err)
{
	autofree char *cache = runtime_cache(m->globals);
	struct instance_request req = INSTANCE_REQUEST_INIT;
	int r;

	req.id = id;
	req.bundle = m->record.bundle;
	req.cache_dir = cache;
	req.spec = m->spec;
	req.console_socket = m->console;
	req.preserve_fds = m->args->preserve_fds;
	req.listen_fd = m->listener;
	req.flags = (m->args->no_pivot ? INSTANCE_NO_PIVOT : 0) |
		    (m->args->no_new_keyring ? INSTANCE_NO_NEW_KEYRING : 0) |
		    (foreground && !m->args->detach ? 0 : INSTANCE_BACKGROUND);
	r = instance_create(&req, &m->instance, err);
	if (r < 0 || explain_dry())
		return r;
	m->made = true;
	m->record.pid = m->instance.pid;
	m->record.start_time = m->instance.start_time;
	r = record_save(&m->record, err);
	return r < 0 ? r : write_pid_file(m, err);
}

static void undo(struct making *m, const char *id)
{
	if (m->made)
		ignore_result(instance_cleanup(m->spec, id, NULL));
	ignore_result(record_remove(runtime_root(m->globals), id, NULL));
}

/* What a script takes away if it is stopped while it starts; it has no engine to do it. */
static void narrate_traps(void)
{
	(void)explain(
		"what is taken away if it is stopped while it starts",
		"undo() {\nset +eu\nfor d in $groups; do\n"
		"while all=$(cat \"$d/cgroup.procs\") && [ \"$all\" ]; do kill -9 $all; sleep 0.1; done\n"
		"rmdir \"$d\"\ndone\n}\ngroups=\n"
		"trap 'status=$?; trap \"\" HUP INT TERM; undo 2> /dev/null; exit $status' EXIT\n"
		"trap 'exit 129' HUP\ntrap 'exit 130' INT\ntrap 'exit 143' TERM");
}

static int make_dry(struct making *m, const char *id, bool foreground, struct error *err)
{
	bool detached = !foreground || m->args->detach;
	int r;

	narrate_traps();
	r = make_instance(m, id, foreground, err);
	if (r < 0)
		return r;
	if (detached)
		(void)explain("it has started: what follows is not the end of it",
			      "trap - EXIT HUP INT TERM");
	else
		(void)explain("nothing is left to undo", "trap '' HUP INT TERM; trap - EXIT");
	return 0;
}

static int make(struct making *m, const char *id, bool foreground, struct error *err)
{
	const char *bundle = m->args->bundle ? m->args->bundle : ".";
	autofree char *absolute = realpath(bundle, NULL);
	const char *path = NULL;
	int r;

	if (!absolute)
		return error_sys(err, -errno, "bundle %s", bundle);
	r = spec_load(absolute, &m->spec, err);
	if (r == 0 && spec_namespace_find(m->spec, CLONE_NEWPID, &path) && path && !explain_dry())
		r = seal_self(err);
	if (r == 0)
		r = open_console(m, foreground, err);
	if (r < 0)
		return r;
	if (explain_dry()) {
		m->record.bundle = steal_ptr(&absolute);
		return make_dry(m, id, foreground, err);
	}
	r = record_new(runtime_root(m->globals), id, bundle, &m->record, err);
	if (r < 0)
		return r;
	if (!foreground || m->args->detach)
		r = foreground ? 0
			       : socket_listen_at(m->record.dir_fd, RECORD_START_SOCKET,
						  SOCK_SEQPACKET, &m->listener, err);
	if (r == 0)
		r = make_instance(m, id, foreground, err);
	if (r < 0)
		undo(m, id);
	return r;
}

#define MAKING(globals_, args_)                                                                    \
	{                                                                                          \
		.globals = (globals_), .args = (args_), .record = RECORD_INIT,                     \
		.instance = INSTANCE_INIT, .console = -1, .listener = -1, .own_end = -1            \
	}

static int create_run(const void *globals, const void *args, int argc, char **argv,
		      struct error *err)
{
	struct making m = MAKING(globals, args);
	int r = make(&m, argv[0], false, err);

	(void)argc;
	making_done(&m);
	return r;
}

const struct cmd cmd_runtime_create = {
	.name = "create",
	.operands = "ID",
	.help = "Make a container from a bundle; nothing of its own runs yet",
	.opts = create_opts,
	.args_size = sizeof(struct create_args),
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = create_run,
};

/* start */

static int poststart(const struct spec *spec, const struct record *rec, struct error *err)
{
	autofree char *state = NULL;

	if (spec->hooks[HOOK_POSTSTART].n == 0)
		return 0;
	state = state_text(spec, rec->id, rec->bundle, "running", rec->pid);
	return instance_run_hooks(spec, HOOK_POSTSTART, state, err);
}

static int start_run(const void *globals, const void *args, int argc, char **argv,
		     struct error *err)
{
	struct record rec = RECORD_INIT;
	cleanup(spec_cleanup) struct spec *spec = NULL;
	autoclose int sock = -1;
	int r = record_load(runtime_root(globals), argv[0], &rec, err);

	(void)args;
	(void)argc;
	if (r < 0)
		return r;
	if (record_status(&rec) != RECORD_CREATED)
		r = error_set(err, -EINVAL, "cannot start container %s: it is %s", rec.id,
			      record_status_word(record_status(&rec)));
	if (r == 0)
		r = spec_load(rec.bundle, &spec, err);
	if (r == 0)
		r = socket_connect_at(rec.dir_fd, RECORD_START_SOCKET, SOCK_SEQPACKET, &sock, err);
	if (r == 0)
		r = record_mark_started(&rec, err);
	if (r == 0)
		r = instance_start_at(sock, err);
	if (r == 0)
		r = poststart(spec, &rec, err);
	(void)unlinkat(rec.dir_fd, RECORD_START_SOCKET, 0);
	record_done(&rec);
	return r;
}

const struct cmd cmd_runtime_start = {
	.name = "start",
	.operands = "ID",
	.help = "Run the program of a created container",
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = start_run,
};

/* run */

static int relay_to_end(struct making *m, int *ret_status, struct error *err)
{
	struct relay relay = RELAY_INIT;
	int status, r = 0;
	char byte[16];

	if (m->own_end >= 0) {
		ssize_t n = socket_receive_fd(m->own_end, byte, sizeof(byte), &relay.master);

		r = n < 0 ? error_sys(err, (int)n, "receive the terminal") : 0;
	}
	relay.pidfd = m->instance.pidfd;
	relay.input = true;
	if (r == 0)
		r = relay_run(&relay, err);
	relay_done(&relay);
	if (r < 0)
		return r;
	if (TEMP_FAILURE_RETRY(waitpid(m->instance.pid, &status, 0)) < 0)
		return error_sys(err, -errno, "wait for the container");
	*ret_status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return 0;
}

static int finish(struct making *m, const char *id, struct error *err)
{
	autofree char *state = state_text(m->spec, id, m->record.bundle, "stopped", 0);
	int r = instance_cleanup(m->spec, id, err);

	ignore_result(instance_run_hooks(m->spec, HOOK_POSTSTOP, state, NULL));
	return r < 0 ? r : record_remove(runtime_root(m->globals), id, err);
}

static int run_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct create_args *args = data;
	struct making m = MAKING(globals, args);
	int status = 0, r;

	(void)argc;
	(void)prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0);
	r = make(&m, argv[0], true, err);
	if (r == 0 && !args->detach)
		explain_exit();
	if (r < 0 || explain_dry()) {
		making_done(&m);
		return r;
	}
	r = record_mark_started(&m.record, err);
	if (r == 0)
		r = instance_start(&m.instance, err);
	if (r == 0)
		r = poststart(m.spec, &m.record, err);
	if (r < 0) {
		instance_abandon(&m.instance);
		undo(&m, argv[0]);
	}
	if (r == 0 && !args->detach) {
		r = relay_to_end(&m, &status, err);
		if (r == 0 && !args->keep)
			r = finish(&m, argv[0], err);
	}
	making_done(&m);
	return r < 0 ? r : status;
}

const struct cmd cmd_runtime_run = {
	.name = "run",
	.operands = "ID",
	.help = "create, start, wait and delete in one",
	.opts = run_opts,
	.args_size = sizeof(struct create_args),
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = run_run,
};
