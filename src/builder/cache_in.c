/* src/builder/cache_in.c
 *
 * What a cache says of a key is believed, as it comes from whoever the user named; what a layer
 * holds is not: only the layer that the chain ID stands for is taken.
 */
#include "builder/cache_in.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "builder/build.h"
#include "builder/cache_inline.h"
#include "builder/step.h"
#include "builder/transfer.h"
#include "engine/engine.h"
#include "image/document.h"
#include "image/fresh.h"
#include "image/image.h"
#include "image/layer_info.h"
#include "image/unpack.h"

void caches_done(struct caches_in *caches)
{
	for (size_t i = 0; i < caches->n; i++) {
		free(caches->items[i].name);
		free(caches->items[i].ref);
		free(caches->items[i].layout);
		cached_steps_done(&caches->items[i].steps);
	}
	free(caches->items);
	incoming_done(&caches->in);
}

static void warn(const struct build_request *req, const char *name, const struct error *why)
{
	autofree char *text = xasprintf("--cache-from %s: %s", name, why->text);
	const struct build_told told = { .event = BUILD_WARNING, .text = text };

	req->tell(req->data, &told);
}

/* a layout */

static int read_blob(const char *layout, const char *hex, size_t max, char **ret, size_t *ret_len,
		     struct error *err)
{
	autofree char *path = xasprintf("%s/blobs/sha256/%s", layout, hex);
	char digest[DIGEST_HEX_LEN + 1];
	int r = file_read_regular_at(AT_FDCWD, path, max, ret, ret_len, err);

	if (r < 0)
		return r;
	digest_bytes(*ret, *ret_len, digest);
	return strcmp(digest, hex) == 0 ? 0
					: error_set(err, -EBADMSG, "%s holds something else", path);
}

static const char *digest_of(const json_t *descriptor)
{
	const char *text = json_string_value(json_object_get(descriptor, "digest"));

	return text && strncmp(text, "sha256:", 7) == 0 && strlen(text + 7) == DIGEST_HEX_LEN &&
			       id_is_hex(text + 7)
		       ? text + 7
		       : NULL;
}

/* A cache alone, or an image that has one in it. */
static int read_steps(struct cache_in *c, const json_t *manifest, const char *config, size_t len,
		      struct error *err)
{
	const char *type = json_string_value(
		json_object_get(json_object_get(manifest, "config"), "mediaType"));
	cleanup(json_cleanup) json_t *doc = NULL;
	int r;

	if (!type || strcmp(type, CACHE_CONFIG_TYPE) == 0)
		return cache_document_parse(config, len, &c->steps, err);
	r = json_load_bytes(config, len, "the image's config", &doc, err);
	return r < 0 ? r : cache_inline_read(doc, manifest, &c->steps, err);
}

static int read_layout(struct cache_in *c, struct error *err)
{
	autofree char *path = xasprintf("%s/index.json", c->layout), *text = NULL, *config = NULL;
	cleanup(json_cleanup) json_t *index = NULL, *manifest = NULL;
	const char *hex;
	size_t len = 0;
	int r = json_load_at(AT_FDCWD, path, &index, err);

	hex = digest_of(json_array_get(json_object_get(index, "manifests"), 0));
	if (r == 0 && !hex)
		r = error_set(err, -EBADMSG, "%s lists nothing", path);
	if (r == 0)
		r = read_blob(c->layout, hex, DOCUMENT_MAX, &text, &len, err);
	if (r == 0)
		r = json_load_bytes(text, len, "manifest", &manifest, err);
	hex = digest_of(json_object_get(manifest, "config"));
	if (r == 0 && !hex)
		r = error_set(err, -EBADMSG, "it is no build cache");
	if (r == 0)
		r = read_blob(c->layout, hex, CACHE_DOCUMENT_MAX, &config, &len, err);
	return r < 0 ? r : read_steps(c, manifest, config, len, err);
}

/* a registry */

/* All of it: which layers are needed shows one after the other. */
static int fetch(struct engine *engine, const struct build_request *req, const struct cache_in *c,
		 struct error *err)
{
	autofree char *from = xasprintf("docker://%s", c->ref),
		      *to = xasprintf("oci:%s", c->layout);
	const char *const words[] = { "--quiet", "--", from, to, NULL };

