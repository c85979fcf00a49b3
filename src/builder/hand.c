/* src/builder/hand.c */
#include "builder/hand.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/file.h"
#include "builder/finish.h"
#include "builder/hand_mount.h"
#include "builder/rewrite.h"
#include "builder/containerfile.h"
#include "engine/engine.h"
#include "engine/options.h"
#include "image/image.h"
#include "image/incoming.h"
#include "image/index_edit.h"
#include "image/manifest_keep.h"

static const struct strv nothing = { 0 };
static const struct container_options no_options = { .image = NULL };

static void tell_nobody(void *data, const struct build_told *told)
{
	(void)data;
	(void)told;
}

void hand_request_init(struct build_request *req)
{
	*req = (struct build_request) { .name = "the command line",
					.context = -1,
					.build_args = &nothing,
					.labels = &nothing,
					.secrets = &nothing,
					.run = &no_options,
					.allow = &nothing,
					.ssh = &nothing,
					.names = &nothing,
					.newest_s = -1,
					.no_cache = true,
					.tell = tell_nobody };
}

/* Where it lies in memory it stays: parts of it point at others. */
static int begin(struct hand *hand)
{
	struct build *b = &hand->build;
	autofree char *hold = working_path(hand->w.id);
	int r;

	*b = (struct build) { .engine = hand->engine,
			      .boss = -1,
			      .req = &hand->req,
			      .states = &hand->state,
			      .escape = '\\',
			      .by_hand = true,
			      .err = hand->err };
	(void)snprintf(b->hold, sizeof(b->hold), "%s", hold);
	(void)snprintf(b->id, sizeof(b->id), "%.*s", ID_SHORT_LEN, hand->w.id);
	hand->stage = (struct stage_plan) { .label = hand->w.name, .base = STAGE_NONE };
	b->plan = (struct plan) { .stages = &hand->stage, .n = 1 };
	r = scope_given_init(&b->given, hand->req.build_args, hand->req.platform, hand->err);
	return r;
}

void hand_done(struct hand *hand)
{
	autofree char *path = NULL;

	/* It was taken away for the time of the command. */
	if (hand->w.fd >= 0 && hand->w.is_mounted)
		ignore_result(hand_mount(hand->engine, &hand->w, &path, NULL));
	state_done(&hand->state);
	scope_given_done(&hand->build.given);
	working_done(&hand->w);
}

/* instructions */

static struct work work_of(struct hand *hand)
{
	hand->build.hand_run = hand->run;
	return (struct work) { .b = &hand->build, .state = &hand->state, .number = 1, .total = 1 };
}

int hand_line(struct hand *hand, const char *text)
{
	struct containerfile file = { .n = 0 };
	struct instructions all = { .n = 0 };
	struct work w = work_of(hand);
	struct fault nowhere;
	int r = containerfile_parse(text, strlen(text), hand->req.name, &file, &nowhere, hand->err);

	if (r == 0)
		r = instructions_parse(&file, hand->req.name, &all, &nowhere, hand->err);
	if (r == 0 && all.n != 1)
		r = error_set(hand->err, -EINVAL, "'%.100s' is not one instruction", text);
	if (r == 0) {
		w.ins = &all.items[0];
		r = build_instruction(&w);
	}
	instructions_done(&all);
	containerfile_done(&file);
	return r;
}

/* As word.h reads it, it is the text again. */
static char *quote(const char *text, enum hand_words keep)
{
	const char *special = keep == HAND_VARIABLES ? "\\\"'" : "\\\"'$";
	struct buf out = BUF_INIT(2 * strlen(text) + 1);

	for (; *text; text++) {
		if (keep != HAND_ARGUMENTS && strchr(special, *text))
			buf_add_char(&out, '\\');
		buf_add_char(&out, *text);
	}
	return buf_steal(&out);
}

