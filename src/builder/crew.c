/* src/builder/crew.c
 *
 * A job is a stage of one of the builds (one for each platform).  It waits for the stage that it
 * stands on, is queued, works in a slot, may give that back while it waits for another stage, and
 * is done.  Who was queued first is let in first, one that has begun already before one that has
 * not.
 */
#include "builder/crew.h"

#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/explain.h"
#include "builder/build.h"
#include "builder/halt.h"
#include "builder/idle.h"
#include "builder/instruction.h"
#include "builder/stage.h"
#include "builder/step.h"
#include "builder/wire.h"
#include "builder/worker.h"
#include "engine/engine.h"

#define LOOK_MS     250  /* how often it is looked for idle processors while some wait for a slot */
#define PATIENCE_MS 2000 /* after which one more is let in, whatever the processors do */
#define CROWD       4    /* workers for each processor, at most */

enum job_state {
	JOB_BLOCKED, /* what it stands on is not done */
	JOB_QUEUED,  /* a slot is all that it lacks: begun if it has a process */
	JOB_WORKS,
	JOB_WAITS, /* in the middle, for a stage */
	JOB_DONE,
};

struct job {
	struct build *b;
	size_t stage, needs; /* needs: STAGE_NONE, or what it waits for */
	enum job_state state;
	uint64_t since; /* number in the queue */
	pid_t pid;      /* 0: not begun */
};

struct crew {
	struct job *jobs;
	int *socks; /* to each; -1 */
	size_t n;
	size_t slots, works; /* 0 slots: no limit */
	bool is_fixed;       /* the user said how many */
	uint64_t queued;
	struct idle idle;
	int64_t patient_ms; /* since when nobody was let in */
	int64_t looked_ms;
	bool stopping, failed;
	const struct job *alone; /* it is to have the terminal; NULL */
	bool is_alone;           /* and has it */
	struct fault *fault;
	struct error *err;
};

/* the jobs */

static bool is_done(const struct crew *crew, const struct build *b, size_t stage)
{
	for (size_t i = 0; i < crew->n; i++)
		if (crew->jobs[i].b == b && crew->jobs[i].stage == stage)
			return crew->jobs[i].state == JOB_DONE;
	return false;
}

static void queue_ready(struct crew *crew)
{
	for (size_t i = 0; i < crew->n; i++) {
		struct job *job = &crew->jobs[i];
		size_t base = job->b->plan.stages[job->stage].base;
		size_t wanted = job->state == JOB_WAITS ? job->needs : base;

		if ((job->state != JOB_BLOCKED && job->state != JOB_WAITS) ||
		    (wanted != STAGE_NONE && !is_done(crew, job->b, wanted)))
			continue;
		job->state = JOB_QUEUED;
		job->since = crew->queued++;
	}
}

static struct job *next_queued(struct crew *crew)
{
	struct job *best = NULL;

	for (size_t i = 0; i < crew->n; i++) {
		struct job *job = &crew->jobs[i];

		if (job->state != JOB_QUEUED)
			continue;
		if (!best || (job->pid && !best->pid) ||
		    (!job->pid == !best->pid && job->since < best->since))
			best = job;
	}
	return best;
}

static int resume(const struct crew *crew, struct job *job)
{
	autofree char *text = state_dump(&job->b->states[job->needs]);

	job->needs = STAGE_NONE;
	if (!text)
		return error_set(crew->err, -EILSEQ, "something in the image is not UTF-8");
	/* One that is gone meanwhile is heard of. */
	ignore_result(wire_send(crew->socks[job - crew->jobs], WIRE_STATE, text, strlen(text)));
	return 0;
}

static int begin(struct crew *crew, struct job *job)
{
	const struct worker_others others = { crew->socks, crew->n };

	return worker_start(job->b, job->stage, &others, &job->pid, &crew->socks[job - crew->jobs],
			    crew->err);
}

static int let_in(struct crew *crew)
{
	struct job *job;
	int r = 0;

	while (r == 0 && (crew->slots == 0 || crew->works < crew->slots)) {
		job = next_queued(crew);
		if (!job)
			break;
		r = job->pid ? resume(crew, job) : begin(crew, job);
		job->state = JOB_WORKS;
		crew->works++;
		crew->patient_ms = clock_monotonic_ms();
	}
	return r;
}

/* Somebody waits for a slot, and nobody gives one back. */
static void make_room(struct crew *crew)
{
	size_t most = CROWD * idle_processors();
	int64_t now = clock_monotonic_ms();

	crew->looked_ms = now;
	if (crew->slots >= most ||
	    (!idle_look(&crew->idle) && now - crew->patient_ms < PATIENCE_MS))
		return;
	crew->slots++;
}

static void leave_slot(struct crew *crew)
{
	crew->works--;
	/* What was let in beyond the usual number goes first. */
	if (!crew->is_fixed && crew->slots > MAX(idle_processors(), crew->works))
		crew->slots = MAX(idle_processors(), crew->works);
}