	return transfer(engine, req, "copy", words, err);
}

static int open_one(struct engine *engine, const struct build_request *req,
		    const struct cache_spec *spec, const struct caches_in *caches, size_t number,
		    struct cache_in *ret, struct error *err)
{
	int r = 0;

	ret->name = xstrdup(spec->where);
	if (spec->type == CACHE_LOCAL) {
		ret->layout = xstrdup(spec->where);
	} else {
		ret->ref = xstrdup(spec->where);
		ret->layout =
			xasprintf("%s/%s/cache-%zu", caches->in.root, caches->in.tmp_name, number);
		r = fetch(engine, req, ret, err);
	}
	return r < 0 ? r : read_layout(ret, err);
}

int caches_open(struct engine *engine, const struct build_request *req,
		const struct cache_specs *specs, struct caches_in *ret, struct error *err)
{
	int r = 0;

	ret->items = xcalloc(specs->n + 1, sizeof(*ret->items));
	for (size_t i = 0; r == 0 && i < specs->n; i++)
		if (specs->items[i].type == CACHE_REGISTRY && ret->in.tmp_fd < 0)
			r = incoming_begin(engine_root(engine), engine_root_fd(engine), &ret->in,
					   err);
	for (size_t i = 0; r == 0 && i < specs->n; i++) {
		struct error why = { 0 };

		ret->n++;
		if (open_one(engine, req, &specs->items[i], ret, i, &ret->items[i], &why) < 0)
			warn(req, specs->items[i].where, &why);
	}
	return r;
}

/* a step */

static int unpack(struct work *w, const struct cache_in *c, const struct cached_step *found,
		  const struct incoming *in, struct unpack_layer *ret, struct error *err)
{
	autofree char *path = xasprintf("%s/blobs/sha256/%s", c->layout, found->blob);
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return error_sys(err, fd < 0 ? -errno : -EINVAL, "open %s", path);
	r = fresh_layer(in, &w->state->chains, fd, false, ret, err);
	if (r == 0 && strcmp(ret->chain, found->step.chain) != 0)
		r = error_set(err, -EBADMSG, "%s is another layer than it says", path);
	return r;
}

static int bring_layer(struct work *w, const struct cache_in *c, const struct cached_step *found,
		       struct error *err)
{
	cleanup(incoming_done) struct incoming in = INCOMING_INIT;
	struct db *db = engine_db(w->b->engine);
	struct unpack_layer layer;
	int r;

	memset(&layer, 0, sizeof(layer));
	r = incoming_open(engine_root(w->b->engine), engine_root_fd(w->b->engine), &in, err);
	if (r == 0)
		r = unpack(w, c, found, &in, &layer, err);
	return r < 0 ? r : step_insert(db, &found->step, &layer.info, err);
}

static int bring(struct work *w, const struct cache_in *c, const struct cached_step *found,
		 struct error *err)
{
	struct db *db = engine_db(w->b->engine);
	int r;

	if (strcmp(found->step.chain, found->step.parent) == 0)
		return step_insert(db, &found->step, NULL, err);
	r = bring_layer(w, c, found, err);
	if (r < 0)
		image_sweep_failed(db, engine_root_fd(w->b->engine));
	return r;
}

int caches_bring(struct work *w, const struct step *wanted, struct step *ret, const char **ret_from)
{
	const struct caches_in *caches = w->b->req->caches;

	for (size_t i = 0; caches && i < caches->n; i++) {
		const struct cache_in *c = &caches->items[i];
		const struct cached_step *found = cached_steps_find(&c->steps, wanted->key);
		struct error why = { 0 };
		int r;

		if (!found || strcmp(found->step.parent, wanted->parent) != 0)
			continue;
		r = bring(w, c, found, &why);
		if (r == -EINTR)
			return error_set(w->b->err, r, "%s", why.text);
		if (r < 0) {
			warn(w->b->req, c->name, &why);
			continue;
		}
		*ret = found->step;
		*ret_from = c->name;
		return 1;
	}
	return 0;
}