int hand_words(struct hand *hand, enum instruction_kind kind, const struct strv *flags,
	       const struct strv *words, enum hand_words keep)
{
	struct line line = { .text = (char *)instruction_word(kind) };
	struct instruction ins = { .kind = kind, .line = &line, .is_exec = keep == HAND_ARGUMENTS };
	struct work w = work_of(hand);
	int r;

	for (size_t i = 0; i < words->n; i++)
		strv_take(&ins.words, quote(words->items[i], keep));
	ins.rest = xstrdup(ins.words.n ? ins.words.items[0] : "");
	if (flags)
		strv_extend(&ins.flags, flags->items, flags->n);
	w.ins = &ins;
	r = build_instruction(&w);
	instruction_done(&ins);
	return r;
}

/* opening and saving */

int hand_save(struct hand *hand)
{
	struct working *w = &hand->w;

	free(w->state);
	w->state = state_dump(&hand->state);
	if (!w->state)
		return error_set(hand->err, -EILSEQ, "a text in it is not UTF-8");
	strv_done(&w->chains);
	strv_extend(&w->chains, hand->state.chains.items, hand->state.chains.n);
	return working_save(engine_db(hand->engine), engine_root_fd(hand->engine), w, hand->err);
}

static int history_length(const struct state *state)
{
	return (int)json_array_size(json_object_get(state->doc, "history"));
}

static int start(struct hand *hand, const char *image)
{
	struct build *b = &hand->build;
	struct work w = work_of(hand);
	const struct instruction none = { .kind = INS_FROM };
	char id[ID_LEN + 1];
	int r;

	if (strcmp(image, "scratch") == 0) {
		state_init_scratch(&hand->state, &b->given, b->escape, hand->req.platform);
		return 0;
	}
	r = build_find_image(b, image, hand->req.platform, id);
	if (r == 0)
		r = state_init_image(&hand->state, &b->given, b->escape, engine_db(b->engine),
				     engine_root_fd(b->engine), id, b->err);
	if (r == 0)
		r = build_hold(b, &hand->state.chains);
	if (r < 0)
		return r;
	if (hand->req.newest_s >= 0)
		hand->state.created_ns =
			MIN(hand->state.created_ns, hand->req.newest_s * 1000000000);
	memcpy(hand->w.image_id, id, sizeof(id));
	hand->w.below = (int64_t)hand->state.chains.n;
	hand->w.below_history = history_length(&hand->state);
	w.ins = &none;
	return build_triggers(&w);
}

int hand_from(struct engine *engine, const struct build_request *req, const char *image,
	      const char *name, char **ret_name, struct error *err)
{
	struct hand hand = { .engine = engine, .w = WORKING_INIT, .req = *req, .err = err };
	int r = working_new(engine_root_fd(engine), name, image, &hand.w, err);

	if (r == 0)
		r = begin(&hand);
	if (r == 0)
		r = start(&hand, image);
	if (r == 0)
		r = hand_save(&hand);
	if (r == 0)
		*ret_name = xstrdup(hand.w.name);
	else if (hand.w.fd >= 0)
		ignore_result(
			working_remove(engine_db(engine), engine_root_fd(engine), &hand.w, NULL));
	hand_done(&hand);
	return r;
}

/* What a mount of it was for, see hand_mount.h. */
static int settle(struct hand *hand)
{
	struct step step = { .created_ns = 0 };
	struct incoming in = INCOMING_INIT;
	struct work w = work_of(hand);
	int r = hand_mount_settle(hand->engine, &hand->w, hand->err);

	if (r <= 0)
		return r;
	r = incoming_open(engine_root(hand->engine), engine_root_fd(hand->engine), &in, hand->err);
	if (r == 0) {
		struct incoming here = in;

		/* It stays where it is until it is a layer, whatever happens to us. */
		here.tmp_fd = hand->w.fd;
		(void)snprintf(step.parent, sizeof(step.parent), "%s", state_top(&hand->state));
		r = step_keep(&w, &here, HAND_SETTLING, &step, "strake builder mount");
	}
	if (r == 0)
		r = hand_save(hand);
	if (r == 0)
		r = dir_remove_at(hand->w.fd, HAND_SETTLING, hand->err);
	incoming_done(&in);
	return r;
}