/* the end */

static void stop_others(struct crew *crew, const struct job *except)
{
	crew->stopping = true;
	for (size_t i = 0; i < crew->n; i++)
		if (crew->jobs[i].pid && &crew->jobs[i] != except)
			(void)kill(crew->jobs[i].pid, SIGTERM);
}

static void fail(struct crew *crew, const struct job *except)
{
	crew->failed = true;
	stop_others(crew, except);
}

static int stopped_by_signal(struct crew *crew)
{
	if (!crew->failed)
		ignore_result(halt_check(crew->err));
	fail(crew, NULL);
	return 0;
}

/* what workers say */

static void take_failure(struct crew *crew, const struct job *job, const struct wire *wire)
{
	struct wire_failure failure;

	if (crew->failed || wire->bytes.len != sizeof(failure))
		return;
	memcpy(&failure, wire->bytes.data, sizeof(failure));
	*crew->err = failure.err;
	crew->fault->line = failure.line;
	crew->fault->column = failure.column;
	fail(crew, job);
}

static int take_state(struct crew *crew, struct job *job, const struct wire *wire)
{
	struct build *b = job->b;
	int r = state_parse(wire->bytes.data, wire->bytes.len, &b->given, b->escape,
			    &b->states[job->stage], crew->err);

	if (r == 0)
		job->state = JOB_DONE;
	return r;
}

static int take_need(struct crew *crew, struct job *job, const struct wire *wire)
{
	uint32_t number;

	if (wire->bytes.len != sizeof(number))
		return error_set(crew->err, -EPROTO, "a worker speaks nonsense");
	memcpy(&number, wire->bytes.data, sizeof(number));
	job->needs = number;
	job->state = JOB_WAITS;
	leave_slot(crew);
	return 0;
}

static int take(struct crew *crew, struct job *job, const struct wire *wire)
{
	struct build_told told;

	switch (wire->kind) {
	case WIRE_TOLD:
		/* Of those that are being stopped nobody wants to hear. */
		if ((!crew->stopping || crew->alone == job) && wire_told(wire, &told) == 0)
			job->b->req->tell(job->b->req->data, &told);
		return 0;
	case WIRE_NEED:
		return take_need(crew, job, wire);
	case WIRE_DONE:
		return take_state(crew, job, wire);
	case WIRE_FAILED:
		take_failure(crew, job, wire);
		return 0;
	case WIRE_ALONE:
		if (crew->stopping)
			return 0;
		crew->alone = job;
		stop_others(crew, job);
		return 0;
	case WIRE_STATE:
	case WIRE_GO:
		break;
	}
	return error_set(crew->err, -EPROTO, "a worker speaks nonsense");
}

/* It is gone.  One that did not say why died. */
static void bury(struct crew *crew, struct job *job)
{
	int status = 0, *sock = &crew->socks[job - crew->jobs];

	(void)close(*sock);
	*sock = -1;
	(void)TEMP_FAILURE_RETRY(waitpid(job->pid, &status, 0));
	job->pid = 0;
	if (job->state == JOB_WORKS || job->state == JOB_DONE)
		leave_slot(crew);
	if (job->state != JOB_DONE && !crew->failed && !crew->stopping) {
		(void)error_set(crew->err, -ECHILD,
				"the process that built %s ended (status %d, signal %d)",
				job->b->plan.stages[job->stage].label,
				WIFEXITED(status) ? WEXITSTATUS(status) : 0,
				WIFSIGNALED(status) ? WTERMSIG(status) : 0);
		fail(crew, NULL);
	}
	if (job->state != JOB_DONE)
		job->state = JOB_BLOCKED;
}

static int hear(struct crew *crew, struct job *job)
{
	struct wire wire = WIRE_INIT;
	int r = wire_receive(crew->socks[job - crew->jobs], &wire);

	if (r > 0)
		r = take(crew, job, &wire);
	else
		bury(crew, job);
	wire_done(&wire);
	return MIN(r, 0);
}

/* the loop */

static size_t count_alive(const struct crew *crew)
{
	size_t n = 0;

	for (size_t i = 0; i < crew->n; i++)
		n += crew->jobs[i].pid != 0;
	return n;
}

static int advance(struct crew *crew)
{
	int r;

	if (crew->stopping)
		return 0;
	queue_ready(crew);
	r = let_in(crew);
	if (r < 0)
		fail(crew, NULL);
	return r;
}

/* The others are gone: it may have the terminal. */
static void give_terminal(struct crew *crew)
{
	if (!crew->alone || !crew->alone->pid || crew->is_alone || count_alive(crew) > 1)
		return;
	crew->is_alone = true;
	ignore_result(wire_send(crew->socks[crew->alone - crew->jobs], WIRE_GO, NULL, 0));
}

static void tell_tick(const struct build_request *req)
{
	const struct build_told told = { .event = BUILD_TICK };

	req->tell(req->data, &told);
}

