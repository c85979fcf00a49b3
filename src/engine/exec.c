/* src/engine/exec.c */
#include "engine/exec.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/json.h"
#include "base/process.h"
#include "base/socket.h"
#include "engine/config.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/grant.h"
#include "engine/options.h"
#include "engine/exec_reason.h"
#include "kernel/overlay.h"
#include "kernel/relay.h"
#include "engine/root_view.h"
#include "engine/status.h"
#include "runtime/instance.h"
#include "runtime/spec.h"

#define DYING_MS 2000

/* The layers that its accounts are read from: its own first, then what lies below. */
static void root_layers(const json_t *config, struct strv *ret)
{
	const json_t *mount = json_array_get(json_object_get(config, "mounts"), 0), *option;
	const json_t *options = json_object_get(mount, "options");
	struct strv lower = { 0 };
	size_t i;

	json_array_foreach (options, i, option) {
		const char *text = json_string_value(option);

		if (strncmp(text, "upperdir=", 9) == 0)
			strv_take(ret, overlay_unescape(text + 9));
		if (strncmp(text, "lowerdir=", 9) == 0)
			overlay_split(text + 9, &lower);
	}
	strv_extend(ret, lower.items, lower.n);
	strv_done(&lower);
}

static int set_user(const json_t *config, const char *who, json_t *process, struct strv *env,
		    struct error *err)
{
	cleanup(user_done) struct user user = { 0 };
	struct strv layers = { 0 };
	json_t *groups;
	int r;

	if (!who)
		return 0;
	root_layers(config, &layers);
	r = user_resolve(&layers, who, &user, err);
	strv_done(&layers);
	if (r < 0)
		return r;
	groups = json_array();
	for (size_t i = 0; i < user.ngroups; i++)
		(void)json_array_append_new(groups, json_integer(user.groups[i]));
	(void)json_object_set_new(process, "user",
				  json_pack("{s:I, s:I, s:o}", "uid", (json_int_t)user.uid, "gid",
					    (json_int_t)user.gid, "additionalGids", groups));
	if (user.home) {
		autofree char *home = xasprintf("HOME=%s", user.home);

		strv_env_set(env, home);
	}
	return 0;
}

/* The container's own process with another command line, and what the user changed. */
static int build_process(const json_t *config, const struct exec_options *o, json_t **ret,
			 struct error *err)
{
	json_t *process = json_deep_copy(json_object_get(config, "process"));
	struct container_options all = { .privileged = true };
	struct strv env = { 0 }, args = { 0 }, caps = { 0 };
	const json_t *item;
	size_t i;
	int r;

	json_array_foreach (json_object_get(process, "env"), i, item)
		strv_add(&env, json_string_value(item));
	strv_extend(&args, o->command, o->ncommand);
	r = set_user(config, o->user, process, &env, err);
	if (r == 0)
		r = config_env(&env, &o->env, err);
	if (r == 0 && o->workdir && o->workdir[0] != '/')
		r = error_set(err, -EINVAL, "--workdir '%s' does not start with /", o->workdir);
	if (r == 0 && o->privileged)
		r = grant_capabilities(&all, config, &caps, err);
	if (o->privileged)
		(void)json_object_set_new(process, "capabilities", grant_capability_sets(&caps));
	if (o->workdir)
		(void)json_object_set_new(process, "cwd", json_string(o->workdir));
	config_set_terminal(process, o->tty);
	(void)json_object_set_new(process, "args", json_from_strv(&args));
	(void)json_object_set_new(process, "env", json_from_strv(&env));
	strv_done(&env);
	strv_done(&args);
	strv_done(&caps);
	if (r < 0)
		json_decref(process);
	else
		*ret = process;
	return r;
}

struct exec {
	const struct exec_options *options;
	struct spec *spec;
	struct spec_process *process;
	struct instance instance;
	int nothing;    /* /dev/null */
	int sockets[2]; /* the pty's master comes through */
	struct relay relay;
};

static void exec_done(struct exec *x)
{
	instance_done(&x->instance);
	spec_process_free(x->process);
	spec_free(x->spec);
	(void)close(x->nothing);
	for (size_t i = 0; i < ARRAY_SIZE(x->sockets); i++)
		if (x->sockets[i] >= 0)
			(void)close(x->sockets[i]);
	relay_done(&x->relay);
}

static int exec_load(const struct engine *engine, const struct container *c, struct exec *x,
		     struct error *err)
{
	autofree char *dir = container_dir(engine, c->id), *path = xasprintf("%s/config.json", dir);
	cleanup(json_cleanup) json_t *config = NULL, *process = NULL;
	int r = json_load_at(AT_FDCWD, path, &config, err);

	if (r == 0)
		r = build_process(config, x->options, &process, err);
	if (r == 0)
		r = spec_from_json(config, dir, &x->spec, err);
	if (r == 0)
		r = spec_process_from_json(process, &x->process, err);
	return r;
}

/* The terminal's master, or the descriptors that the user gave: not themselves. */
static int exec_instance(struct exec *x, struct instance_exec_request *req, struct error *err)
{
	bool tty = x->options->tty;
	int r = 0;
	char byte;
	ssize_t n;

	if (tty && socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, x->sockets) < 0)
		return error_sys(err, -errno, "make a socket for the terminal");
	req->console_socket = x->sockets[1];
	if (!tty && !explain_dry())
		r = relay_pipes(&x->relay, req->stdio, err);
	if (r == 0)
		r = instance_exec(req, &x->instance, err);
	relay_started(&x->relay, req->stdio);
	if (r < 0 || !tty || explain_dry())
		return r;
	n = socket_receive_fd(x->sockets[0], &byte, sizeof(byte), &x->relay.master);
	return n < 0 ? error_sys(err, (int)n, "receive the terminal") : 0;
}

