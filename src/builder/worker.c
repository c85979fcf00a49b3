/* src/builder/worker.c */
#include "builder/worker.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "builder/build.h"
#include "builder/crew.h"
#include "builder/halt.h"
#include "builder/stage.h"
#include "builder/step.h"
#include "builder/wire.h"
#include "engine/engine.h"

static void tell(void *data, const struct build_told *told)
{
	const struct build *b = data;

	ignore_result(wire_send_told(b->boss, told)); /* a boss that is gone has sent a signal */
}

static int open_engine(const struct engine *from, struct engine **ret, struct error *err)
{
	const struct engine_options options = { .root = from->root, .run_root = from->run_root };

	return engine_open(&options, ret, err);
}

static int work(struct build *b, size_t stage, struct wire_failure *failure)
{
	struct fault fault = { 0, 0 };
	autofree char *text = NULL;
	int r = open_engine(b->engine, &b->engine, b->err);

	if (r == 0)
		r = stage_run(b, stage, &fault);
	if (r == 0) {
		text = state_dump(&b->states[stage]);
		r = text ? wire_send(b->boss, WIRE_DONE, text, strlen(text))
			 : error_set(b->err, -EILSEQ, "%s: something in the image is not UTF-8",
				     b->req->name);
	}
	failure->line = fault.line;
	failure->column = fault.column;
	return r;
}

static _Noreturn void worker_main(const struct build *from, size_t stage, int boss, pid_t parent)
{
	struct wire_failure failure = { .err = { .code = 0 } };
	struct build_request req = *from->req;
	struct build b = *from;
	int r;

	/* However the user started us: it is by this that we hear of an end. */
	(void)signal(SIGTERM, SIG_DFL);
	(void)prctl(PR_SET_PDEATHSIG, SIGTERM);
	if (getppid() != parent)
		_exit(1);
	req.tell = tell;
	req.data = &b;
	b.req = &req;
	b.err = &failure.err;
	b.boss = boss;
	r = work(&b, stage, &failure);
	if (r < 0) {
		failure.err.code = r;
		ignore_result(wire_send(boss, WIRE_FAILED, &failure, sizeof(failure)));
	}
	_exit(r < 0);
}

int worker_start(struct build *b, size_t stage, const struct worker_others *others, pid_t *ret_pid,
		 int *ret_sock, struct error *err)
{
	autoclose int ours = -1, theirs = -1;
	pid_t parent = getpid(), pid;
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return error_sys(err, -errno, "make a socket to a worker");
	ours = pair[0];
	theirs = pair[1];
	(void)fflush(NULL);
	pid = fork();
	if (pid < 0)
		return error_sys(err, -errno, "start a worker");
	if (pid == 0) {
		(void)close(ours);
		for (size_t i = 0; i < others->n; i++)
			if (others->socks[i] >= 0)
				(void)close(others->socks[i]);
		worker_main(b, stage, theirs, parent);
	}
	*ret_pid = pid;
	*ret_sock = steal_fd(&ours);
	return 0;
}

int crew_need(struct build *b, size_t stage)
{
	uint32_t number = (uint32_t)stage;
	struct wire wire = WIRE_INIT;
	sigset_t before;
	int r;

	if (b->boss < 0 || b->states[stage].doc)
		return 0;
	r = wire_send(b->boss, WIRE_NEED, &number, sizeof(number));
	/* The step has made nothing yet. */
	halt_allow(&before);
	if (r == 0)
		r = wire_receive(b->boss, &wire);
	halt_forbid(&before);
	if (r <= 0)
		r = error_set(b->err, -ECANCELED, "the build ended meanwhile");
	else
		r = state_parse(wire.bytes.data, wire.bytes.len, &b->given, b->escape,
				&b->states[stage], b->err);
	wire_done(&wire);
	return r;
}

int crew_alone(struct build *b)
{
	struct wire wire = WIRE_INIT;
	int r = b->boss < 0 ? 0 : wire_send(b->boss, WIRE_ALONE, NULL, 0);

	if (b->boss >= 0 && r == 0)
		r = wire_receive(b->boss, &wire) > 0 ? 0 : -ECANCELED;
	wire_done(&wire);
	return r < 0 ? error_set(b->err, r, "the build ended meanwhile") : 0;
}
