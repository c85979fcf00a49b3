/* src/builder/build.c - start at build_run(). */
#include "builder/build.h"

#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "builder/finish.h"
#include "builder/instruction.h"
#include "builder/secrets.h"
#include "builder/step.h"
#include "engine/archive.h"
#include "engine/engine.h"
#include "image/image.h"
#include "image/platform.h"

/* The file, read. */
struct source {
	struct containerfile file;
	struct instructions all;
};

static void source_done(struct source *s)
{
	instructions_done(&s->all);
	containerfile_done(&s->file);
}

static void build_done(struct build *b)
{
	for (size_t i = 0; b->states && i < b->plan.n; i++)
		state_done(&b->states[i]);
	free(b->states);
	plan_done(&b->plan);
	scope_given_done(&b->given);
	strv_done(&b->declared);
}

/* images */

static bool fits(const struct image *image, const char *wish)
{
	autofree char *have = NULL;

	if (!wish || !image->config.os || !image->config.architecture)
		return true;
	have = xasprintf("%s/%s", image->config.os, image->config.architecture);
	return platform_fits(have, wish) || platform_fits(wish, have);
}

static int fetch(struct build *b, const char *name, const char *platform, bool always,
		 char ret_id[ID_LEN + 1])
{
	const struct build_told told = { .event = BUILD_PULL, .text = name };

	b->req->tell(b->req->data, &told);
	return archive_fetch(b->engine, name, platform, always, ret_id, b->err);
}

int build_find_image(struct build *b, const char *name, const char *platform,
		     char ret_id[ID_LEN + 1])
{
	cleanup(image_cleanup) struct image *image = NULL;
	const char *pull = b->req->pull;
	char wish[PLATFORM_LEN];
	int r = platform ? platform_parse(platform, wish, b->err) : 0;

	if (r < 0)
		return r;
	if (pull && strcmp(pull, "always") == 0)
		return fetch(b, name, platform, true, ret_id);
	r = image_find(engine_db(b->engine), engine_root_fd(b->engine), name, &image, b->err);
	if (r == 0 && fits(image, platform ? wish : NULL)) {
		memcpy(ret_id, image->id, ID_LEN + 1);
		return 0;
	}
	if (pull && strcmp(pull, "never") == 0)
		return r < 0 ? r
			     : error_set(b->err, -ENOENT, "image %.200s is here, but not for %s",
					 name, wish);
	if (r < 0 && r != -ENOENT)
		return r;
	return fetch(b, name, platform, r == 0, ret_id);
}

/* steps */

static int plain_step(struct work *w)
{
	autofree char *said = NULL;
	int r = state_apply(w->state, w->ins, &said, w->b->err);

	if (r == 0)
		state_add_history(w->state, said, NULL, NULL, w->state->created_ns);
	return r;
}

static int run_instruction(struct work *w)
{
	int r = -EINVAL;

	state_lower(w->b->engine, w->state, &w->lower);
	work_tell(w, BUILD_STEP, w->ins->line->text);
	switch (w->ins->kind) {
	case INS_ADD:
	case INS_COPY:
		r = step_copy(w);
		break;
	case INS_RUN:
		r = step_run(w);
		break;
	case INS_WORKDIR:
		r = step_workdir(w);
		break;
	case INS_ARG:
	case INS_CMD:
	case INS_ENTRYPOINT:
	case INS_ENV:
	case INS_EXPOSE:
	case INS_HEALTHCHECK:
	case INS_LABEL:
	case INS_MAINTAINER:
	case INS_ONBUILD:
	case INS_SHELL:
	case INS_STOPSIGNAL:
	case INS_USER:
	case INS_VOLUME:
	case INS_FROM:
	case N_INSTRUCTIONS:
		r = plain_step(w);
		break;
	}
	strv_done(&w->lower);
	return r;
}

/* What the image below left to be done, each text a file of one line. */
static int run_trigger(struct work *w, const char *text)
{
	cleanup(source_done) struct source source = { .file = { .n = 0 } };
	struct work one = *w;
	struct fault nowhere;
	int r = containerfile_parse(text, strlen(text), "ONBUILD", &source.file, &nowhere,
				    w->b->err);

	if (r == 0)
		r = instructions_parse(&source.file, "ONBUILD", &source.all, &nowhere, w->b->err);
	for (size_t i = 0; r == 0 && i < source.all.n; i++) {
		one.ins = &source.all.items[i];
		if (one.ins->kind == INS_FROM || one.ins->kind == INS_ONBUILD)
			r = error_set(w->b->err, -EINVAL, "ONBUILD %.60s is not allowed", text);
		else
			r = run_instruction(&one);
	}
	return r < 0 ? error_wrap(w->b->err, r, "the base image's ONBUILD %.200s", text) : 0;
}

