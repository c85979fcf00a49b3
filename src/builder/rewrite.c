/* src/builder/rewrite.c */
#include "builder/rewrite.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "builder/squash.h"
#include "builder/step.h"
#include "engine/engine.h"
#include "image/changes.h"
#include "image/fresh.h"
#include "image/incoming.h"
#include "image/unpack.h"
#include "kernel/overlay.h"

#define SQUASH_NAME "squash"

struct rewriting {
	struct build *b;
	struct state *state;
	const struct rewrite_request *req;
	const struct incoming *in;
	struct strv chains, diff_ids; /* of the new layers, the lowest first */
};

/* fd over lower as one more layer. */
static int add_layer(struct rewriting *rw, int fd, const struct strv *lower)
{
	const struct changes_request changes = { .fd = fd,
						 .lower = lower && lower->n ? lower : NULL };
	struct changes_pipe *pipe = NULL;
	struct unpack_layer layer;
	int out = -1;
	int r = changes_pipe_open(&changes, rw->req->newest_s, -1, &pipe, &out, rw->b->err);

	if (r == 0)
		r = fresh_layer(rw->in, &rw->chains, out, false, &layer, rw->b->err);
	if (pipe)
		r = changes_pipe_close(pipe, out, r, rw->b->err);
	if (r < 0)
		return r;
	strv_add(&rw->chains, layer.chain);
	strv_addf(&rw->diff_ids, "sha256:%s", layer.info.diff_id);
	return 0;
}

static json_t *history_of(const struct rewriting *rw)
{
	return json_object_get(rw->state->doc, "history");
}

static void take(struct rewriting *rw)
{
	json_t *rootfs = json_object_get(rw->state->doc, "rootfs");

	(void)json_object_set_new(rootfs, "diff_ids", json_from_strv(&rw->diff_ids));
	strv_done(&rw->state->chains);
	strv_extend(&rw->state->chains, rw->chains.items, rw->chains.n);
}

/* times */

static void clamp_history(struct rewriting *rw)
{
	const int64_t newest = rw->req->newest_s * 1000000000;
	char text[CLOCK_TEXT_LEN];
	int64_t was;

	clock_format(newest, text);
	for (size_t i = rw->req->below_history; i < json_array_size(history_of(rw)); i++) {
		json_t *entry = json_array_get(history_of(rw), i);
		const char *created = json_string_value(json_object_get(entry, "created"));

		if (created && clock_parse(created, &was) == 0 && was > newest)
			(void)json_object_set_new(entry, "created", json_string(text));
	}
	rw->state->created_ns = MIN(rw->state->created_ns, newest);
}

/* What the image below has stays as it is. */
static void keep_below(struct rewriting *rw)
{
	const json_t *ids = json_object_get(json_object_get(rw->state->doc, "rootfs"), "diff_ids");

	for (size_t i = 0; i < rw->req->below && i < rw->state->chains.n; i++) {
		strv_add(&rw->chains, rw->state->chains.items[i]);
		strv_add(&rw->diff_ids, json_string_value(json_array_get(ids, i)));
	}
}

static int write_again(struct rewriting *rw)
{
	const struct strv *old = &rw->state->chains;
	struct strv lower = { 0 };
	int r = 0;

	state_lower(rw->b->engine, rw->state, &lower);
	keep_below(rw);
	for (size_t i = rw->chains.n; r == 0 && i < old->n; i++) {
		/* The uppermost comes first: layer i and those below it are the last i + 1. */
		struct strv below = { .items = lower.items + old->n - i, .n = i };
		autoclose int fd =
			open(lower.items[old->n - i - 1], O_RDONLY | O_DIRECTORY | O_CLOEXEC);

		r = fd < 0 ? error_sys(rw->b->err, -errno, "open layer %.12s", old->items[i])
			   : add_layer(rw, fd, &below);
	}
	strv_done(&lower);
	return r;
}

/* one layer */

static void squash_history(struct rewriting *rw)
{
	for (size_t i = rw->req->below_history; i < json_array_size(history_of(rw)); i++)
		(void)json_object_set_new(json_array_get(history_of(rw), i), "empty_layer",
					  json_true());
}

/* By hand it is made now; of steps that are kept the same comes again, at the time of the last. */
static void add_history(struct rewriting *rw)
{
	int64_t now = rw->b->by_hand || rw->state->created_ns < 0 ? clock_now_ns()
								  : rw->state->created_ns;
	char text[CLOCK_TEXT_LEN];

	if (rw->req->newest_s >= 0)
		now = MIN(now, rw->req->newest_s * 1000000000);
	clock_format(now, text);
	(void)json_array_append_new(history_of(rw),
				    json_pack("{s:s, s:s}", "created", text, "created_by",
					      rw->req->below ? "all layers but the base's as one"
							     : "all layers as one"));
	rw->state->created_ns = now;
}

/* Nothing is below: what is seen of all is the layer. */
static int view_as_one(struct rewriting *rw, const struct strv *layers)
{
	autoclose int view = -1;
	int r = overlay_view(layers, "all layers", &view, rw->b->err);

	return r < 0 ? r : add_layer(rw, view, NULL);
}

static int own_as_one(struct rewriting *rw, const struct strv *layers)
{
	const struct strv base = { .items = layers->items + layers->n - rw->req->below,
				   .n = rw->req->below };
	autofree char *path = xasprintf("%s/diff", SQUASH_NAME);
	autoclose int fd = -1;
	int r = squash_layers(rw->in, SQUASH_NAME, layers, rw->req->below, rw->b->err);

	if (r == 0)
		r = dir_open_at(rw->in->tmp_fd, path, &fd, rw->b->err);
	return r < 0 ? r : add_layer(rw, fd, &base);
}

static int write_as_one(struct rewriting *rw)
{
	struct strv layers = { 0 };
	int r;

	keep_below(rw);
	state_lower(rw->b->engine, rw->state, &layers);
	r = rw->req->below ? own_as_one(rw, &layers) : view_as_one(rw, &layers);
	strv_done(&layers);
	if (r == 0) {
		squash_history(rw);
		add_history(rw);
	}
	return r;
}

int rewrite_layers(struct build *b, struct state *state, const struct rewrite_request *req,
		   const struct incoming *in)
{
	struct rewriting rw = { .b = b, .state = state, .req = req, .in = in };
	int r = 0;

	if (req->newest_s >= 0)
		clamp_history(&rw);
	if (req->squash && state->chains.n > req->below + 1)
		r = write_as_one(&rw);
	else if (req->newest_s >= 0)
		r = write_again(&rw);
	if (r == 0 && rw.chains.n)
		take(&rw);
	strv_done(&rw.chains);
	strv_done(&rw.diff_ids);
	return r;
}
