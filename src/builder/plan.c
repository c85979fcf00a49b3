/* src/builder/plan.c */
#include "builder/plan.h"

#include <ctype.h>
#include <string.h>
#include <strings.h>

#include "base/alloc.h"
#include "base/nearest.h"
#include "base/number.h"
#include "builder/containerfile.h"
#include "builder/instruction.h"
#include "builder/output_spec.h"

#define STAGES_MAX 1000

struct planner {
	const struct plan_request *req;
	struct plan *plan;
	struct scope global;
	struct fault *fault;
	struct error *err;
};

/* Puts the place in front of what is said already. */
static int place(const struct planner *p, const struct instruction *ins, int r)
{
	*p->fault = line_fault_of(ins->line, p->global.failed);
	return error_wrap(p->err, r, "%s:%u", p->req->name, p->fault->line);
}

static int fail(const struct planner *p, const struct instruction *ins, const char *text)
{
	return place(p, ins, error_set(p->err, -EINVAL, "%s", text));
}

size_t plan_find(const struct plan *plan, const char *name, size_t before)
{
	uint64_t number;

	for (size_t i = 0; plan->contexts && i < plan->contexts->n; i++)
		if (strcasecmp(plan->contexts->items[i], name) == 0)
			return STAGE_NONE;
	for (size_t i = before; i > 0; i--)
		if (plan->stages[i - 1].name && strcasecmp(plan->stages[i - 1].name, name) == 0)
			return i - 1;
	if (number_parse(name, before, &number) == 0 && number < before)
		return (size_t)number;
	return STAGE_NONE;
}

static bool is_stage_name(const char *name)
{
	if (!isalpha((unsigned char)*name))
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("-_.", *name))
			return false;
	return true;
}

static char *lower_case(const char *text)
{
	char *copy = xstrdup(text);

	for (char *p = copy; *p; p++)
		*p = (char)tolower((unsigned char)*p);
	return copy;
}

static int name_stage(struct planner *p, struct stage_plan *stage, size_t number)
{
	const struct instruction *from = stage->from;

	stage->label = xasprintf("stage-%zu", number);
	if (from->words.n < 3)
		return 0;
	if (!is_stage_name(from->words.items[2]))
		return fail(p, from,
			    "a stage's name starts with a letter and holds letters, digits, - _ .");
	stage->name = lower_case(from->words.items[2]);
	free(stage->label);
	stage->label = xstrdup(stage->name);
	return 0;
}

/* --from: another image under the first stage. */
static int replace_base(const struct planner *p, struct stage_plan *stage)
{
	stage->image = xstrdup(p->req->from);
	return *stage->image ? 0 : error_set(p->err, -EINVAL, "--from wants the name of an image");
}

static int start_stage(struct planner *p, const struct instruction *from)
{
	struct plan *plan = p->plan;
	struct stage_plan *stage = &plan->stages[plan->n];
	const struct word_scope words = scope_words(&p->global);
	const char *platform = instruction_flag(from, "platform");
	size_t number = plan->n;
	int r;

	if (plan->n >= STAGES_MAX)
		return fail(p, from, "too many stages");
	*stage = (struct stage_plan) { .from = from, .items = from + 1 };
	plan->n++;
	r = number == 0 && p->req->from
		    ? replace_base(p, stage)
		    : word_expand(&words, from->words.items[0], &stage->image, p->err);
	if (r == 0 && platform)
		r = word_expand(&words, platform, &stage->platform, p->err);
	if (r < 0)
		return place(p, from, r);
	if (!*stage->image)
		return fail(p, from,
			    "the image's name is empty: does a variable in it have no value?");
	stage->base = plan_find(plan, stage->image, number);
	/* A number is an image's name here. */
	if (stage->base != STAGE_NONE && isdigit((unsigned char)stage->image[0]))
		stage->base = STAGE_NONE;
	return name_stage(p, stage, number);
}

static int read_stages(struct planner *p)
{
	const struct instructions *all = p->req->all;
	int r = 0;

	p->plan->stages = xcalloc(STAGES_MAX + 1, sizeof(*p->plan->stages));
	for (size_t i = 0; r == 0 && i < all->n; i++) {
		const struct instruction *ins = &all->items[i];

		if (ins->kind == INS_FROM)
			r = start_stage(p, ins);
		else if (p->plan->n > 0)
			p->plan->stages[p->plan->n - 1].n++;
		else if (ins->kind != INS_ARG)
			r = fail(p, ins, "only ARG may stand before the first FROM");
		else if ((r = scope_declare(&p->global, ins, p->err)) < 0)
			r = place(p, ins, r);
	}
	if (r == 0 && p->plan->n == 0)
		r = error_set(p->err, -EINVAL, "%s has no FROM; an image starts with one",
			      p->req->name);
	return r;
}