int hand_open(struct engine *engine, const char *what, const struct build_request *req,
	      struct hand *ret, struct error *err)
{
	int r;

	*ret = (struct hand) { .engine = engine, .w = WORKING_INIT, .req = *req, .err = err };
	r = working_open(engine_root_fd(engine), what, true, &ret->w, err);
	if (r < 0)
		return r;
	r = begin(ret);
	if (r == 0)
		r = state_parse(ret->w.state, strlen(ret->w.state), &ret->build.given, '\\',
				&ret->state, err);
	if (r == 0)
		r = settle(ret);
	if (r < 0)
		hand_done(ret);
	return r;
}

/* the image */

static void name_last_layer(const struct hand *hand, struct state *state)
{
	json_t *history = json_object_get(state->doc, "history");

	for (size_t i = json_array_size(history); i > (size_t)hand->w.below_history; i--) {
		json_t *entry = json_array_get(history, i - 1);

		if (json_is_true(json_object_get(entry, "empty_layer")))
			continue;
		(void)json_object_set_new(entry, "created_by", json_string(hand->w.created_by));
		return;
	}
}

/* Annotations are a manifest's, which an image that is made here has only if it is asked for. */
static int annotate(const struct hand *hand, const struct incoming *in, const char *format,
		    const char *id)
{
	const bool docker = format && strcmp(format, "docker") == 0;
	const struct manifest_wish wish = { .kind = docker ? MANIFEST_DOCKER : MANIFEST_OCI,
					    .any = true,
					    .annotations = &hand->w.annotations };
	struct db *db = engine_db(hand->engine);
	cleanup(image_cleanup) struct image *image = NULL;
	struct kept_manifest kept;
	int r = image_load(db, engine_root_fd(hand->engine), id, &image, hand->err);

	return r < 0 ? r : manifest_put(db, in, image, &wish, &kept, hand->err);
}

static int add_to_index(const struct hand *hand, const struct incoming *in, const char *name,
			char *id)
{
	const struct index_images images = { .items = &id, .n = 1 };
	char digest[DIGEST_HEX_LEN + 1];
	int r = index_create(engine_db(hand->engine), in, name, INDEX_AMEND, &images, digest,
			     hand->err);

	return r < 0 ? error_wrap(hand->err, r, "--manifest") : 0;
}

int hand_commit(struct hand *hand, const struct hand_commit *req, char ret_id[ID_LEN + 1])
{
	/* Its --squash is buildah's: all as one. */
	const struct rewrite_request rr = { .below = req->squash ? 0 : (size_t)hand->w.below,
					    .below_history =
						    req->squash ? 0 : (size_t)hand->w.below_history,
					    .newest_s = req->newest_s,
					    .squash = req->squash };
	const struct finish_request fr = { .names = req->names, .records = true };
	struct state state = { .doc = NULL };
	struct incoming in = INCOMING_INIT;
	int r = incoming_open(engine_root(hand->engine), engine_root_fd(hand->engine), &in,
			      hand->err);

	hand->req.newest_s = req->newest_s;
	hand->req.edits = req->edits;
	/* The working container stays as it is. */
	if (r == 0)
		r = state_parse(hand->w.state, strlen(hand->w.state), &hand->build.given, '\\',
				&state, hand->err);
	if (r == 0 && hand->w.created_by)
		name_last_layer(hand, &state);
	if (r == 0)
		r = rewrite_layers(&hand->build, &state, &rr, &in);
	if (r == 0)
		r = build_finish(&hand->build, &state, &fr, ret_id, NULL);
	if (r == 0 && (hand->w.annotations.n || req->format))
		r = annotate(hand, &in, req->format, ret_id);
	if (r == 0 && req->manifest)
		r = add_to_index(hand, &in, req->manifest, ret_id);
	incoming_done(&in);
	state_done(&state);
	return r;
}
