/* src/cmd/runtime_exec.c - strake-runtime exec */
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/json.h"
#include "base/number.h"
#include "base/socket.h"
#include "cmd/cmd.h"
#include "cmd/runtime.h"
#include "kernel/relay.h"
#include "runtime/instance.h"
#include "runtime/record.h"
#include "runtime/spec.h"

struct exec_args {
	const char *process, *console_socket, *cwd, *user, *pid_file;
	struct strv env, cap;
	int preserve_fds;
	bool tty, detach, no_new_privs;
};

static const struct opt exec_opts[] = {
	OPT(struct exec_args, process, "process", 'p', "FILE", "the process document"),
	OPT(struct exec_args, console_socket, "console-socket", 0, "SOCKET",
	    "send the terminal's master there"),
	OPT(struct exec_args, cwd, "cwd", 0, "DIR", "working directory"),
	OPT(struct exec_args, user, "user", 'u', "UID[:GID]", "numbers"),
	OPT(struct exec_args, env, "env", 'e', "NAME=VALUE", "set a variable"),
	OPT(struct exec_args, cap, "cap", 'c', "NAME", "add a capability"),
	OPT(struct exec_args, tty, "tty", 't', NULL, "give it a terminal"),
	OPT(struct exec_args, detach, "detach", 'd', NULL, "do not wait for its end"),
	OPT(struct exec_args, no_new_privs, "no-new-privs", 0, NULL, "set no_new_privs"),
	OPT(struct exec_args, pid_file, "pid-file", 0, "FILE", "write its pid to FILE"),
	OPT(struct exec_args, preserve_fds, "preserve-fds", 0, "N",
	    "hand on descriptors 3 to 3 + N - 1"),
	{ 0 },
};

/* CVE-2026-30892: every digit is read, or nothing is. */
static int set_user(const char *text, struct spec_process *p, struct error *err)
{
	autofree char *copy = xstrdup(text);
	char *gid = strchr(copy, ':');
	uint64_t value;

	if (gid)
		*gid++ = '\0';
	if (number_parse(copy, UINT32_MAX - 1, &value) < 0)
		return error_set(err, -EINVAL, "--user '%s': expected UID[:GID] in numbers", text);
	p->uid = (uid_t)value;
	if (gid && number_parse(gid, UINT32_MAX - 1, &value) < 0)
		return error_set(err, -EINVAL, "--user '%s': expected UID[:GID] in numbers", text);
	if (gid)
		p->gid = (gid_t)value;
	return 0;
}

static int add_caps(const struct strv *names, struct spec_process *p, struct error *err)
{
	for (size_t i = 0; i < names->n; i++) {
		int cap = capability_parse(names->items[i]);

		if (cap < 0)
			return error_set(err, cap, "unknown capability '%s'", names->items[i]);
		p->has_capabilities = true;
		p->capabilities.bounding |= 1ULL << cap;
		p->capabilities.effective |= 1ULL << cap;
		p->capabilities.permitted |= 1ULL << cap;
	}
	return 0;
}

/* A document of its own, or the container's process with another command line. */
static int load_process(const struct exec_args *args, const char *bundle, struct spec_process **ret,
			struct error *err)
{
	autofree char *path = xasprintf("%s/config.json", bundle);
	cleanup(json_cleanup) json_t *doc = NULL;
	int r = args->process ? json_load_given(args->process, &doc, err)
			      : json_load_at(AT_FDCWD, path, &doc, err);

	if (r < 0)
		return r;
	return spec_process_from_json(args->process ? doc : json_object_get(doc, "process"), ret,
				      err);
}

static int adjust(const struct exec_args *args, int argc, char **argv, struct spec_process *p,
		  struct error *err)
{
	int r = args->user ? set_user(args->user, p, err) : 0;

	if (r == 0)
		r = add_caps(&args->cap, p, err);
	for (size_t i = 0; i < args->env.n; i++)
		strv_env_set(&p->env, args->env.items[i]);
	if (args->cwd) {
		free(p->cwd);
		p->cwd = xstrdup(args->cwd);
	}
	if (!args->process) {
		if (argc == 0)
			return error_set(err, -EINVAL,
					 "what? Name a command, or give --process FILE");
		p->terminal = false;
		strv_done(&p->args);
		p->args = (struct strv) { 0 };
		strv_extend(&p->args, argv, (size_t)argc);
	}
	p->terminal = p->terminal || args->tty;
	p->no_new_privileges = p->no_new_privileges || args->no_new_privs;
	return r;
}