static int exec_start(const struct engine *engine, const char *id, const struct status *status,
		      struct exec *x, struct error *err)
{
	autofree char *cache = xasprintf("%s/seccomp", engine->run_root);
	const struct exec_options *o = x->options;
	bool quiet = o->detach;
	struct instance_exec_request req = {
		.id = id,
		.pid = status->pid,
		.start_time = status->start_time,
		.spec = x->spec,
		.process = x->process,
		.cache_dir = cache,
		.stdio = { o->interactive && !quiet ? STDIN_FILENO : x->nothing,
			   quiet ? x->nothing : STDOUT_FILENO, quiet ? x->nothing : STDERR_FILENO },
		.console_socket = -1,
		.flags = quiet ? INSTANCE_DETACHED : INSTANCE_PLAIN,
	};

	return exec_instance(x, &req, err);
}

/* Somebody holds the terminal of one in the background, and reads what it says: else it would be
 * hung up at once, or wait for a reader.  Of ours nothing is held, no lock and no descriptor.
 */
static _Noreturn void hold_terminal(const struct exec *x)
{
	char bytes[4096];
	ssize_t n;

	(void)setsid();
	(void)dup2(x->relay.master, STDIN_FILENO);
	(void)fcntl(STDIN_FILENO, F_SETFL, 0); /* the relay's own way is not to wait */
	(void)dup2(x->nothing, STDOUT_FILENO);
	(void)dup2(x->nothing, STDERR_FILENO);
	(void)syscall(SYS_close_range, STDERR_FILENO + 1, ~0U, 0);
	ignore_result(chdir("/"));
	do
		n = TEMP_FAILURE_RETRY(read(STDIN_FILENO, bytes, sizeof(bytes)));
	while (n > 0);
	_exit(0);
}

static int exec_leave(const struct exec *x, struct error *err)
{
	pid_t pid;

	if (explain_dry() || x->relay.master < 0)
		return 0;
	(void)signal(SIGHUP, SIG_IGN); /* our own terminal may go before it has left it */
	pid = fork();
	if (pid == 0)
		hold_terminal(x);
	return pid < 0 ? error_sys(err, -errno, "make a process that holds the terminal") : 0;
}

static int exec_wait(struct exec *x, struct error *err)
{
	int r, state;

	if (explain_dry())
		return 0;
	x->relay.pidfd = x->instance.pidfd;
	x->relay.input = x->options->interactive;
	r = relay_run(&x->relay, err);
	if (r < 0)
		return r;
	if (x->relay.detached)
		return exec_leave(x, err);
	if (waitpid(x->instance.pid, &state, 0) < 0)
		return error_sys(err, -errno, "wait for the process");
	return WIFEXITED(state) ? WEXITSTATUS(state) : 128 + WTERMSIG(state);
}

/* Its root as it is now, mounts and all. */
static void better_reason(const struct exec *x, const struct container *c, pid_t pid,
			  struct error *err)
{
	autofree char *path = xasprintf("/proc/%d/root", pid);
	autoclose int view = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	const struct exec_reason_request req = {
		.view = view,
		.name = x->options->command[0],
		.env = &x->process->env,
		.container = c->name,
	};

	if (view >= 0)
		exec_reason(&req, err);
}

/* What a dying container answers says nothing to who did not know that it dies: out of memory, no
 * such device, no child.
 */
static bool dying_word(int r)
{
	return r == -ENOMEM || r == -ENODEV || r == -ECHILD || r == -ESRCH;
}

/* Its first process may take a moment to be gone. */
static bool has_ended(const struct status *status, int r)
{
	bool looks_so = dying_word(r);
	autoclose int pidfd = -1;
	struct pollfd p = { .events = POLLIN };

	if (process_open(status->pid, status->start_time, &pidfd) < 0)
		return true;
	p.fd = pidfd;
	return poll(&p, 1, looks_so ? DYING_MS : 0) > 0;
}

static void tell_end(const struct engine *engine, const struct container *c, int status)
{
	char code[16];

	(void)snprintf(code, sizeof(code), "%d", status);
	container_event(engine, c, "exec_die", "exitCode", code);
}

int container_exec(struct engine *engine, const struct container *c,
		   const struct exec_options *options, struct error *err)
{
	struct exec x = {
		.options = options,
		.instance = INSTANCE_INIT,
		.nothing = open("/dev/null", O_RDWR | O_CLOEXEC),
		.sockets = { -1, -1 },
		.relay = RELAY_INIT,
	};
	struct status status = { .pid = 0 };
	int r = status_read(engine, c->id, &status, err);

	if (r == 0 && status.kind != STATUS_RUNNING)
		r = error_set(err, -ESRCH, "container %s does not run", c->name);
	if (r == 0)
		r = engine_need_root("the container's namespaces and control groups are looked at "
				     "and joined",
				     err);
	if (r == 0)
		r = exec_load(engine, c, &x, err);
	if (r == 0)
		r = exec_start(engine, c->id, &status, &x, err);
	if (r == 0)
		container_event(engine, c, "exec_start", "execCommand", options->command[0]);
	if (r < 0 && err && err->status)
		better_reason(&x, c, status.pid, err);
	if (r == 0)
		r = options->detach ? exec_leave(&x, err) : exec_wait(&x, err);
	if (r >= 0 && !options->detach && !x.relay.detached)
		tell_end(engine, c, r);
	if (r < 0 && status.pid && (!(err && err->status) || dying_word(r)) &&
	    has_ended(&status, r)) {
		r = error_set(err, -ESRCH, "container %s does not run", c->name);
		if (err)
			err->status = 0; /* it is not the program's fault */
	}
	exec_done(&x);
	return r;
}
