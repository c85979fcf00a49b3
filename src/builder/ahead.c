/* src/builder/ahead.c */
#include "builder/ahead.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "builder/git_source.h"
#include "builder/halt.h"
#include "builder/instruction.h"
#include "builder/named.h"
#include "builder/step.h"
#include "engine/engine.h"
#include "image/incoming.h"

#define AHEAD_MAX 8 /* at the same time: each has a process, and a connection */

struct ahead {
	const struct instruction *ins;
	struct incoming in;
	pid_t pid;
};

/* A word with a variable may turn out to be one. */
static bool may_be_remote(const char *word)
{
	struct git_source git = { .url = NULL };
	bool is_git = git_source_parse(word, &git, NULL) == 0;

	git_source_done(&git);
	return is_git || url_is_http(word) || *word == '$';
}

bool ahead_is_free(const struct build *b, const struct instruction *ins)
{
	const char *from = instruction_flag(ins, "from");
	const struct named *named = from ? named_find(b->req->contexts, from) : NULL;

	if (ins->kind != INS_ADD && ins->kind != INS_COPY)
		return false;
	/* What a stage or an image has is here already, or another process's work. */
	if (from && (!named || named->image))
		return false;
	if (instruction_has(ins, "link"))
		return true;
	for (size_t i = 0; ins->kind == INS_ADD && i + 1 < ins->words.n; i++)
		if (may_be_remote(ins->words.items[i]))
			return true;
	return false;
}

static struct ahead *find(const struct build *b, const struct instruction *ins)
{
	for (size_t i = 0; i < b->naheads; i++)
		if (b->aheads[i].ins == ins)
			return &b->aheads[i];
	return NULL;
}

static _Noreturn void child(const struct work *w, const struct incoming *in, pid_t parent)
{
	struct error err = { 0 };
	struct build b = *w->b;
	struct work own = *w;
	sigset_t none;

	(void)prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(1);
	(void)sigemptyset(&none);
	(void)sigprocmask(SIG_SETMASK, &none, NULL);
	/* Whoever waits for the end of our parent shall see it. */
	if (b.boss >= 0)
		(void)close(b.boss);
	b.boss = -1;
	b.err = &err;
	b.aheads = NULL;
	b.naheads = 0;
	own.b = &b;
	own.lower = (struct strv) { NULL, 0, 0 };
	_exit(copy_ahead(&own, in) < 0);
}

static void begin_one(struct work *w, struct state *state, const struct instruction *ins)
{
	struct build *b = w->b;
	struct work own = { .b = b, .stage = w->stage, .state = state, .ins = ins };
	struct ahead one = { .ins = ins, .in = INCOMING_INIT };
	pid_t parent = getpid();

	if (incoming_begin(engine_root(b->engine), engine_root_fd(b->engine), &one.in, NULL) < 0)
		return;
	(void)fflush(NULL);
	one.pid = fork();
	if (one.pid == 0)
		child(&own, &one.in, parent);
	if (one.pid < 0) {
		incoming_done(&one.in);
		return;
	}
	VEC_GROW(b->aheads, b->naheads, b->aheads_room);
	b->aheads[b->naheads++] = one;
}

/* What the config and the variables are behind it; what it does to files nobody asks here. */
static int pass(struct state *state, const struct instruction *ins)
{
	autofree char *said = NULL;

	if (ins->kind == INS_RUN || ins->kind == INS_COPY || ins->kind == INS_ADD)
		return 0;
	return state_apply(state, ins, &said, NULL);
}

void ahead_begin(struct work *w)
{
	const struct build *b = w->b;
	const struct stage_plan *stage = &b->plan.stages[w->stage];
	struct state state;
	size_t at = w->number - 1; /* FROM is the first, and none of the items */

	/* Of what the base image left to do the rest is not known here. */
	if (b->by_hand || b->req->jobs == 1 || explain_mode() != EXPLAIN_OFF || at == 0 ||
	    at > stage->n || w->ins != &stage->items[at - 1])
		return;
	state_init_stage(&state, w->state);
	for (int r = 0; r == 0 && at < stage->n && b->naheads < AHEAD_MAX; at++) {
		const struct instruction *ins = &stage->items[at];

		if (ahead_is_free(b, ins) && !find(b, ins))
			begin_one(w, &state, ins);
		r = pass(&state, ins);
	}
	state_done(&state);
}

bool ahead_take(struct work *w, struct incoming *ret)
{
	struct build *b = w->b;
	struct ahead *one = find(b, w->ins), taken;
	sigset_t before;
	int status = 0;

	if (!one)
		return false;
	/* A signal ends us, and that ends it. */
	halt_allow(&before);
	(void)TEMP_FAILURE_RETRY(waitpid(one->pid, &status, 0));
	halt_forbid(&before);
	taken = *one;
	*one = b->aheads[--b->naheads];
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0) {
		incoming_done(&taken.in);
		return false;
	}
	*ret = taken.in;
	return true;
}

void ahead_done(struct build *b)
{
	for (size_t i = 0; i < b->naheads; i++) {
		(void)kill(b->aheads[i].pid, SIGKILL);
		(void)TEMP_FAILURE_RETRY(waitpid(b->aheads[i].pid, NULL, 0));
		incoming_done(&b->aheads[i].in);
	}
	free(b->aheads);
	b->aheads = NULL;
	b->naheads = b->aheads_room = 0;
}
