/* src/builder/cache_out.c */
#include "builder/cache_out.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/copy.h"
#include "base/file.h"
#include "base/walk.h"
#include "builder/build.h"
#include "builder/cache_document.h"
#include "builder/cache_spec.h"
#include "builder/step.h"
#include "builder/transfer.h"
#include "engine/engine.h"
#include "image/incoming.h"
#include "image/layer_blob.h"

#define MANIFEST_TYPE "application/vnd.oci.image.manifest.v1+json"
#define INDEX_TYPE    "application/vnd.oci.image.index.v1+json"
#define LAYER_TYPE    "application/vnd.oci.image.layer.v1.tar"
#define LAYOUT        "{\"imageLayoutVersion\":\"1.0.0\"}"

struct writing {
	struct engine *engine;
	struct error *err;
	struct incoming in;
	int dir, blobs; /* the layout; its blobs/sha256 */
	struct cached_steps steps;
	json_t *layers;      /* of the manifest */
	struct strv written; /* blobs that belong to it */
};

static void writing_done(struct writing *wr)
{
	incoming_done(&wr->in);
	if (wr->dir >= 0)
		(void)close(wr->dir);
	if (wr->blobs >= 0)
		(void)close(wr->blobs);
	cached_steps_done(&wr->steps);
	json_decref(wr->layers);
	strv_done(&wr->written);
}

static json_t *descriptor(const char *type, const char *hex, int64_t size)
{
	autofree char *digest = xasprintf("sha256:%s", hex);

	return json_pack("{s:s, s:s, s:I}", "mediaType", type, "digest", digest, "size",
			 (json_int_t)size);
}

/* blobs */

static int copy_blob(struct writing *wr, const char *hex)
{
	autofree char *tmp = xasprintf("%s.new", hex);
	autoclose int from = openat(wr->in.blobs_fd, hex, O_RDONLY | O_CLOEXEC), to = -1;
	int r;

	if (faccessat(wr->blobs, hex, F_OK, 0) == 0)
		return 0;
	to = openat(wr->blobs, tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	r = from < 0 || to < 0 ? -errno : copy_bytes(from, to);
	if (r == 0 && renameat(wr->blobs, tmp, wr->blobs, hex) < 0)
		r = -errno;
	return r < 0 ? error_sys(wr->err, r, "write blob %.12s", hex) : 0;
}

static int put_text(struct writing *wr, const char *text, char ret[DIGEST_HEX_LEN + 1])
{
	digest_bytes(text, strlen(text), ret);
	strv_add(&wr->written, ret);
	return file_write_at(wr->blobs, ret, text, strlen(text), 0644, FILE_PLAIN, wr->err);
}

/* The layer number `at` of a state, packed; its blob's digest. */
static int put_layer(struct writing *wr, const struct state *state, size_t at,
		     char ret[DIGEST_HEX_LEN + 1])
{
	const struct strv chains = { .items = state->chains.items, .n = at + 1 };
	struct layer_blob blob = { .chain = "" };
	struct db *db = engine_db(wr->engine);
	int r = layer_blob_find_chain(db, wr->in.root, &chains, &blob, wr->err);

	if (r < 0)
		return r;
	/* One that is kept plain may be no file. */
	r = layer_blob_ensure(db, &wr->in, &blob, PACKING_GZIP,
			      blob.info.blob[0] && strcmp(blob.info.packing, "none") != 0, wr->err);
	if (r == 0)
		r = copy_blob(wr, blob.info.blob);
	if (r == 0) {
		autofree char *type = xasprintf(LAYER_TYPE "+%s", blob.info.packing);

		memcpy(ret, blob.info.blob, DIGEST_HEX_LEN + 1);
		if (!strv_has(&wr->written, ret)) {
			strv_add(&wr->written, ret);
			(void)json_array_append_new(wr->layers,
						    descriptor(type, ret, blob.info.blob_size));
		}
	}
	layer_blob_done(&blob);
	return r;
}

/* steps */

static int add_step(struct writing *wr, const struct state *state, const struct step *step)
{
	char blob[DIGEST_HEX_LEN + 1] = "";
	int r = 0;

	if (cached_steps_find(&wr->steps, step->key))
		return 0;
	for (size_t i = 0; r == 0 && strcmp(step->chain, step->parent) != 0 && !*blob; i++) {
		if (i == state->chains.n)
			return 0; /* it went with the cache */
		if (strcmp(state->chains.items[i], step->chain) == 0)
			r = put_layer(wr, state, i, blob);
	}
	if (r == 0)
		cached_steps_add(&wr->steps, step, blob);
	return r;
}

static int add_state(struct writing *wr, const struct state *state)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < state->steps.n; i++) {
		struct step_rows rows = { .n = 0 };

		r = step_same(engine_db(wr->engine), state->steps.items[i], &rows, wr->err);
		for (size_t k = 0; r == 0 && k < rows.n; k++)
			r = add_step(wr, state, &rows.items[k]);
		free(rows.items);
	}
	return r;
}

