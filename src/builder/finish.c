/* src/builder/finish.c */
#include "builder/finish.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "builder/cache_inline.h"
#include "builder/edits.h"
#include "builder/rewrite.h"
#include "builder/step.h"
#include "engine/engine.h"
#include "image/digest.h"
#include "image/document.h"
#include "image/event.h"
#include "image/image.h"
#include "image/incoming.h"
#include "image/record.h"
#include "image/unpack.h"

/* An image that is made of the same steps again is the same image: its time is that of its last
 * layer, which is now only if there is none.
 */
static int make_document(struct build *b, struct state *state, char **ret, char ret_id[ID_LEN + 1])
{
	int64_t now = clock_now_ns();
	int64_t created = state->created_ns >= 0 ? state->created_ns : now;
	char text[CLOCK_TEXT_LEN];

	if (b->req->newest_s >= 0)
		created = MIN(created, b->req->newest_s * 1000000000);
	for (size_t i = 0; i < b->req->labels->n; i++) {
		const char *label = b->req->labels->items[i];
		size_t n = strcspn(label, "=");
		autofree char *name = xstrndup(label, n);

		if (n == 0)
			return error_set(b->err, -EINVAL, "--label '%s': expected NAME=VALUE",
					 label);
		state_add_label(state, name, label[n] ? label + n + 1 : "");
	}
	if (b->req->edits)
		edits_end(b->req->edits, state);
	if (cache_inline_put(b, state) < 0)
		return b->err->code;
	clock_format(created, text);
	(void)json_object_set_new(state->doc, "created", json_string(text));
	*ret = json_dumps(state->doc, JSON_COMPACT);
	if (!*ret || strlen(*ret) > DOCUMENT_MAX)
		return error_set(b->err, -EFBIG, "the image's config is larger than %u bytes",
				 DOCUMENT_MAX);
	digest_bytes(*ret, strlen(*ret), ret_id);
	return 0;
}

/* It is there; *ret_named: and has the names already. */
static bool is_recorded(struct build *b, const char *id, const struct strv *names, bool *ret_named)
{
	cleanup(image_cleanup) struct image *image = NULL;
	bool is_there =
		image_load(engine_db(b->engine), engine_root_fd(b->engine), id, &image, NULL) == 0;

	*ret_named = is_there;
	for (size_t i = 0; *ret_named && i < names->n; i++)
		*ret_named = strv_has(&image->names, names->items[i]);
	return is_there;
}

static int load_layers(struct build *b, const struct incoming *in, const struct state *state,
		       struct unpack_layer *layers)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < state->chains.n; i++) {
		autofree char *diff = xasprintf("%s/diff", state->chains.items[i]);

		memcpy(layers[i].chain, state->chains.items[i], sizeof(layers[i].chain));
		r = layer_info_load(in->layers_fd, layers[i].chain, &layers[i].info, b->err);
		if (r == 0 && faccessat(in->layers_fd, diff, F_OK, 0) < 0)
			r = error_sys(b->err, -errno, "layer %.12s was removed meanwhile",
				      layers[i].chain);
	}
	return r;
}

static int record(struct build *b, const struct state *state, const char *document, const char *id,
		  const struct strv *names)
{
	struct incoming in = INCOMING_INIT;
	autofree struct unpack_layer *layers =
		xcalloc(state->chains.n + 1, sizeof(struct unpack_layer));
	const struct image_record rec = { .id = id,
					  .config = document,
					  .config_len = document ? strlen(document) : 0,
					  .layers = layers,
					  .nlayers = state->chains.n,
					  .names = names };
	int r = incoming_open(engine_root(b->engine), engine_root_fd(b->engine), &in, b->err);

	if (r == 0)
		r = load_layers(b, &in, state, layers);
	if (r == 0)
		r = image_record(engine_db(b->engine), &in, &rec, b->err);
	if (r == 0)
		image_event(engine_root_fd(b->engine), b->by_hand ? "commit" : "build", id, names);
	incoming_done(&in);
	return r;
}

/* --squash: the layers of this build as one, or with those below.  in stays open until the image is
 * recorded, for the layer is nobody's before.
 */
static int squash(struct build *b, struct state *state, struct incoming *in)
{
	const struct rewrite_request rr = { .below = b->req->squash_all ? 0 : state->below,
					    .below_history =
						    b->req->squash_all ? 0 : state->below_history,
					    .newest_s = -1,
					    .squash = true };
	int r;

	if (!b->req->squash && !b->req->squash_all)
		return 0;
	r = incoming_open(engine_root(b->engine), engine_root_fd(b->engine), in, b->err);
	return r < 0 ? r : rewrite_layers(b, state, &rr, in);
}

int build_finish(struct build *b, struct state *state, const struct finish_request *req,
		 char ret_id[ID_LEN + 1], bool *ret_was_there)
{
	cleanup(incoming_done) struct incoming in = INCOMING_INIT;
	autofree char *document = NULL;
	bool named = false, was_there;
	int r = squash(b, state, &in);

	if (r == 0)
		r = make_document(b, state, &document, ret_id);
	if (r < 0)
		return r;
	was_there = is_recorded(b, ret_id, req->names, &named);
	if (ret_was_there)
		*ret_was_there = was_there;
	return named || !req->records ? 0 : record(b, state, document, ret_id, req->names);
}
