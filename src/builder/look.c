/* src/builder/look.c */
#include "builder/look.h"

#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "builder/containerfile.h"
#include "builder/lint.h"
#include "builder/mount_spec.h"
#include "builder/source.h"
#include "builder/step.h"
#include "engine/engine.h"
#include "image/image.h"

#define OPTIONS_ARG "BUILDKIT_DOCKERFILE_CHECK="

struct looking {
	struct engine *engine;
	const struct build_request *req;
	const struct source *source;
	struct plan plan;
	struct scope_given given;
	struct error *err;
};

static void looking_done(struct looking *l)
{
	plan_done(&l->plan);
	scope_given_done(&l->given);
}

/* checks */

/* Only if it is here: a check fetches nothing. */
static int find_config(void *data, const char *name, struct image_config *ret)
{
	struct engine *engine = data;
	cleanup(image_cleanup) struct image *image = NULL;
	int r = image_find(engine_db(engine), engine_root_fd(engine), name, &image, NULL);

	if (r == 0) {
		*ret = image->config;
		image->config = (struct image_config) { .user = NULL };
	}
	return r;
}

static const char *find_options(const struct build_request *req)
{
	for (size_t i = 0; i < req->build_args->n; i++)
		if (strncmp(req->build_args->items[i], OPTIONS_ARG, strlen(OPTIONS_ARG)) == 0)
			return req->build_args->items[i] + strlen(OPTIONS_ARG);
	return NULL;
}

static int check(struct engine *engine, const struct build_request *req,
		 const struct source *source, const struct plan *plan, struct lint *ret,
		 struct error *err)
{
	const struct lint_request lr = { .source = source,
					 .plan = plan,
					 .ignore = req->ignore,
					 .platform = req->platform,
					 .options = find_options(req),
					 .image = find_config,
					 .data = engine };

	return lint_run(&lr, ret, err);
}

/* The first says what is wrong and where, for those, too, who are shown no warnings. */
static int refuse(const struct build_request *req, const struct lint *lint, struct fault *ret_fault,
		  struct error *err)
{
	const struct lint_finding *first = &lint->items[0];
	autofree char *more =
		lint->n > 1 ? xasprintf(", and there are %zu more", lint->n - 1) : xstrdup("");

	*ret_fault = (struct fault) { first->first, first->column };
	return error_set(err, -EINVAL, "%s:%u: %s: %.300s; error=true lets no warning pass%s",
			 req->name, first->first, lint_name(first->rule), first->text, more);
}

int look_warn(struct build *b, const struct source *source, struct fault *ret_fault,
	      struct error *err)
{
	struct lint lint = { NULL, 0, 0, false };
	int r = check(b->engine, b->req, source, &b->plan, &lint, err);

	for (size_t i = 0; r == 0 && i < lint.n; i++) {
		const struct lint_finding *f = &lint.items[i];
		autofree char *text = xasprintf("%s:%u: %s: %s", b->req->name, f->first,
						lint_name(f->rule), f->text);
		const struct build_told told = { .event = BUILD_WARNING, .text = text };

		b->req->tell(b->req->data, &told);
	}
	if (r == 0 && lint.n > 0 && lint.fails)
		r = refuse(b->req, &lint, ret_fault, err);
	lint_done(&lint);
	return r;
}

/* documents */

static json_t *location_of(unsigned first, unsigned last, unsigned column)
{
	return json_pack("{s:i, s:[{s:{s:i, s:i}, s:{s:i, s:i}}]}", "sourceIndex", 0, "ranges",
			 "start", "line", (int)first, "character", (int)column, "end", "line",
			 (int)last, "character", 0);
}

static json_t *place_of(const struct instruction *ins)
{
	return location_of(ins->line->first, ins->line->last, 1);
}

static void put_text(json_t *object, const char *key, const char *text)
{
	if (text && *text)
		(void)json_object_set_new(object, key, json_string(text));
}

/* What a comment above says behind the name. */
static void put_description(json_t *object, const struct instruction *ins, const char *name)
{
	const char *comment = ins->line->comment;
	size_t len = name ? strlen(name) : 0;

	if (comment && name && strncmp(comment, name, len) == 0 && comment[len] == ' ')
		put_text(object, "description", comment + len + 1);
}

static int look_check(struct looking *l, json_t *doc)
{
	json_t *warnings = json_array();
	struct lint lint = { NULL, 0, 0, false };
	int r = check(l->engine, l->req, l->source, &l->plan, &lint, l->err);

	(void)json_object_set_new(doc, "warnings", warnings);
	for (size_t i = 0; r == 0 && i < lint.n; i++) {
		const struct lint_finding *f = &lint.items[i];
		json_t *one = json_pack("{s:s, s:s, s:o}", "ruleName", lint_name(f->rule),
					"description", lint_about(f->rule), "location",
					location_of(f->first, f->last, f->column));

		put_text(one, "detail", f->text);
		(void)json_array_append_new(warnings, one);
	}
	lint_done(&lint);
	return r;
}

