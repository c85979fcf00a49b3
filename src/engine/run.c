/* src/engine/run.c - start here to read how a container comes to life.
 *
 * making_go() plans, records, writes files and connects the network; the monitor does the rest.  In
 * a dry run the monitor's part is narrated here, by the function that the monitor calls.
 */
#include "engine/run.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/process.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/exec_reason.h"
#include "engine/making.h"
#include "engine/options.h"
#include "engine/remove.h"
#include "engine/status.h"
#include "kernel/overlay.h"
#include "monitor/client.h"
#include "monitor/monitor.h"
#include "network/attach.h"
#include "runtime/instance.h"
#include "runtime/spec.h"

static char *cache_dir(const struct engine *engine)
{
	return xasprintf("%s/seccomp", engine->run_root);
}

/* Nobody is left who knows how to end it: the script says it. */
static void narrate_later_end(const struct making *m, const char *undo)
{
	(void)explain("it has started: what follows is not the end of it",
		      "trap - EXIT HUP INT TERM");
	(void)explain("what the command itself prints", "echo %s", m->c->id);
	(void)explain_note("To end it and to clear up: sed -n 's/^%s//p' THIS-SCRIPT | sh",
			   EXPLAIN_APART);
	explain_apart(true);
	(void)explain(NULL, "id=%s state=%s run=%s\n%s", m->c->id, sq(m->dir), sq(m->run_dir),
		      undo);
	explain_apart(false);
}

static int narrate_discard(const struct making *m, struct error *err)
{
	if (m->options->detach)
		(void)explain(
			"all that runs in its control group",
			"group=$(find /sys/fs/cgroup -ignore_readdir_race -type d -path '*/strake/'%s | head -n 1)\n"
			"while all=$(cat \"$group/cgroup.procs\") && [ \"$all\" ]; do "
			"kill -9 $all 2> /dev/null || :; sleep 0.1; done",
			m->c->id);
	container_narrate_groups(m->c->id);
	return container_discard(m->engine, m->c->id, err);
}

/* What the command takes away at its end, and what it would if it were stopped before: both are
 * functions at the head of the script, for from there on it can be.
 */
struct ending {
	char *end, *undo;
};

static void ending_done(struct ending *e)
{
	free(e->end);
	free(e->undo);
}

static int narrate_ending(const struct making *m, struct ending *ret, struct error *err)
{
	const struct network_site site = engine_network(m->engine);
	int r = 0;

	explain_capture();
	if (!m->options->detach)
		r = m->options->remove
			    ? container_discard(m->engine, m->c->id, err)
			    : network_detach(&site, m->c->id, m->is_joined ? NULL : m->netns, err);
	ret->end = explain_captured();
	explain_capture();
	if (r == 0 && m->options->remove && !m->options->detach)
		container_narrate_groups(m->c->id);
	else if (r == 0)
		r = narrate_discard(m, err);
	ret->undo = explain_captured();
	return r;
}

static void narrate_traps(const struct ending *e)
{
	autofree char *head = xasprintf(
		"# what is taken away at its end\nend() {\nset +eu\n%s}\n"
		"# and what is if it is stopped while it starts\nundo() {\nend\n%s}\n"
		"trap 'status=$?; trap \"\" HUP INT TERM; undo 2> /dev/null; exit $status' EXIT\n"
		"trap 'exit 129' HUP\ntrap 'exit 130' INT\ntrap 'exit 143' TERM\n",
		e->end, e->undo);

	explain_insert(head);
}

static int narrate_process(const struct making *m, struct error *err)
{
	cleanup(spec_cleanup) struct spec *spec = NULL;
	struct instance_request req = INSTANCE_REQUEST_INIT;
	struct instance none = INSTANCE_INIT;
	int r = spec_from_json(m->config, m->dir, &spec, err);

	if (r < 0)
		return r;
	req.id = m->c->id;
	req.bundle = m->dir;
	req.spec = spec;
	req.flags = m->options->detach ? INSTANCE_BACKGROUND : INSTANCE_PLAIN;
	return instance_create(&req, &none, err);
}

static int narrate(const struct making *m, struct error *err)
{
	cleanup(ending_done) struct ending ending = { NULL, NULL };
	int r = narrate_ending(m, &ending, err);

	if (r < 0)
		return r;
	narrate_traps(&ending);
	r = narrate_process(m, err);
	if (r < 0)
		return r;
	if (m->options->detach) {
		narrate_later_end(m, ending.undo);
		return 0;
	}
	(void)explain("nothing is left to undo", "trap '' HUP INT TERM; trap - EXIT; end");
	explain_exit();
	return 0;
}