static int wait_end(const struct exec_args *args, struct instance *inst, int own_end,
		    struct error *err)
{
	struct relay relay = RELAY_INIT;
	char bytes[16];
	int status, r = 0;

	if (args->detach)
		return 0;
	if (own_end >= 0) {
		ssize_t n = socket_receive_fd(own_end, bytes, sizeof(bytes), &relay.master);

		r = n < 0 ? error_sys(err, (int)n, "receive the terminal") : 0;
	}
	relay.pidfd = inst->pidfd;
	relay.input = true;
	if (r == 0)
		r = relay_run(&relay, err);
	relay_done(&relay);
	if (r < 0)
		return r;
	if (TEMP_FAILURE_RETRY(waitpid(inst->pid, &status, 0)) < 0)
		return error_sys(err, -errno, "wait for the process");
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static int open_console(const struct exec_args *args, const struct spec_process *p, int *ret_theirs,
			int *ret_ours, struct error *err)
{
	int pair[2];

	if (!p->terminal)
		return 0;
	if (args->console_socket)
		return socket_connect_at(AT_FDCWD, args->console_socket, SOCK_STREAM, ret_theirs,
					 err);
	if (args->detach)
		return error_set(err, -EINVAL,
				 "a terminal needs --console-socket when nobody waits");
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return error_sys(err, -errno, "make a socket for the terminal");
	*ret_ours = pair[0];
	*ret_theirs = pair[1];
	return 0;
}

static int go(const struct runtime_globals *g, const struct exec_args *args,
	      const struct record *rec, const struct spec *spec, const struct spec_process *p,
	      struct error *err)
{
	autofree char *cache = runtime_cache(g);
	autoclose int theirs = -1, ours = -1;
	struct instance inst = INSTANCE_INIT;
	struct instance_exec_request req = {
		.id = rec->id,
		.pid = rec->pid,
		.start_time = rec->start_time,
		.spec = spec,
		.process = p,
		.cache_dir = cache,
		.stdio = { 0, 1, 2 },
		.preserve_fds = args->preserve_fds,
	};
	int r = open_console(args, p, &theirs, &ours, err);

	if (r < 0)
		return r;
	req.console_socket = theirs;
	r = instance_exec(&req, &inst, err);
	if (explain_dry()) {
		instance_done(&inst);
		return r;
	}
	if (r == 0 && args->pid_file) {
		autofree char *pid = xasprintf("%d", inst.pid);

		r = file_write_named(args->pid_file, pid, strlen(pid), 0644, err);
	}
	if (r == 0)
		r = wait_end(args, &inst, ours, err);
	instance_done(&inst);
	return r;
}

static int exec_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct exec_args *args = data;
	cleanup(spec_cleanup) struct spec *spec = NULL;
	cleanup(spec_process_cleanup) struct spec_process *process = NULL;
	struct record rec = RECORD_INIT;
	int r = record_load(runtime_root(globals), argv[0], &rec, err);

	if (r < 0)
		return r;
	if (record_status(&rec) != RECORD_RUNNING && record_status(&rec) != RECORD_CREATED)
		r = error_set(err, -ESRCH, "container not running: %s is %s", rec.id,
			      record_status_word(record_status(&rec)));
	if (r == 0)
		r = spec_load(rec.bundle, &spec, err);
	if (r == 0)
		r = load_process(args, rec.bundle, &process, err);
	if (r == 0)
		r = adjust(args, argc - 1, argv + 1, process, err);
	if (r == 0)
		r = go(globals, args, &rec, spec, process, err);
	record_done(&rec);
	return r;
}

const struct cmd cmd_runtime_exec = {
	.name = "exec",
	.operands = "ID [COMMAND [ARGUMENT...]]",
	.help = "Run another program in a running container",
	.opts = exec_opts,
	.args_size = sizeof(struct exec_args),
	.min_operands = 1,
	.max_operands = INT_MAX,
	.flags = CMD_FIRST_OPERAND,
	.error_status = 255,
	.run_alone = exec_run,
};