/* The target and what it needs */

char *mount_from(const char *mount)
{
	for (const char *at = mount; *at; at += at[0] == ',') {
		size_t n = strcspn(at, ",");

		if (strncasecmp(at, "from=", 5) == 0)
			return xstrndup(at + 5, n - 5);
		at += n;
	}
	return NULL;
}

static void need(struct plan *plan, const char *name, size_t before)
{
	size_t found = plan_find(plan, name, before);

	if (found != STAGE_NONE)
		plan->stages[found].needed = true;
}

static void need_sources(struct plan *plan, const struct instruction *ins, size_t before)
{
	const char *from = instruction_flag(ins, "from");

	if (from)
		need(plan, from, before);
	for (size_t i = 0; i < ins->flags.n; i++) {
		autofree char *source = NULL;

		if (strncmp(ins->flags.items[i], "mount=", 6) != 0)
			continue;
		source = mount_from(ins->flags.items[i] + 6);
		if (source)
			need(plan, source, before);
	}
}

/* Only earlier stages are ever needed, so one pass downwards finds all. */
static void mark_needed(struct plan *plan, bool all)
{
	for (size_t i = all ? 0 : plan->target; i <= plan->target; i++)
		plan->stages[i].needed = true;
	for (size_t i = plan->target + 1; i > 0; i--) {
		const struct stage_plan *stage = &plan->stages[i - 1];

		if (!stage->needed)
			continue;
		if (stage->base != STAGE_NONE)
			plan->stages[stage->base].needed = true;
		for (size_t k = 0; k < stage->n; k++)
			need_sources(plan, &stage->items[k], i - 1);
	}
}

static int choose_target(const struct planner *p)
{
	struct plan *plan = p->plan;
	const char *target = p->req->target;
	struct nearest near = nearest_init(target ? target : "");

	plan->target = target && *target ? plan_find(plan, target, plan->n) : plan->n - 1;
	if (plan->target != STAGE_NONE)
		return 0;
	for (size_t i = 0; i < plan->n; i++)
		if (plan->stages[i].name)
			nearest_try(&near, plan->stages[i].name);
	return near.best ? error_set(p->err, -ENOENT,
				     "--target %.100s: %s has no such stage; did you mean %s?",
				     target, p->req->name, near.best)
			 : error_set(p->err, -ENOENT, "--target %.100s: %s has no such stage",
				     target, p->req->name);
}

static int mark_uncached(const struct planner *p)
{
	struct strv names = { 0 };
	int r = 0;

	for (size_t i = 0; p->req->uncached && i < p->req->uncached->n; i++)
		r = csv_split(p->req->uncached->items[i], &names);
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		size_t found = plan_find(p->plan, names.items[i], p->plan->n);

		if (found == STAGE_NONE)
			r = error_set(p->err, -ENOENT,
				      "--no-cache-filter %.100s: %s has no such stage",
				      names.items[i], p->req->name);
		else
			p->plan->stages[found].uncached = true;
	}
	strv_done(&names);
	return r;
}

int plan_make(const struct plan_request *req, struct plan *ret, struct fault *ret_fault,
	      struct error *err)
{
	struct plan plan = { .stages = NULL, .contexts = req->contexts };
	struct planner p = {
		.req = req,
		.plan = &plan,
		.global = { .given = req->given, .is_global = true, .escape = req->file->escape },
		.fault = ret_fault,
		.err = err
	};
	int r = read_stages(&p);

	if (r == 0)
		r = choose_target(&p);
	if (r == 0)
		r = mark_uncached(&p);
	if (r == 0) {
		mark_needed(&plan, req->all_stages);
		strv_extend(&req->given->global, p.global.args.items, p.global.args.n);
		*ret = plan;
	} else {
		plan_done(&plan);
	}
	scope_done(&p.global);
	return r;
}

void plan_done(struct plan *plan)
{
	for (size_t i = 0; i < plan->n; i++) {
		free(plan->stages[i].name);
		free(plan->stages[i].label);
		free(plan->stages[i].image);
		free(plan->stages[i].platform);
	}
	free(plan->stages);
	*plan = (struct plan) { .stages = NULL };
}
