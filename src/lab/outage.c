/* src/lab/outage.c */
#include "lab/outage.h"

#include <poll.h>
#include <sys/wait.h>

#include "base/alloc.h"
#include "base/clock.h"

#define STEADY_MS  1000   /* so long it is answered on end when all is over */
#define GIVE_UP_MS 120000 /* spanning tree takes 30 s, twice if it finds out late */

struct watching {
	struct outage *o;
	struct prober *prober;
	pid_t child; /* 0: it has ended */
	int64_t last_ms, steady_ms, end_ms;
};

static pid_t start(const char *command)
{
	pid_t pid = fork();

	if (pid != 0)
		return pid;
	(void)dup2(STDERR_FILENO, STDOUT_FILENO);
	(void)execl("/bin/sh", "sh", "-c", command, (char *)NULL);
	_exit(127);
}

/* One request, and what comes until the next is due. */
static bool ask(struct watching *w)
{
	struct ping p = { .from = w->o->from, .to = w->o->to };
	struct pollfd answer = { .fd = prober_fd(w->prober, p.from, p.to.family),
				 .events = POLLIN };
	int64_t now, due = clock_monotonic_ms() + OUTAGE_EVERY_MS;

	prober_send(w->prober, &p, NULL);
	w->o->sent++;
	while ((now = clock_monotonic_ms()) < due) {
		if (poll(&answer, 1, (int)(due - now)) > 0)
			prober_receive(w->prober, &p);
	}
	w->o->answered += p.answered;
	return p.answered;
}

static void note(struct watching *w, bool answered)
{
	int64_t now = clock_monotonic_ms(), gap = now - w->last_ms;

	if (!answered) {
		w->steady_ms = now;
		return;
	}
	if (gap >= 3 * OUTAGE_EVERY_MS) /* else a machine that was busy elsewhere */
		w->o->longest_ms = MAX(w->o->longest_ms, gap - OUTAGE_EVERY_MS);
	w->last_ms = now;
}

static void reap(struct watching *w)
{
	int status = 0;

	if (!w->child || waitpid(w->child, &status, WNOHANG) != w->child)
		return;
	w->child = 0;
	w->o->status = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	w->steady_ms = clock_monotonic_ms();
	w->end_ms = w->steady_ms + GIVE_UP_MS;
}

static bool is_over(const struct watching *w)
{
	return !w->child &&
	       (w->last_ms - w->steady_ms >= STEADY_MS || clock_monotonic_ms() >= w->end_ms);
}

int outage_watch(struct lab *lab, struct outage *o, struct error *err)
{
	cleanup(prober_cleanup) struct prober *prober = NULL;
	autofree bool *only = xcalloc(lab->topology->n_nodes, sizeof(*only));
	struct ping first = { .from = o->from, .to = o->to };
	struct watching w = { .o = o };
	int r;

	only[o->from] = true;
	r = prober_open(lab, only, &prober, err);
	if (r < 0)
		return r;
	prober_run(prober, &first, 1, NULL);
	if (!first.answered)
		return error_set(err, -EHOSTUNREACH,
				 "it is not answered before anything is done; 'strake lab ping' "
				 "without --command says why");
	w.prober = prober;
	w.last_ms = clock_monotonic_ms();
	w.child = start(o->command);
	if (w.child < 0)
		return error_sys(err, -errno, "start the command");
	do {
		note(&w, ask(&w));
		reap(&w);
	} while (!is_over(&w));
	o->is_back = w.last_ms - w.steady_ms >= STEADY_MS;
	if (!o->is_back)
		o->longest_ms = clock_monotonic_ms() - w.last_ms;
	return 0;
}
