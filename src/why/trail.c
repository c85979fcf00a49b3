/* src/why/trail.c */
#include "why/trail.h"

#include "base/alloc.h"
#include "why/eval.h"
#include "why/journey.h"
#include "why/judge.h"
#include "why/tell.h"

static void add_step(struct path *path, const struct step *step)
{
	VEC_GROW(path->steps, path->n, path->room);
	path->steps[path->n++] = *step;
}

static void add_hook(struct path *path, const struct trace_event *e)
{
	static const enum hook hooks[] = {
		[TRACE_FOREIGN] = HOOK_NONE,    [TRACE_IN] = HOOK_PREROUTING,
		[TRACE_OUT] = HOOK_OUTPUT,      [TRACE_FORWARDED] = HOOK_FORWARD,
		[TRACE_DELIVERED] = HOOK_INPUT, [TRACE_SENT] = HOOK_POSTROUTING,
	};

	if (e->family != FAMILY_BRIDGE)
		add_step(path, &(struct step) { .kind = STEP_HOOK, .hook = hooks[e->mark_of] });
}

/* A chain that was called and has no rule that matches says nothing of itself. */
static void add_chain(struct path *path, struct journey *j, const struct note *note)
{
	const struct chain *chain = journey_chain(j, note), *to;

	if (!chain)
		return;
	add_step(path, &(struct step) { .kind = STEP_CHAIN, .chain = chain });
	to = note->e.target[0] ? table_chain(chain->table, note->e.target) : NULL;
	if (to)
		add_step(path, &(struct step) { .kind = STEP_CHAIN, .chain = to });
}

static void make_path(struct journey *j, const struct visit *v, const struct judgement *g,
		      struct path *ret)
{
	*ret = (struct path) { .outcome = OUTCOME_SENT };
	for (size_t i = 0; i < v->n; i++) {
		const struct note *note = &j->notes[v->notes[i]];

		if (note->e.mark_of == TRACE_FOREIGN)
			add_chain(ret, j, note);
		else
			add_hook(ret, &note->e);
		if (note == g->at && note->e.mark_of == TRACE_FOREIGN) {
			ret->chain = journey_chain(j, note);
			ret->outcome = OUTCOME_DROPPED;
		}
	}
}

void trail_make(struct journey *j, const struct judgement *judgement, struct trail *ret)
{
	*ret = (struct trail) { 0 };
	if (j->n == 0)
		return;
	ret->pictures = xcalloc(j->n, sizeof(*ret->pictures));
	ret->paths = xcalloc(j->n, sizeof(*ret->paths));
	ret->titles = xcalloc(j->n, sizeof(*ret->titles));
	for (size_t i = 0; i < j->n; i++) {
		struct place *place = &j->places.items[j->visits[i].place];
		const struct ruleset *rs = place_rules(place);
		size_t at = ret->n;

		if (!rs)
			continue;
		make_path(j, &j->visits[i], judgement, &ret->paths[at]);
		if (ret->paths[at].n == 0)
			continue; /* of a frame on a bridge that has no rules */
		ret->titles[at] = xasprintf("%zu. %s in %s", at + 1,
					    direction_name(j->visits[i].direction), place->name);
		ret->pictures[at] = (struct picture) { rs, &ret->paths[at], ret->titles[at] };
		ret->n++;
	}
}

void trail_done(struct trail *trail)
{
	for (size_t i = 0; i < trail->n; i++) {
		free(trail->paths[i].steps);
		free(trail->titles[i]);
	}
	free(trail->pictures);
	free(trail->paths);
	free(trail->titles);
	*trail = (struct trail) { 0 };
}