static int wait_once(struct crew *crew, struct pollfd *p, int signals)
{
	bool looks = !crew->is_fixed && !crew->stopping && next_queued(crew) != NULL;
	int tick = crew->jobs[0].b->req->tick_ms, n;

	for (size_t i = 0; i < crew->n; i++)
		p[i] = (struct pollfd) { .fd = crew->socks[i], .events = POLLIN };
	p[crew->n] = (struct pollfd) { .fd = crew->failed ? -1 : signals, .events = POLLIN };
	n = poll(p, crew->n + 1, tick && !crew->alone ? tick : looks ? LOOK_MS : -1);
	if (n < 0 && errno != EINTR)
		return error_sys(crew->err, -errno, "wait for the stages");
	if (n == 0 && tick && !crew->stopping)
		tell_tick(crew->jobs[0].b->req);
	if (looks && clock_monotonic_ms() - crew->looked_ms >= LOOK_MS)
		make_room(crew);
	return n;
}

static int loop(struct crew *crew, int signals)
{
	autofree struct pollfd *p = xcalloc(crew->n + 1, sizeof(*p));
	int r = advance(crew);

	while (count_alive(crew) > 0) {
		int n = wait_once(crew, p, signals);

		for (size_t i = 0; n > 0 && i < crew->n; i++) {
			int heard = p[i].revents ? hear(crew, &crew->jobs[i]) : 0;

			if (heard < 0)
				fail(crew, NULL);
			r = r < 0 ? r : heard;
		}
		if (n > 0 && p[crew->n].revents)
			r = stopped_by_signal(crew);
		give_terminal(crew);
		if (advance(crew) < 0)
			r = -ECANCELED;
	}
	return crew->failed ? (crew->err->code < 0 ? crew->err->code : -ECANCELED) : r;
}

static void add_jobs(struct crew *crew, struct build *b)
{
	for (size_t i = 0; i < b->plan.n; i++)
		if (b->plan.stages[i].needed) {
			crew->jobs[crew->n] =
				(struct job) { .b = b, .stage = i, .needs = STAGE_NONE };
			crew->socks[crew->n++] = -1;
		}
}

static void crew_done(struct crew *crew)
{
	free(crew->jobs);
	free(crew->socks);
}

/* Two connections to one database in a process and its child do not go together: ours is closed
 * while workers have theirs.
 */
static int run_workers(struct build *builds, size_t n, struct fault *ret_fault, struct error *err)
{
	struct engine *engine = builds[0].engine;
	unsigned jobs = builds[0].req->jobs;
	cleanup(crew_done) struct crew crew = { .slots = jobs ? jobs : idle_processors(),
						.is_fixed = jobs > 0,
						.patient_ms = clock_monotonic_ms(),
						.fault = ret_fault,
						.err = err };
	autoclose int signals = -1;
	size_t most = 0;
	sigset_t set;
	int r, opened;

	for (size_t i = 0; i < n; i++)
		most += builds[i].plan.n;
	crew.jobs = xcalloc(most, sizeof(*crew.jobs));
	crew.socks = xcalloc(most, sizeof(*crew.socks));
	for (size_t i = 0; i < n; i++)
		add_jobs(&crew, &builds[i]);
	idle_init(&crew.idle);
	halt_set(&set);
	signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
	if (signals < 0)
		return error_sys(err, -errno, "watch for signals");
	engine_rest(engine);
	r = loop(&crew, signals);
	opened = engine_resume(engine, r < 0 ? NULL : err);
	return r < 0 ? r : opened;
}

/* without workers */

static bool has_run(const struct build *b)
{
	for (size_t i = 0; i < b->plan.n; i++)
		for (size_t k = 0; b->plan.stages[i].needed && k < b->plan.stages[i].n; k++)
			if (b->plan.stages[i].items[k].kind == INS_RUN)
				return true;
	return false;
}

static size_t count_needed(const struct build *b)
{
	size_t n = 0;

	for (size_t i = 0; i < b->plan.n; i++)
		n += b->plan.stages[i].needed;
	return n;
}

static int run_in_order(struct build *b, struct fault *ret_fault)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < b->plan.n; i++)
		if (b->plan.stages[i].needed)
			r = stage_run(b, i, ret_fault);
	return r;
}

int crew_run(struct build *builds, size_t n, struct fault *ret_fault, struct error *err)
{
	bool runs = false;
	size_t stages = 0;
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		runs = runs || has_run(&builds[i]);
		stages += count_needed(&builds[i]);
	}
	/* A narration of several at once would make no sense. */
	if (runs && (stages > 1 || builds[0].req->tick_ms) && builds[0].req->jobs != 1 &&
	    explain_mode() == EXPLAIN_OFF)
		return run_workers(builds, n, ret_fault, err);
	for (size_t i = 0; r == 0 && i < n; i++)
		r = run_in_order(&builds[i], ret_fault);
	return r;
}
