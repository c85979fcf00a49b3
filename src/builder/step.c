/* src/builder/step.c - what steps of all kinds have in common: key, reuse, and a layer that is
 * kept. */
#include "builder/step.h"

#include <ctype.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/number.h"
#include "base/space.h"
#include "builder/cache_in.h"
#include "builder/crew.h"
#include "builder/containerfile.h"
#include "builder/draft.h"
#include "builder/instruction.h"
#include "builder/named.h"
#include "builder/show.h"
#include "engine/engine.h"
#include "engine/root_view.h"
#include "image/fresh.h"
#include "image/image.h"
#include "image/incoming.h"
#include "image/layer_info.h"
#include "image/unpack.h"
#include "image/working.h"
#include "kernel/overlay.h"

#define LAYERS_MAX 127

struct build_told work_told(const struct work *w, enum build_event event)
{
	return (struct build_told) { .event = event,
				     .id = w->b->firsts ? w->b->firsts[w->stage] + w->number - 1
							: 0,
				     .platform = w->b->req->shown_platform,
				     .stage = w->b->plan.stages[w->stage].label,
				     .number = w->number,
				     .total = w->total };
}

void work_tell(const struct work *w, enum build_event event, const char *text)
{
	struct build_told told = work_told(w, event);

	if (event == BUILD_STEP)
		w->b->at = told.id;
	told.text = text;
	w->b->req->tell(w->b->req->data, &told);
}

void state_lower(const struct engine *engine, const struct state *state, struct strv *ret)
{
	for (size_t i = state->chains.n; i > 0; i--)
		strv_addf(ret, "%s/layers/%s/diff", engine_root(engine),
			  state->chains.items[i - 1]);
}

/* keys */

void step_key_add(struct step_key *key, const char *text)
{
	digest_update(&key->what, text, strlen(text) + 1);
}

void step_key_begin(struct step_key *key, const char *word)
{
	*key = (struct step_key) { .has_reads = false };
	digest_init(&key->what);
	digest_init(&key->reads);
	step_key_add(key, word);
}

void step_key_add_all(struct step_key *key, const struct strv *texts)
{
	autofree char *n = xasprintf("%zu", texts->n);

	step_key_add(key, n);
	for (size_t i = 0; i < texts->n; i++)
		step_key_add(key, texts->items[i]);
}

void step_key_reads(struct step_key *key, const char *digest)
{
	digest_update(&key->reads, digest, strlen(digest) + 1);
	key->has_reads = true;
}

void step_key_of(const struct step *step, char ret[DIGEST_HEX_LEN + 1])
{
	autofree char *all = xasprintf("%s %s %s", step->parent, step->what, step->reads);

	digest_bytes(all, strlen(all), ret);
}

void step_key_end(struct step_key *key, const struct work *w, struct step *ret)
{
	autofree char *newest = xasprintf("%lld", (long long)w->b->req->newest_s);

	step_key_add(key, newest);
	*ret = (struct step) { .created_ns = 0 };
	(void)snprintf(ret->parent, sizeof(ret->parent), "%s", state_top(w->state));
	digest_final(&key->what, ret->what);
	digest_final(&key->reads, ret->reads);
	digest_done(&key->what);
	digest_done(&key->reads);
	if (!key->has_reads)
		ret->reads[0] = '\0';
	step_key_of(ret, ret->key);
}

int step_key_spoil(struct work *w, struct step *step, const char *path)
{
	struct build_told told = { .event = BUILD_WARNING };
	autofree char *text = NULL;
	char id[ID_LEN + 1];
	int r;

	/* By hand nothing is kept in any case. */
	if (!path || w->b->by_hand)
		return 0;
	r = id_new(id);
	if (r < 0)
		return error_sys(w->b->err, r, "choose a name");
	text = xasprintf("%s changed while it was read; what came of it is not kept for later "
			 "builds: %.200s",
			 *path ? path : "the context", w->ins->line->text);
	told.text = text;
	w->b->req->tell(w->b->req->data, &told);
	digest_bytes(id, strlen(id), step->reads);
	step_key_of(step, step->key);
	return 0;
}

/* reuse */

/* The state with the step's layer, or without one. */
static int go_on(struct work *w, const struct step *step, const char *said)
{
	autoclose int layers = -1;
	struct layer_info info;
	int r;

	if (!w->b->by_hand)
		strv_add(&w->state->steps, step->key);
	if (strcmp(step->chain, step->parent) == 0) {
		state_add_history(w->state, said, NULL, NULL, w->state->created_ns);
		return 0;
	}
	r = dir_open_at(engine_root_fd(w->b->engine), "layers", &layers, w->b->err);
	if (r == 0)
		r = layer_info_load(layers, step->chain, &info, w->b->err);
	if (r == 0)
		state_add_history(w->state, said, info.diff_id, step->chain, step->created_ns);
	return r;
}

int build_hold(struct build *b, const struct strv *chains)
{
	return hold_add(engine_db(b->engine), b->hold, chains, b->err);
}

