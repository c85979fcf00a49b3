/* src/builder/stage.c */
#include "builder/stage.h"

#include <string.h>

#include "base/alloc.h"
#include "base/event.h"
#include "builder/ahead.h"
#include "builder/edits.h"
#include "builder/halt.h"
#include "builder/instruction.h"
#include "builder/named.h"
#include "builder/source.h"
#include "builder/step.h"
#include "engine/engine.h"

#define EVENT_TEXT_MAX 200

static int plain_step(struct work *w)
{
	autofree char *said = NULL;
	int r = state_apply(w->state, w->ins, &said, w->b->err);

	if (r == 0)
		state_add_history(w->state, said, NULL, NULL, w->state->created_ns);
	return r;
}

static void tell_event(const struct work *w)
{
	const struct build *b = w->b;
	autofree char *step = xasprintf("%u/%u", w->number, w->total);
	autofree char *text = xasprintf("%.*s", EVENT_TEXT_MAX, w->ins->line->text);
	const char *const list[] = {
		"name",        b->req->names->n ? b->req->names->items[0] : b->id,
		"stage",       b->plan.stages[w->stage].label,
		"step",        step,
		"instruction", text,
		"platform",    b->req->shown_platform,
		NULL
	};

	if (!b->by_hand)
		event_tell(engine_root_fd(b->engine), "build", "step", b->id, list);
}

int build_instruction(struct work *w)
{
	int r = halt_check(w->b->err);

	if (r < 0)
		return r;
	state_lower(w->b->engine, w->state, &w->lower);
	work_tell(w, BUILD_STEP, w->ins->line->text);
	tell_event(w);
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
	int r = source_parse(text, strlen(text), "ONBUILD", &source, &nowhere, w->b->err);

	for (size_t i = 0; r == 0 && i < source.all.n; i++) {
		one.ins = &source.all.items[i];
		if (one.ins->kind == INS_FROM || one.ins->kind == INS_ONBUILD)
			r = error_set(w->b->err, -EINVAL, "ONBUILD %.60s is not allowed", text);
		else
			r = build_instruction(&one);
	}
	return r < 0 ? error_wrap(w->b->err, r, "the base image's ONBUILD %.200s", text) : 0;
}

int build_triggers(struct work *w)
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
	if (named_find(b->req->contexts, stage->image) &&
	    !named_find(b->req->contexts, stage->image)->image) {
		/* Files as a root: what a COPY of them all makes. */
		state_init_scratch(state, &b->given, b->escape, platform);
		strv_addf(&state->triggers, "COPY --from=%s . /", stage->image);
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
	if (r < 0)
		return r;
	/* Of the steps that make no layer, too. */
	if (b->req->newest_s >= 0)
		state->created_ns = MIN(state->created_ns, b->req->newest_s * 1000000000);
	return build_hold(b, &state->chains);
}

/* Puts the place in front of what is said already. */
static int place(const struct work *w, struct fault *ret_fault, int r)
{
	*ret_fault = line_fault_of(w->ins->line, w->state->scope.failed);
	return error_wrap(w->b->err, r, "%s:%u", w->b->req->name, ret_fault->line);
}

static int start(struct work *w)
{
	int r;

	work_tell(w, BUILD_STEP, w->ins->line->text);
	r = start_stage(w->b, w->stage);
	if (r == 0 && w->b->req->edits && w->b->plan.stages[w->stage].base == STAGE_NONE)
		r = edits_start(w->b->req->edits, w->state, w->b->err);
	if (r == 0)
		r = build_triggers(w);
	if (r == 0)
		work_tell(w, BUILD_END, NULL);
	return r;
}

int stage_run(struct build *b, size_t number, struct fault *ret_fault)
{
	const struct stage_plan *stage = &b->plan.stages[number];
	struct work w = { .b = b,
			  .stage = number,
			  .state = &b->states[number],
			  .ins = stage->from,
			  .number = 1,
			  .total = (unsigned)stage->n + 1 };
	int r;

	r = start(&w);
	for (size_t i = 0; r == 0 && i < stage->n; i++) {
		w.ins = &stage->items[i];
		w.number++;
		r = build_instruction(&w);
		if (r == 0)
			work_tell(&w, BUILD_END, NULL);
	}
	ahead_done(b);
	if (r < 0)
		work_tell(&w, BUILD_FAILED, NULL);
	return r < 0 ? place(&w, ret_fault, r) : 0;
}
