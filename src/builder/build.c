/* src/builder/build.c - start at build_run(). */
#include "builder/build.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/event.h"
#include "base/id.h"
#include "builder/cache_in.h"
#include "builder/cache_out.h"
#include "builder/crew.h"
#include "builder/look.h"
#include "builder/named.h"
#include "builder/output.h"
#include "builder/secrets.h"
#include "builder/source.h"
#include "builder/step.h"
#include "engine/engine.h"

static void build_done(struct build *b)
{
	for (size_t i = 0; b->states && i < b->plan.n; i++)
		state_done(&b->states[i]);
	free(b->states);
	free(b->firsts);
	plan_done(&b->plan);
	scope_given_done(&b->given);
	strv_done(&b->declared);
}

static void warn_unused(struct build *b, const struct instructions *all)
{
	struct strv unused = { 0 };

	for (size_t i = 0; i < all->n; i++)
		for (size_t k = 0; all->items[i].kind == INS_ARG && k < all->items[i].words.n; k++)
			strv_take(&b->declared,
				  xstrndup(all->items[i].words.items[k],
					   strcspn(all->items[i].words.items[k], "=")));
	scope_given_unused(&b->given, &b->declared, &unused);
	for (size_t i = 0; i < unused.n; i++) {
		autofree char *text = xasprintf("--build-arg %s: no ARG takes it", unused.items[i]);
		const struct build_told told = { .event = BUILD_WARNING, .text = text };

		b->req->tell(b->req->data, &told);
	}
	strv_done(&unused);
}

/* Steps are numbered through all builds; returns the next number. */
static unsigned number_steps(struct build *b, unsigned next)
{
	b->firsts = xcalloc(b->plan.n, sizeof(*b->firsts));
	for (size_t i = 0; i < b->plan.n; i++) {
		b->firsts[i] = next;
		if (b->plan.stages[i].needed)
			next += (unsigned)b->plan.stages[i].n + 1;
	}
	return next;
}

static int prepare(struct build *b, const struct source *source, struct fault *ret_fault)
{
	const struct plan_request pr = { .file = &source->file,
					 .all = &source->all,
					 .name = b->req->name,
					 .given = &b->given,
					 .target = b->req->target,
					 .contexts =
						 b->req->contexts ? &b->req->contexts->names : NULL,
					 .uncached = b->req->uncached,
					 .from = b->req->from,
					 .all_stages = b->req->all_stages };
	int r = scope_given_init(&b->given, b->req->build_args, b->req->platform, b->err);

	if (r == 0)
		r = plan_make(&pr, &b->plan, ret_fault, b->err);
	if (r < 0)
		return r;
	b->escape = source->file.escape;
	b->states = xcalloc(b->plan.n, sizeof(*b->states));
	return 0;
}

/* The same file for each platform. */
struct platforms {
	struct build_request *reqs;
	struct build *builds;
	size_t n;
};

static void platforms_init(struct platforms *p, struct engine *engine,
			   const struct build_request *req, struct error *err)
{
	p->n = MAX(req->platforms->n, 1);
	p->reqs = xcalloc(p->n, sizeof(*p->reqs));
	p->builds = xcalloc(p->n, sizeof(*p->builds));
	for (size_t i = 0; i < p->n; i++) {
		p->reqs[i] = *req;
		if (req->platforms->n)
			p->reqs[i].platform = req->platforms->items[i];
		if (req->platforms->n > 1)
			p->reqs[i].shown_platform = p->reqs[i].platform;
		p->builds[i] = (struct build) {
			.engine = engine, .req = &p->reqs[i], .err = err, .boss = -1
		};
	}
}

static void platforms_done(struct platforms *p)
{
	for (size_t i = 0; i < p->n; i++)
		build_done(&p->builds[i]);
	free(p->reqs);
	free(p->builds);
}

/* What they stand on, for as long as this process lives, in its name; and a name for people. */
static int hold(struct platforms *p, struct error *err)
{
	char id[ID_LEN + 1];
	int r = id_new(id);

	if (r < 0)
		return error_sys(err, r, "choose a name");
	for (size_t i = 0; r == 0 && i < p->n; i++) {
		(void)snprintf(p->builds[i].id, sizeof(p->builds[i].id), "%.*s", ID_SHORT_LEN, id);
		r = hold_name(p->builds[i].hold, err);
	}
	return r;
}

static void tell_event(const struct build *b, const char *action, const char *image,
		       const char *status)
{
	autofree char *digest = image ? xasprintf("sha256:%s", image) : NULL;
	const char *const list[] = { "name",     b->req->names->n ? b->req->names->items[0] : b->id,
				     "file",     b->req->name,
				     "exitCode", status,
				     "image",    digest,
				     NULL };

	event_tell(engine_root_fd(b->engine), "build", action, b->id, list);
}

static int go(struct platforms *p, struct build_result *ret, struct fault *ret_fault,
	      struct error *err)
{
	struct build *first = &p->builds[0];
	int r = hold(p, err);

	if (r < 0)
		return r;
	tell_event(first, "start", NULL, NULL);
	r = crew_run(p->builds, p->n, ret_fault, err);
	if (r == 0)
		r = output_all(p->builds, p->n, ret, err);
	if (r == 0)
		r = caches_write(p->builds, p->n, first->req->cache_to, err);
	ignore_result(hold_release(engine_db(first->engine), engine_root_fd(first->engine),
				   first->hold, NULL, NULL));
	tell_event(first, "end", r < 0 ? NULL : ret->id, r < 0 ? "1" : "0");
	return r;
}

int build_run(struct engine *engine, const struct build_request *req, struct build_result *ret,
	      struct fault *ret_fault, struct error *err)
{
	cleanup(source_done) struct source source = { .file = { .n = 0 } };
	cleanup(platforms_done) struct platforms p = { .n = 0 };
	cleanup(caches_done) struct caches_in caches = { .in = INCOMING_INIT };
	int r = source_parse(req->bytes, req->len, req->name, &source, ret_fault, err);
	unsigned next = 1;

	secrets_sweep(engine);
	platforms_init(&p, engine, req, err);
	if (r == 0)
		r = output_check(req, p.n, err);
	for (size_t i = 0; r == 0 && i < p.n; i++) {
		r = prepare(&p.builds[i], &source, ret_fault);
		if (r == 0)
			next = number_steps(&p.builds[i], next);
	}
	if (r == 0)
		warn_unused(&p.builds[0], &source.all);
	if (r == 0)
		r = look_warn(&p.builds[0], &source, ret_fault, err);
	if (r == 0 && req->cache_from)
		r = caches_open(engine, req, req->cache_from, &caches, err);
	for (size_t i = 0; i < p.n; i++)
		p.reqs[i].caches = &caches;
	return r < 0 ? r : go(&p, ret, ret_fault, err);
}