static int start_monitor(struct making *m, int client_fd, struct error *err)
{
	autofree char *program = engine_program(m->engine, "strake-monitor");
	autofree char *cache = cache_dir(m->engine);
	struct strv cleanup_argv = { 0 };
	struct monitor_request req = {
		.program = program,
		.id = m->c->id,
		.bundle = m->dir,
		.run_dir = m->run_dir,
		.cache_dir = cache,
		.open_stdin = m->options->interactive,
		.brief = m->options->remove || m->options->tied,
		.tied = m->options->tied,
		.lock_fd = m->lock_fd,
		.client_fd = client_fd,
		.cleanup = &cleanup_argv,
	};
	int r;

	strv_add(&cleanup_argv, m->engine->self);
	strv_add(&cleanup_argv, "--root");
	strv_add(&cleanup_argv, m->engine->root);
	strv_add(&cleanup_argv, "--run-root");
	strv_add(&cleanup_argv, m->engine->run_root);
	strv_add(&cleanup_argv, "container");
	strv_add(&cleanup_argv, "cleanup");
	strv_add(&cleanup_argv, m->c->id);
	(void)explain_note("strake-monitor beside it: holds its output, log and exit status");
	r = monitor_start(&req, err);
	strv_done(&cleanup_argv);
	if (r == 0)
		container_event(m->engine, m->c, "start", NULL, NULL);
	/* From here on the monitor is the last holder of the lock. */
	if (r == 0) {
		(void)close(m->lock_fd);
		m->lock_fd = -1;
	}
	return r;
}

/* From under one that may still go on nothing is taken away. */
static int not_started(struct making *m, int r, struct error *err)
{
	if (r == -ETIMEDOUT)
		return error_wrap(err, r, "container %s waits to be started", m->c->name);
	making_undo(m);
	return r;
}

/* One that ended already has no process to signal; that is fine. */
static int open_init(const struct making *m)
{
	struct status status = { .pid = 0 };
	int fd = -1;

	if (status_read(m->engine, m->c->id, &status, NULL) < 0 || status.kind != STATUS_RUNNING)
		return -1;
	return process_open(status.pid, status.start_time, &fd) < 0 ? -1 : fd;
}

static int follow(struct making *m, int sock, int *ret_status, struct error *err)
{
	autoclose int pidfd = open_init(m);
	const struct client client = {
		.sock = sock,
		.pidfd = pidfd,
		.input = m->options->interactive,
		.terminal = m->options->tty,
		.is_maker = true,
		.name = m->c->name,
		.last_words = m->options->last_words,
		.output = m->options->output,
		.output_data = m->options->output_data,
		.ends_by_signal = m->options->ends_by_signal,
	};

	return client_run(&client, ret_status, err);
}

static int run_attached(struct making *m, struct error *err)
{
	autoclose int ours = -1, theirs = -1;
	int pair[2], status = CLIENT_DETACHED, r, finished;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return error_sys(err, -errno, "make a socket to the monitor");
	ours = pair[0];
	theirs = pair[1];
	r = start_monitor(m, theirs, err);
	if (r < 0)
		return not_started(m, r, err);
	(void)close(steal_fd(&theirs));
	r = follow(m, ours, &status, err);
	/* One that is tied to us ends by that. */
	if (status == CLIENT_DETACHED && m->options->tied)
		status = 128 + SIGKILL;
	if (status == CLIENT_DETACHED)
		return r;
	(void)close(steal_fd(&ours));
	finished = container_finish(m->engine, m->c->id, r < 0 ? NULL : err);
	return r < 0 ? r : finished < 0 ? finished : status;
}

static int run_foreground(struct making *m, struct error *err)
{
	sigset_t before;
	int r;

	client_hold_signals(&before);
	r = run_attached(m, err);
	(void)sigprocmask(SIG_SETMASK, &before, NULL);
	return r;
}

static int run_detached(struct making *m, struct error *err)
{
	int r = start_monitor(m, -1, err);

	return r < 0 ? not_started(m, r, err) : 0;
}

/* Its root is gone with it; a view of the same layers shows what it saw. */
static void better_reason(const struct making *m, struct error *err)
{
	cleanup(spec_cleanup) struct spec *spec = NULL;
	struct exec_reason_request req = { .name = m->c->command.items[0] };
	autoclose int view = -1;

	if (m->root.layers.n == 0 || overlay_view(&m->root.layers, "its root", &view, NULL) < 0 ||
	    spec_from_json(m->config, m->dir, &spec, NULL) < 0)
		return;
	req.view = view;
	req.env = &spec->process->env;
	exec_reason(&req, err);
}

int container_run(struct engine *engine, const struct container_options *options, char *ret_id,
		  struct error *err)
{
	struct making m = MAKING_INIT;
	int r = making_go(engine, options, &m, err);

	if (r == 0) {
		memcpy(ret_id, m.c->id, sizeof(m.c->id));
		if (explain_dry())
			r = narrate(&m, err);
		else
			r = options->detach ? run_detached(&m, err) : run_foreground(&m, err);
		if (r < 0 && err && err->status)
			better_reason(&m, err);
		if (r < 0 && m.root.image)
			image_name_lost(engine->root, m.root.image, m.c->source, err);
	}
	making_done(&m);
	return r;
}
