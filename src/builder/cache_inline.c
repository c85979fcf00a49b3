/* src/builder/cache_inline.c */
#include "builder/cache_inline.h"

#include <string.h>

#include "base/alloc.h"
#include "base/json.h"
#include "builder/build.h"
#include "builder/cache_document.h"
#include "builder/cache_spec.h"
#include "builder/step.h"
#include "engine/engine.h"
#include "image/digest.h"
#include "image/unpack.h"

#define DIGEST_PREFIX "sha256:"
#define LAYERS_MAX    127 /* of an image that can be used here */

bool cache_inline_wanted(const struct build_request *req)
{
	for (size_t i = 0; req->cache_to && i < req->cache_to->n; i++)
		if (req->cache_to->items[i].type == CACHE_INLINE)
			return true;
	return strv_has(req->build_args, "BUILDKIT_INLINE_CACHE=1") ||
	       strv_has(req->build_args, "BUILDKIT_INLINE_CACHE=true");
}

static int add_key(struct build *b, const struct state *state, const char *key,
		   struct cached_steps *list)
{
	struct step_rows rows = { .n = 0 };
	int r = step_same(engine_db(b->engine), key, &rows, b->err);

	for (size_t i = 0; r == 0 && i < rows.n; i++) {
		const struct step *step = &rows.items[i];
		char own[DIGEST_HEX_LEN + 1];

		/* Stamps of this machine mean nothing elsewhere, and would make each image another
		 * one.  Of a step that was squashed there is no layer.
		 */
		step_key_of(step, own);
		if (strcmp(step->key, own) == 0 && !cached_steps_find(list, step->key) &&
		    (strcmp(step->chain, step->parent) == 0 ||
		     strv_has(&state->chains, step->chain)))
			cached_steps_add(list, step, "");
	}
	free(rows.items);
	return r;
}

int cache_inline_put(struct build *b, struct state *state)
{
	struct cached_steps list = { .n = 0 };
	autofree char *text = NULL;
	json_t *doc = NULL;
	int r = 0;

	if (!cache_inline_wanted(b->req))
		return 0;
	for (size_t i = 0; r == 0 && i < state->steps.n; i++)
		r = add_key(b, state, state->steps.items[i], &list);
	if (r == 0) {
		text = cache_document_format(&list);
		r = json_load_bytes(text, strlen(text), "build cache", &doc, b->err);
	}
	if (r == 0)
		(void)json_object_set_new(state->doc, CACHE_INLINE_KEY, doc);
	cached_steps_done(&list);
	return r;
}

/* reading */

static const char *hex_of(const json_t *text)
{
	const char *digest = json_string_value(text);

	return digest && strncmp(digest, DIGEST_PREFIX, strlen(DIGEST_PREFIX)) == 0 &&
			       strlen(digest) == strlen(DIGEST_PREFIX) + DIGEST_HEX_LEN
		       ? digest + strlen(DIGEST_PREFIX)
		       : NULL;
}

/* The chain IDs of the layers, up to the first that is none: who made the image may be anybody, and
 * each step is looked for among them.
 */
static void list_chains(const json_t *diffs, struct strv *ret)
{
	char chain[DIGEST_HEX_LEN + 1] = "";

	for (size_t i = 0; i < MIN(json_array_size(diffs), LAYERS_MAX); i++) {
		const char *diff = hex_of(json_array_get(diffs, i));

		if (!diff)
			return;
		chain_next(chain, diff);
		strv_add(ret, chain);
	}
}

/* The blob of the layer with this chain ID, by its place. */
static const char *find_blob(const struct strv *chains, const json_t *layers, const char *wanted)
{
	for (size_t i = 0; i < chains->n; i++)
		if (strcmp(chains->items[i], wanted) == 0)
			return hex_of(json_object_get(json_array_get(layers, i), "digest"));
	return NULL;
}

static void add_blobs(json_t *steps, const struct strv *chains, const json_t *layers)
{
	json_t *step;
	size_t i;

	json_array_foreach (steps, i, step) {
		const char *chain = json_string_value(json_object_get(step, "chain"));
		const char *blob = chain && *chain ? find_blob(chains, layers, chain) : NULL;

		(void)json_object_set_new(step, "blob", json_string(blob ? blob : ""));
	}
}

int cache_inline_read(const json_t *config, const json_t *manifest, struct cached_steps *ret,
		      struct error *err)
{
	const json_t *diffs = json_object_get(json_object_get(config, "rootfs"), "diff_ids");
	const json_t *layers = json_object_get(manifest, "layers");
	cleanup(json_cleanup) json_t *doc =
		json_deep_copy(json_object_get(config, CACHE_INLINE_KEY));
	json_t *steps = json_object_get(doc, "steps");
	autofree char *text = NULL;
	struct strv chains = { 0 };

	if (!doc)
		return error_set(
			err, -ENOENT,
			"the image has no cache in it; --cache-to type=inline puts it there");
	if (json_array_size(steps) > CACHE_STEPS_MAX)
		return error_set(err, -EFBIG, "it has more than %d steps", CACHE_STEPS_MAX);
	list_chains(diffs, &chains);
	add_blobs(steps, &chains, layers);
	strv_done(&chains);
	text = json_dumps(doc, JSON_COMPACT);
	return text ? cache_document_parse(text, strlen(text), ret, err)
		    : error_set(err, -EBADMSG, "its cache is no document");
}