static int hold_one(struct build *b, const char *chain)
{
	struct strv chains = { 0 };
	int r;

	if (*chain)
		strv_add(&chains, chain);
	r = build_hold(b, &chains);
	strv_done(&chains);
	return r;
}

static bool is_uncached(const struct work *w)
{
	return w->b->req->no_cache || (w->b->plan.stages && w->b->plan.stages[w->stage].uncached);
}

/* --cache-ttl */
static bool is_old(const struct work *w, const struct step *step)
{
	int64_t most = w->b->req->step_age_ns;

	return most > 0 && clock_now_ns() - step->created_ns > most;
}

int step_reuse(struct work *w, const struct step *step, const char *said)
{
	const char *from = NULL;
	struct step found;
	bool is_found = false;
	int r;

	if (is_uncached(w))
		return 0;
	r = step_find(engine_db(w->b->engine), engine_root_fd(w->b->engine), step->key, &found,
		      &is_found, w->b->err);
	if (is_found && is_old(w, &found))
		return 0;
	if (r == 0 && !is_found) {
		r = caches_bring(w, step, &found, &from);
		is_found = r > 0;
	}
	if (r < 0 || !is_found)
		return r;
	r = hold_one(w->b, found.chain);
	if (r == 0)
		r = go_on(w, &found, said);
	if (r < 0)
		return r == -ENOENT ? 0 : r; /* pruned this moment */
	work_tell(w, BUILD_CACHED, from);
	return 1;
}

int step_tell_miss(struct work *w, const struct step *step)
{
	static const char *const texts[] = {
		[STEP_NEW] = "no such instruction was built before",
		[STEP_PARENT] = "what it stands on has changed",
		[STEP_READS] = "the files that it reads have changed",
		[STEP_PRUNED] = "its layer was removed",
	};
	struct db *db = engine_db(w->b->engine);
	enum step_miss why = STEP_NEW;
	bool is_there = false;
	struct step found;
	int r = 0;

	if (!is_uncached(w))
		r = step_find(db, engine_root_fd(w->b->engine), step->key, &found, &is_there,
			      w->b->err);
	if (r == 0 && !is_uncached(w))
		r = step_why(db, step, &why, w->b->err);
	if (r == 0)
		work_tell(w, BUILD_MISS,
			  w->b->req->no_cache ? "--no-cache"
			  : is_uncached(w)    ? "--no-cache-filter"
			  : is_there          ? "it is older than --cache-ttl"
					      : texts[why]);
	return r;
}

int step_reuse_in_turn(struct work *w, const struct step *step, const char *said,
		       struct turn *ret_turn)
{
	int r = step_reuse(w, step, said);

	if (r != 0 || is_uncached(w))
		return r < 0 ? r : r > 0 ? 1 : step_tell_miss(w, step);
	r = turn_take(w->b->engine, step->key, ret_turn, w->b->err);
	if (r == 0)
		r = step_reuse(w, step, said);
	return r != 0 ? r : step_tell_miss(w, step);
}

/* layers */

static void tell_layer(const struct work *w, const struct step *step, int64_t size)
{
	const bool is_new = strcmp(step->chain, step->parent) != 0;
	struct build_told told = work_told(w, BUILD_LAYER);

	told.chain = is_new ? step->chain : NULL;
	told.size = size;
	w->b->req->tell(w->b->req->data, &told);
}

static int64_t step_time(const struct build *b)
{
	int64_t now = clock_now_ns();

	return b->req->newest_s >= 0 ? MIN(now, b->req->newest_s * 1000000000) : now;
}

/* A layer that the key named before, and that nothing else has, goes when the build lets go. */
static int hold_former(struct build *b, const struct step *step)
{
	char former[DIGEST_HEX_LEN + 1];
	int r = step_chain(engine_db(b->engine), step->key, former, b->err);

	if (r < 0 || !*former || strcmp(former, step->chain) == 0)
		return r;
	r = hold_one(b, former);
	return r == -ENOENT ? 0 : r;
}

int step_keep_row(struct build *b, const struct step *step, const struct layer_info *info)
{
	int r = b->by_hand ? 0 : hold_former(b, step);

	if (r < 0)
		return r;
	if (!b->by_hand)
		return step_insert(engine_db(b->engine), step, info, b->err);
	return info ? layer_info_insert(engine_db(b->engine), step->chain, info, b->err) : 0;
}

int step_keep(struct work *w, const struct incoming *in, const char *name, struct step *step,
	      const char *said)
{
	struct unpack_layer layer;
	int r;

	if (w->state->chains.n >= LAYERS_MAX)
		return error_set(w->b->err, -E2BIG, "the image has %zu layers; %d are the most",
				 w->state->chains.n, LAYERS_MAX);
	r = fresh_adopt(in, &w->state->chains, name, w->b->req->newest_s, &layer, w->b->err);
	if (r < 0) {
		space_explain(engine_root(w->b->engine), w->b->err);
		return r;
	}
	(void)snprintf(step->chain, sizeof(step->chain), "%s", r > 0 ? layer.chain : step->parent);
	step->created_ns = step_time(w->b);
	if (r == 0)
		memset(&layer, 0, sizeof(layer));
	r = step_keep_row(w->b, step, r > 0 ? &layer.info : NULL);
	if (r == 0)
		r = hold_one(w->b, step->chain);
	if (r == 0)
		r = go_on(w, step, said);
	if (r == 0)
		tell_layer(w, step, layer.info.size);
	if (r == 0 && w->b->req->show_changes)
		r = show_changes(w, step);
	return r;
}

