/* src/cmd/runtime_kill.c - strake-runtime kill, delete, pause and resume */
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/process.h"
#include "cmd/cmd.h"
#include "cmd/runtime.h"
#include "runtime/instance.h"
#include "runtime/record.h"
#include "runtime/spec.h"
#include "runtime/state_text.h"

#define KILL_WAIT_MS 10000

struct kill_args {
	bool all;
};

static const struct opt kill_opts[] = {
	OPT(struct kill_args, all, "all", 'a', NULL, "every process in it"),
	{ 0 },
};

static int kill_all(const struct record *rec, int sig, struct error *err)
{
	cleanup(spec_cleanup) struct spec *spec = NULL;
	int r = spec_load(rec->bundle, &spec, err);

	return r < 0 ? r : instance_kill_all(spec, rec->id, sig, err);
}

static int kill_init(const struct record *rec, int sig, struct error *err)
{
	autoclose int pidfd = -1;
	int r = process_open(rec->pid, rec->start_time, &pidfd);

	if (r < 0 || record_status(rec) == RECORD_STOPPED)
		return error_set(err, -ESRCH, "container not running: %s", rec->id);
	if (syscall(SYS_pidfd_send_signal, pidfd, sig, NULL, 0) < 0)
		return error_sys(err, -errno, "send signal %d to container %s", sig, rec->id);
	return 0;
}

static int kill_run(const void *globals, const void *data, int argc, char **argv, struct error *err)
{
	const struct kill_args *args = data;
	struct record rec = RECORD_INIT;
	int sig = signal_parse(argc > 1 ? argv[1] : "TERM"), r;

	if (sig < 0)
		return error_set(err, sig, "unknown signal '%s'", argv[1]);
	r = record_load(runtime_root(globals), argv[0], &rec, err);
	if (r == 0)
		r = args->all ? kill_all(&rec, sig, err) : kill_init(&rec, sig, err);
	record_done(&rec);
	return r;
}

const struct cmd cmd_runtime_kill = {
	.name = "kill",
	.operands = "ID [SIGNAL]",
	.help = "Send a signal (default TERM) to the first process of a container",
	.opts = kill_opts,
	.args_size = sizeof(struct kill_args),
	.min_operands = 1,
	.max_operands = 2,
	.run_alone = kill_run,
};

/* delete */

struct delete_args {
	bool force;
};

static const struct opt delete_opts[] = {
	OPT(struct delete_args, force, "force", 'f', NULL,
	    "kill it first; one that is gone is fine"),
	{ 0 },
};

static void kill_and_wait(const struct record *rec)
{
	struct pollfd p = { .events = POLLIN };

	if (process_open(rec->pid, rec->start_time, &p.fd) < 0)
		return;
	(void)syscall(SYS_pidfd_send_signal, p.fd, SIGKILL, NULL, 0);
	(void)poll(&p, 1, KILL_WAIT_MS);
	(void)close(p.fd);
}

static int delete_run(const void *globals, const void *data, int argc, char **argv,
		      struct error *err)
{
	const struct delete_args *args = data;
	cleanup(spec_cleanup) struct spec *spec = NULL;
	autofree char *state = NULL;
	struct record rec = RECORD_INIT;
	int r = record_load(runtime_root(globals), argv[0], &rec, err);

	(void)argc;
	if (r == -ENOENT && args->force)
		return 0;
	if (r < 0)
		return r;
	if (record_status(&rec) != RECORD_STOPPED) {
		/* A created one has run nothing: like runc, it may go without force. */
		if (!args->force && record_status(&rec) != RECORD_CREATED) {
			r = error_set(err, -EBUSY, "container %s is not stopped: %s", rec.id,
				      record_status_word(record_status(&rec)));
			record_done(&rec);
			return r;
		}
		kill_and_wait(&rec);
	}
	if (spec_load(rec.bundle, &spec, args->force ? NULL : err) == 0) {
		r = instance_cleanup(spec, rec.id, err);
		state = state_text(spec, rec.id, rec.bundle, "stopped", 0);
		ignore_result(instance_run_hooks(spec, HOOK_POSTSTOP, state, NULL));
	}
	if (r == 0)
		r = record_remove(runtime_root(globals), rec.id, err);
	record_done(&rec);
	return r;
}

const struct cmd cmd_runtime_delete = {
	.name = "delete",
	.operands = "ID",
	.help = "Remove what is left of a stopped container",
	.opts = delete_opts,
	.args_size = sizeof(struct delete_args),
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = delete_run,
};

/* pause, resume */

static int freeze(const void *globals, const char *id, bool frozen, struct error *err)
{
	cleanup(spec_cleanup) struct spec *spec = NULL;
	struct record rec = RECORD_INIT;
	int r = record_load(runtime_root(globals), id, &rec, err);

	if (r == 0 && record_status(&rec) == RECORD_STOPPED)
		r = error_set(err, -ESRCH, "container not running: %s", id);
	if (r == 0)
		r = spec_load(rec.bundle, &spec, err);
	if (r == 0)
		r = instance_freeze(spec, id, frozen, err);
	record_done(&rec);
	return r;
}

static int pause_run(const void *globals, const void *args, int argc, char **argv,
		     struct error *err)
{
	(void)args;
	(void)argc;
	return freeze(globals, argv[0], true, err);
}

static int resume_run(const void *globals, const void *args, int argc, char **argv,
		      struct error *err)
{
	(void)args;
	(void)argc;
	return freeze(globals, argv[0], false, err);
}

const struct cmd cmd_runtime_pause = {
	.name = "pause",
	.operands = "ID",
	.help = "Freeze all processes of a container",
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = pause_run,
};

const struct cmd cmd_runtime_resume = {
	.name = "resume",
	.operands = "ID",
	.help = "Let the processes of a paused container go on",
	.min_operands = 1,
	.max_operands = 1,
	.run_alone = resume_run,
};
