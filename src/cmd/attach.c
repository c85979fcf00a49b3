/* src/cmd/attach.c - strake attach */
#include <sys/socket.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/process.h"
#include "base/socket.h"
#include "cmd/cmd.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/lock.h"
#include "engine/status.h"
#include "monitor/client.h"

struct attach_args {
	bool no_stdin, sig_proxy;
};

static const struct opt attach_opts[] = {
	OPT(struct attach_args, no_stdin, "no-stdin", 0, NULL,
	    "only look: no input, and no signals"),
	OPT(struct attach_args, sig_proxy, "sig-proxy", 0, NULL,
	    "hand our signals on (default); =false: they end only us"),
	{ 0 },
};

struct attached {
	struct engine *engine;
	const struct container *c;
};

static int judge(void *data, struct error *err)
{
	const struct attached *a = data;

	return container_judge_monitor(a->engine, a->c->id, err);
}

static int attach_run(struct engine *engine, const void *data, int argc, char **argv,
		      struct error *err)
{
	const struct attach_args *args = data;
	cleanup(container_cleanup) struct container *c = NULL;
	autofree char *path = NULL;
	autoclose int sock = -1, pidfd = -1;
	struct client client = { 0 };
	struct attached attached = { engine, NULL };
	struct status status = { .pid = 0 };
	int r = container_find(engine, argv[0], &c, err), ended = 0;

	(void)argc;
	if (r == 0)
		r = status_read(engine, c->id, &status, err);
	if (r < 0)
		return r;
	path = xasprintf("containers/%s/attach", c->id);
	if (status.kind != STATUS_RUNNING)
		return error_set(err, -ESRCH, "container %s does not run", c->name);
	if (explain_note("its output and input are at its monitor's socket %s/%s", engine->run_root,
			 path))
		return 0;
	r = socket_connect_at(engine->run_fd, path, SOCK_STREAM, &sock, err);
	if (r == 0)
		ignore_result(process_open(status.pid, status.start_time, &pidfd));
	if (r < 0)
		return r;
	attached.c = c;
	client = (struct client) { .sock = sock,
				   .pidfd = pidfd,
				   .terminal = c->tty,
				   .name = c->name,
				   .input = c->open_stdin && !args->no_stdin,
				   .keeps_signals = args->no_stdin || !args->sig_proxy,
				   .judge = judge,
				   .judge_data = &attached };
	r = client_run(&client, &ended, err);
	return r < 0 ? r : ended == CLIENT_DETACHED ? 0 : ended;
}

static const struct attach_args defaults = { .sig_proxy = true };

const struct cmd cmd_attach = {
	.name = "attach",
	.operands = "CONTAINER",
	.help = "Connect to the input and output of a running container",
	.details =
		"With a terminal, ^P ^Q leaves it running. The exit status is the container's own. Signals go to\n"
		"the container; with --no-stdin or --sig-proxy=false they end only the command, and its exit status is\n"
		"128 and the signal's number. A ^C that is typed to a container with a terminal is no signal but a\n"
		"byte, as all that is typed: its program gets it.",
	.opts = attach_opts,
	.args_size = sizeof(struct attach_args),
	.defaults = &defaults,
	.min_operands = 1,
	.max_operands = 1,
	.run = attach_run,
};