static int run_triggers(struct work *w)
{
	struct strv triggers = w->state->triggers;
	int r = 0;

	w->state->triggers = (struct strv) { 0 };
	for (size_t i = 0; r == 0 && i < triggers.n; i++)
		r = run_trigger(w, triggers.items[i]);
	strv_done(&triggers);
	return r;
}

static int start_stage(struct build *b, size_t number)
{
	const struct stage_plan *stage = &b->plan.stages[number];
	const char *platform =
		stage->platform && *stage->platform ? stage->platform : b->req->platform;
	struct state *state = &b->states[number];
	char id[ID_LEN + 1];
	int r;

	if (stage->base != STAGE_NONE) {
		state_init_stage(state, &b->states[stage->base]);
		return 0;
	}
	if (strcmp(stage->image, "scratch") == 0) {
		state_init_scratch(state, &b->given, b->escape, platform);
		return 0;
	}
	r = build_find_image(b, stage->image, platform, id);
	if (r == 0)
		r = state_init_image(state, &b->given, b->escape, engine_db(b->engine),
				     engine_root_fd(b->engine), id, b->err);
	return r < 0 ? r : build_hold(b, &state->chains);
}

/* Puts the place in front of what is said already. */
static int place(struct build *b, struct fault *ret_fault, const struct line *line, int r)
{
	*ret_fault = line_fault(line, 0);
	return error_wrap(b->err, r, "%s:%u", b->req->name, line->first);
}

static int run_stage(struct build *b, size_t number, struct fault *ret_fault)
{
	const struct stage_plan *stage = &b->plan.stages[number];
	struct work w = { .b = b,
			  .stage = number,
			  .state = &b->states[number],
			  .ins = stage->from,
			  .number = 1,
			  .total = (unsigned)stage->n + 1 };
	int r;

	work_tell(&w, BUILD_STEP, stage->from->line->text);
	r = start_stage(b, number);
	if (r == 0)
		r = run_triggers(&w);
	if (r < 0)
		return place(b, ret_fault, stage->from->line, r);
	for (size_t i = 0; i < stage->n; i++) {
		w.ins = &stage->items[i];
		w.number++;
		r = run_instruction(&w);
		if (r < 0)
			return place(b, ret_fault, w.ins->line, r);
	}
	return 0;
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

static int build_source(struct build *b, const struct source *source, char ret_id[ID_LEN + 1],
			struct fault *ret_fault)
{
	const struct plan_request pr = { .file = &source->file,
					 .all = &source->all,
					 .name = b->req->name,
					 .given = &b->given,
					 .target = b->req->target };
	int r = plan_make(&pr, &b->plan, ret_fault, b->err);

	if (r < 0)
		return r;
	b->escape = source->file.escape;
	b->states = xcalloc(b->plan.n, sizeof(*b->states));
	warn_unused(b, &source->all);
	for (size_t i = 0; r == 0 && i < b->plan.n; i++)
		if (b->plan.stages[i].needed)
			r = run_stage(b, i, ret_fault);
	return r < 0 ? r : build_finish(b, &b->states[b->plan.target], ret_id);
}

int build_run(struct engine *engine, const struct build_request *req, char ret_id[ID_LEN + 1],
	      struct fault *ret_fault, struct error *err)
{
	cleanup(source_done) struct source source = { .file = { .n = 0 } };
	cleanup(build_done) struct build b = { .engine = engine, .req = req, .err = err };
	int r = containerfile_parse(req->bytes, req->len, req->name, &source.file, ret_fault, err);

	if (r == 0)
		r = instructions_parse(&source.file, req->name, &source.all, ret_fault, err);
	secrets_sweep(engine);
	if (r == 0)
		r = scope_given_init(&b.given, req->build_args, req->platform, err);
	if (r == 0)
		r = hold_name(b.hold, err);
	if (r < 0)
		return r;
	r = build_source(&b, &source, ret_id, ret_fault);
	ignore_result(hold_release(engine_db(engine), engine_root_fd(engine), b.hold, NULL, NULL));
	return r;
}