int step_draft_in(const struct incoming *in, const struct strv *lower,
		  int (*make)(void *data, struct draft *draft, struct error *err), void *data,
		  struct error *err)
{
	cleanup(draft_done) struct draft draft = { .fd = -1, .here_fd = -1 };
	autoclose int diff = -1;
	int r = dir_make_at(in->tmp_fd, STEP_DRAFT_NAME, 0711, err);

	if (r == 0)
		r = dir_ensure_at(in->tmp_fd, STEP_DRAFT_NAME "/diff", 0755, &diff, err);
	draft_init(&draft, diff, lower);
	if (r == 0 && fchmod(diff, 0755) < 0) /* whatever the umask */
		r = error_sys(err, -errno, "make a directory for the layer");
	if (r == 0)
		r = make(data, &draft, err);
	return r < 0 ? r : draft_finish(&draft, err);
}

int step_draft(struct work *w, struct step *step, const char *said,
	       int (*make)(void *data, struct draft *draft, struct error *err), void *data)
{
	struct incoming in = INCOMING_INIT;
	int r = incoming_open(engine_root(w->b->engine), engine_root_fd(w->b->engine), &in,
			      w->b->err);

	if (r < 0)
		return r;
	r = step_draft_in(&in, &w->lower, make, data, w->b->err);
	if (r == 0)
		r = step_keep(w, &in, STEP_DRAFT_NAME, step, said);
	else
		space_explain(engine_root(w->b->engine), w->b->err);
	incoming_done(&in);
	return r;
}

/* owners and sources */

int step_owner(struct work *w, const char *text, uid_t *ret_uid, gid_t *ret_gid)
{
	cleanup(user_done) struct user user = { 0 };
	uint64_t number;
	int r;

	/* The highest number means "leave it" to chown(2). */
	if (number_parse(text, UINT32_MAX - 1, &number) == 0) {
		*ret_uid = *ret_gid = (uid_t)number;
		return 0;
	}
	r = user_resolve(&w->lower, text, &user, w->b->err);
	if (r < 0)
		return error_wrap(w->b->err, r, "--chown=%.100s", text);
	*ret_uid = user.uid;
	*ret_gid = user.gid;
	return 0;
}

/* A number means a stage and never an image, which would be looked for in a registry. */
static int check_number(const struct work *w, const char *from)
{
	if (from[strspn(from, "0123456789")] || named_find(w->b->req->contexts, from))
		return 0;
	return error_set(
		w->b->err, -ENOENT,
		"--from=%.40s: there is no stage of this number before this one; the first "
		"is 0",
		from);
}

/* By hand a working container's name comes before an image's. */
static int find_working(const struct work *w, const char *from, struct state *ret)
{
	cleanup(working_done) struct working other = WORKING_INIT;

	if (working_find(engine_root_fd(w->b->engine), from, &other, NULL) < 0)
		return 0;
	return state_parse(other.state, strlen(other.state), &w->b->given, '\\', ret, w->b->err);
}

int step_source(struct work *w, const char *from, int *ret_fd, char *ret_chain,
		struct strv *ret_layers)
{
	size_t number = plan_find(&w->b->plan, from, w->stage);
	struct state other = { .doc = NULL };
	const struct state *state = number == STAGE_NONE ? &other : &w->b->states[number];
	struct strv layers = { 0 };
	char id[ID_LEN + 1];
	int r = number == STAGE_NONE ? 0 : crew_need(w->b, number);

	if (number == STAGE_NONE)
		r = w->b->by_hand ? find_working(w, from, &other) : check_number(w, from);
	if (r == 0 && number == STAGE_NONE && !other.doc) {
		r = build_find_image(w->b, from, w->b->req->platform, id);
		if (r == 0)
			r = state_init_image(&other, &w->b->given, '\\', engine_db(w->b->engine),
					     engine_root_fd(w->b->engine), id, w->b->err);
		if (r == 0)
			r = build_hold(w->b, &other.chains);
	}
	if (r == 0 && state->chains.n == 0)
		r = error_set(w->b->err, -ENOENT, "--from=%.100s: there are no files in it", from);
	if (r == 0) {
		state_lower(w->b->engine, state, &layers);
		r = overlay_view(&layers, from, ret_fd, w->b->err);
		(void)snprintf(ret_chain, DIGEST_HEX_LEN + 1, "%s", state_top(state));
	}
	state_done(&other);
	if (r == 0 && ret_layers)
		strv_extend(ret_layers, layers.items, layers.n);
	strv_done(&layers);
	return r;
}