static int add_builds(struct writing *wr, const struct build *builds, size_t n, bool max)
{
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		const struct plan *plan = &builds[i].plan;

		for (size_t k = 0; r == 0 && k < plan->n; k++)
			if (plan->stages[k].needed && (max || k == plan->target))
				r = add_state(wr, &builds[i].states[k]);
	}
	return r;
}

/* the layout */

static int put_documents(struct writing *wr)
{
	autofree char *config = cache_document_format(&wr->steps), *manifest = NULL, *index = NULL;
	char hex[DIGEST_HEX_LEN + 1];
	json_t *doc;
	int r = put_text(wr, config, hex);

	if (r < 0)
		return r;
	doc = json_pack("{s:i, s:s, s:o, s:O}", "schemaVersion", 2, "mediaType", MANIFEST_TYPE,
			"config", descriptor(CACHE_CONFIG_TYPE, hex, (int64_t)strlen(config)),
			"layers", wr->layers);
	manifest = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	r = put_text(wr, manifest, hex);
	if (r == 0)
		r = file_write_at(wr->dir, "oci-layout", LAYOUT, strlen(LAYOUT), 0644, FILE_PLAIN,
				  wr->err);
	doc = json_pack("{s:i, s:s, s:[o]}", "schemaVersion", 2, "mediaType", INDEX_TYPE,
			"manifests", descriptor(MANIFEST_TYPE, hex, (int64_t)strlen(manifest)));
	index = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	return r < 0 ? r
		     : file_write_at(wr->dir, "index.json", index, strlen(index), 0644, FILE_PLAIN,
				     wr->err);
}

/* What an earlier build left there and nothing lists any more. */
static void drop_old(const struct writing *wr)
{
	struct strv names = { 0 };

	if (walk_names(wr->blobs, &names) < 0)
		return;
	for (size_t i = 0; i < names.n; i++)
		if (!strv_has(&wr->written, names.items[i]))
			(void)unlinkat(wr->blobs, names.items[i], 0);
	strv_done(&names);
}

/* Only a directory that is empty or ours is written into. */
static int open_layout(struct writing *wr, const char *dir)
{
	struct strv names = { 0 };
	int r = dir_ensure_at(AT_FDCWD, dir, 0755, &wr->dir, wr->err);

	if (r == 0)
		r = walk_names(wr->dir, &names) < 0 ? -errno : 0;
	if (r == 0 && names.n && !strv_has(&names, "oci-layout"))
		r = error_set(wr->err, -ENOTEMPTY, "%s holds other things than a build cache", dir);
	strv_done(&names);
	return r < 0 ? r : dir_ensure_at(wr->dir, "blobs/sha256", 0755, &wr->blobs, wr->err);
}

static int write_layout(const struct build *builds, size_t n, const struct cache_spec *spec,
			const char *dir, struct error *err)
{
	cleanup(writing_done) struct writing wr = { .engine = builds[0].engine,
						    .err = err,
						    .in = INCOMING_INIT,
						    .dir = -1,
						    .blobs = -1,
						    .layers = json_array() };
	int r = open_layout(&wr, dir);

	if (r == 0)
		r = incoming_open(engine_root(wr.engine), engine_root_fd(wr.engine), &wr.in, err);
	if (r == 0)
		r = add_builds(&wr, builds, n, spec->max);
	if (r == 0)
		r = put_documents(&wr);
	if (r == 0)
		drop_old(&wr);
	return r;
}

/* a registry */

static int push(const struct build *b, const char *layout, const char *ref, struct error *err)
{
	autofree char *from = xasprintf("oci:%s", layout), *to = xasprintf("docker://%s", ref);
	const char *const words[] = { "--", from, to, NULL };

	return transfer(b->engine, b->req, "copy", words, err);
}

static int write_registry(const struct build *builds, size_t n, const struct cache_spec *spec,
			  struct error *err)
{
	cleanup(incoming_done) struct incoming in = INCOMING_INIT;
	autofree char *layout = NULL;
	int r = incoming_begin(engine_root(builds[0].engine), engine_root_fd(builds[0].engine), &in,
			       err);

	layout = xasprintf("%s/%s/cache", in.root, in.tmp_name);
	if (r == 0)
		r = write_layout(builds, n, spec, layout, err);
	return r < 0 ? r : push(&builds[0], layout, spec->where, err);
}

int caches_write(struct build *builds, size_t n, const struct cache_specs *specs, struct error *err)
{
	int r = 0;

	for (size_t i = 0; specs && r == 0 && i < specs->n; i++) {
		const struct cache_spec *spec = &specs->items[i];

		if (spec->type == CACHE_INLINE)
			continue; /* the image has it (cache_inline.h) */
		r = spec->type == CACHE_LOCAL ? write_layout(builds, n, spec, spec->where, err)
					      : write_registry(builds, n, spec, err);
		if (r < 0)
			(void)error_wrap(err, r, "--cache-to %s", spec->where);
	}
	return r;
}