static int look_targets(struct looking *l, json_t *doc)
{
	json_t *list = json_array();

	(void)json_object_set_new(doc, "targets", list);
	for (size_t i = 0; i < l->plan.n; i++) {
		const struct stage_plan *stage = &l->plan.stages[i];
		json_t *one = json_pack("{s:o}", "location", place_of(stage->from));

		put_text(one, "name", stage->name);
		put_text(one, "base", stage->image);
		put_text(one, "platform", stage->platform);
		put_description(one, stage->from, stage->name ? stage->from->words.items[2] : NULL);
		if (i == l->plan.target)
			(void)json_object_set_new(one, "default", json_true());
		(void)json_array_append_new(list, one);
	}
	return 0;
}

struct outline {
	struct looking *l;
	json_t *args, *secrets, *ssh, *cache;
};

static bool has_name(const json_t *list, const char *key, const char *name)
{
	const json_t *one;
	size_t i;

	json_array_foreach (list, i, one)
		if (json_is_string(json_object_get(one, key)) &&
		    strcmp(json_string_value(json_object_get(one, key)), name) == 0)
			return true;
	return false;
}

static void outline_args(struct outline *o, const struct instruction *ins)
{
	for (size_t i = 0; i < ins->words.n; i++) {
		const char *word = ins->words.items[i];
		size_t n = strcspn(word, "=");
		autofree char *name = xstrndup(word, n);
		const char *given = strv_env_get(&o->l->given.args, name);
		json_t *one;

		if (has_name(o->args, "name", name))
			continue;
		one = json_pack("{s:s, s:o}", "name", name, "location", place_of(ins));
		if (!one)
			continue;
		put_text(one, "value", given ? given : word[n] ? word + n + 1 : NULL);
		put_description(one, ins, ins->words.n == 1 ? name : NULL);
		(void)json_array_append_new(o->args, one);
	}
}

static void outline_mount(struct outline *o, const char *text)
{
	struct mount_spec spec;
	bool is_cache;
	const char *name;
	json_t *list, *one;

	if (mount_spec_parse(text, &spec, NULL) < 0)
		return;
	is_cache = spec.kind == MOUNT_CACHE;
	name = spec.id ? spec.id : spec.target;
	list = is_cache                    ? o->cache
	       : spec.kind == MOUNT_SECRET ? o->secrets
	       : spec.kind == MOUNT_SSH    ? o->ssh
					   : NULL;
	if (list && !has_name(list, is_cache ? "ID" : "name", name)) {
		one = json_pack("{s:s}", is_cache ? "ID" : "name", name);
		if (one && spec.required)
			(void)json_object_set_new(one, "required", json_true());
		(void)json_array_append_new(list, one);
	}
	mount_spec_done(&spec);
}

static void outline_instruction(struct outline *o, const struct instruction *ins)
{
	if (ins->kind == INS_ARG)
		outline_args(o, ins);
	for (size_t i = 0; ins->kind == INS_RUN && i < ins->flags.n; i++)
		if (strncmp(ins->flags.items[i], "mount=", 6) == 0)
			outline_mount(o, ins->flags.items[i] + 6);
}

static int look_outline(struct looking *l, json_t *doc)
{
	struct outline o = { .l = l,
			     .args = json_array(),
			     .secrets = json_array(),
			     .ssh = json_array(),
			     .cache = json_array() };
	const struct stage_plan *target = &l->plan.stages[l->plan.target];

	put_text(doc, "name", target->name);
	put_description(doc, target->from, target->name ? target->from->words.items[2] : NULL);
	(void)json_object_set_new(doc, "args", o.args);
	(void)json_object_set_new(doc, "secrets", o.secrets);
	(void)json_object_set_new(doc, "ssh", o.ssh);
	(void)json_object_set_new(doc, "cache", o.cache);
	for (size_t i = 0; i < l->source->all.n && l->source->all.items[i].kind == INS_ARG; i++)
		outline_instruction(&o, &l->source->all.items[i]);
	for (size_t i = 0; i < l->plan.n; i++)
		for (size_t k = 0; l->plan.stages[i].needed && k < l->plan.stages[i].n; k++)
			outline_instruction(&o, &l->plan.stages[i].items[k]);
	return 0;
}

int build_look(struct engine *engine, const struct build_request *req, enum look_call call,
	       json_t **ret, struct fault *ret_fault, struct error *err)
{
	static int (*const calls[])(struct looking * l, json_t * doc) = {
		[LOOK_CHECK] = look_check,
		[LOOK_OUTLINE] = look_outline,
		[LOOK_TARGETS] = look_targets,
	};
	cleanup(source_done) struct source source = { .file = { .n = 0 } };
	cleanup(looking_done) struct looking l = {
		.engine = engine, .req = req, .source = &source, .err = err
	};
	cleanup(json_cleanup) json_t *doc = json_object();
	struct plan_request pr = { .file = &source.file,
				   .all = &source.all,
				   .name = req->name,
				   .given = &l.given,
				   .target = req->target };
	int r = source_parse(req->bytes, req->len, req->name, &source, ret_fault, err);

	if (r == 0)
		r = scope_given_init(&l.given, req->build_args, req->platform, err);
	if (r == 0)
		r = plan_make(&pr, &l.plan, ret_fault, err);
	if (r == 0)
		r = calls[call](&l, doc);
	if (r < 0)
		return r;
	(void)json_object_set_new(
		doc, "sources",
		json_pack("[{s:s, s:s}]", "filename", req->name, "language", "Dockerfile"));
	*ret = steal_ptr(&doc);
	return 0;
}
