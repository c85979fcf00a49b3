/* src/builder/output.c
 *
 * An image that is only written or pushed is in the store while that goes on, without a name, and
 * goes again unless it was there before.
 */
#include "builder/output.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "builder/annotation.h"
#include "builder/export.h"
#include "builder/finish.h"
#include "builder/output_spec.h"
#include "builder/step.h"
#include "builder/transfer.h"
#include "engine/engine.h"
#include "image/image.h"
#include "image/incoming.h"
#include "image/index_document.h"
#include "image/index_edit.h"
#include "image/manifest_keep.h"
#include "image/platform.h"
#include "image/save.h"

#define NAMES_MAX 65536

/* One platform's. */
struct built {
	struct build *b;
	char id[ID_LEN + 1];
	char platform[PLATFORM_LEN];
	bool was_there;
	struct kept_manifest manifest; /* digest "": not asked for yet */
};

struct ending {
	struct build *builds;
	struct built *built;
	size_t n;
	const struct build_request *req;
	struct engine *engine;
	struct error *err;
	char *index; /* of several platforms: the document, and its digest */
	char index_digest[DIGEST_HEX_LEN + 1];
	char manifest_digest[DIGEST_HEX_LEN + 1]; /* of --manifest */
};

static const struct strv *names_of(const struct ending *e, const struct output *o)
{
	return o->names.n ? &o->names : e->req->names;
}

static void tell(const struct ending *e, const char *text)
{
	const struct build_told told = { .event = BUILD_EXPORT, .text = text };

	e->req->tell(e->req->data, &told);
}

static bool needs_image(const struct ending *e)
{
	for (size_t i = 0; i < e->req->outputs->n; i++)
		if (e->req->outputs->items[i].type != OUTPUT_TAR &&
		    e->req->outputs->items[i].type != OUTPUT_LOCAL)
			return true;
	return false;
}

/* manifests and the index */

static bool is_wished(const struct ending *e, const struct output *o)
{
	return e->req->format || o->compression ||
	       annotations_have(e->req->annotations, ON_MANIFEST);
}

static enum packing packing_of(const struct output *o)
{
	return !o->compression || strcmp(o->compression, "gzip") == 0 ? PACKING_GZIP
	       : strcmp(o->compression, "zstd") == 0                  ? PACKING_ZSTD
								      : PACKING_NONE;
}

static int make_manifest(const struct ending *e, const struct output *o, const struct incoming *in,
			 struct built *t)
{
	cleanup(image_cleanup) struct image *image = NULL;
	struct strv texts = { 0 };
	const bool docker = e->req->format && strcmp(e->req->format, "docker") == 0;
	const struct manifest_wish wish = { .kind = docker ? MANIFEST_DOCKER : MANIFEST_OCI,
					    .packing = packing_of(o),
					    .any = !o->compression,
					    .annotations = &texts };
	struct db *db = engine_db(e->engine);
	int r = image_load(db, engine_root_fd(e->engine), t->id, &image, e->err);

	annotations_for(e->req->annotations, ON_MANIFEST, t->platform, &texts);
	if (r == 0)
		r = is_wished(e, o) ? manifest_put(db, in, image, &wish, &t->manifest, e->err)
				    : manifest_keep(db, in, image, &t->manifest, e->err);
	strv_done(&texts);
	return r;
}

static int list_manifest(const struct ending *e, json_t *doc, const struct built *t)
{
	const struct index_entry entry = { .digest = t->manifest.digest,
					   .media_type = t->manifest.media_type,
					   .size = t->manifest.size,
					   .platform = t->platform };
	struct strv texts = { 0 };
	const struct index_note note = { .annotations = &texts };
	int r = index_document_add(doc, &entry, e->err);

	annotations_for(e->req->annotations, ON_DESCRIPTOR, t->platform, &texts);
	if (r == 0 && texts.n)
		r = index_document_annotate(doc, entry.digest, &note, e->err);
	strv_done(&texts);
	return r;
}

static int make_index(struct ending *e)
{
	json_t *doc = index_document_new();
	struct strv texts = { 0 };
	const struct index_note note = { .annotations = &texts };
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->n; i++)
		r = list_manifest(e, doc, &e->built[i]);
	annotations_for(e->req->annotations, ON_INDEX, NULL, &texts);
	if (r == 0 && texts.n)
		r = index_document_annotate(doc, NULL, &note, e->err);
	strv_done(&texts);
	free(e->index);
	e->index = json_dumps(doc, JSON_COMPACT);
	json_decref(doc);
	if (r == 0)
		digest_bytes(e->index, strlen(e->index), e->index_digest);
	return r;
}

/* The manifests that this output wants; without an output, those that there are. */
static int make_documents(struct ending *e, const struct output *o)
{
	cleanup(incoming_done) struct incoming in = INCOMING_INIT;
	int r = incoming_open(engine_root(e->engine), engine_root_fd(e->engine), &in, e->err);

	for (size_t i = 0; r == 0 && i < e->n; i++)
		r = make_manifest(e, o, &in, &e->built[i]);
	return r == 0 && e->n > 1 ? make_index(e) : r;
}

/* the store */

static int name_index(struct ending *e, const struct strv *names)
{
	cleanup(incoming_done) struct incoming in = INCOMING_INIT;
	int r = incoming_open(engine_root(e->engine), engine_root_fd(e->engine), &in, e->err);

	for (size_t i = 0; r == 0 && i < names->n; i++)
		r = index_keep(engine_db(e->engine), &in, names->items[i], e->index,
			       strlen(e->index), INDEX_MEDIA_TYPE, e->err);
	return r;
}

static int to_store(struct ending *e, const struct output *o)
{
	const struct strv *names = names_of(e, o);
	int r = 0;

	if (e->n > 1 && names->n == 0 && !e->req->manifest)
		return error_set(e->err, -EINVAL,
				 "several platforms make an index, which needs a name: -t NAME");
	if (e->n > 1 || is_wished(e, o))
		r = make_documents(e, o);
	if (r < 0)
		return r;
	/* A single image was recorded with its names. */
	return e->n > 1 ? name_index(e, names) : 0;
}

/* files */

/* An image by several names is listed as often; one of several platforms once, and its index has
 * the names.
 */
static int save(struct ending *e, const struct output *o, enum save_format format, const char *path)
{
	const struct strv *wanted = names_of(e, o);
	struct strv images = { 0 }, names = { 0 }, texts = { 0 };
	const struct save_index index = { .bytes = e->index,
					  .media_type = INDEX_MEDIA_TYPE,
					  .len = e->index ? strlen(e->index) : 0,
					  .names = wanted };
	const struct save_request req = { .root = engine_root(e->engine),
					  .root_fd = engine_root_fd(e->engine),
					  .format = format,
					  .path = path,
					  .packing = packing_of(o),
					  .any = !o->compression,
					  .images = &images,
					  .names = &names,
					  .index = e->n > 1 ? &index : NULL,
					  .annotations = &texts };
	size_t times = e->n > 1 ? 1 : MAX(wanted->n, 1);
	int r;

	if (e->n > 1)
		annotations_for(e->req->annotations, ON_INDEX_DESCRIPTOR, NULL, &texts);
	else
		annotations_for(e->req->annotations, ON_DESCRIPTOR, e->built[0].platform, &texts);
	for (size_t i = 0; i < e->n; i++)
		for (size_t k = 0; k < times; k++) {
			strv_add(&images, e->built[i].id);
			strv_add(&names, e->n == 1 && wanted->n ? wanted->items[k] : "");
		}
	r = image_save(engine_db(e->engine), &req, e->err);
	strv_done(&images);
	strv_done(&names);
	strv_done(&texts);
	return r;
}

static int to_file(struct ending *e, const struct output *o)
{
	enum save_format format = o->type == OUTPUT_DOCKER ? SAVE_DOCKER_ARCHIVE
				  : o->is_dir              ? SAVE_OCI_DIR
							   : SAVE_OCI_ARCHIVE;
	int r = 0;

	if (o->type == OUTPUT_DOCKER && e->n > 1)
		return error_set(e->err, -EINVAL,
				 "a docker archive holds images of one platform; type=oci holds "
				 "several");
	if (o->type == OUTPUT_OCI && e->req->format && strcmp(e->req->format, "docker") == 0)
		return error_set(e->err, -EINVAL, "--format docker and type=oci: which of them?");
	if (o->type == OUTPUT_OCI && (e->n > 1 || is_wished(e, o)))
		r = make_documents(e, o);
	return r < 0 ? r : save(e, o, format, o->dest);
}

/* a registry */

static int push_one(struct ending *e, const struct output *o, const char *name)
{
	autofree char *flag = o->compression ? xasprintf("--compression=%s", o->compression) : NULL;
	const char *const words[] = { flag ? flag : "--", flag ? "--" : e->built[0].id,
				      flag ? e->built[0].id : name, flag ? name : NULL, NULL };

	return transfer(e->engine, e->req, "push", words, e->err);
}

/* An index without a name in the store goes by way of a layout. */
static int push_index(struct ending *e, const char *layout, const char *name)
{
	autofree char *from = xasprintf("oci:%s", layout), *to = xasprintf("docker://%s", name);
	const char *const words[] = { "--all", "--", from, to, NULL };

	return transfer(e->engine, e->req, "copy", words, e->err);
}

static int push_all(struct ending *e, const struct output *o, const struct strv *names)
{
	cleanup(incoming_done) struct incoming in = INCOMING_INIT;
	const struct output plain = { .type = OUTPUT_OCI, .names = *names };
	autofree char *layout = NULL;
	int r = 0;

	if (e->n > 1) {
		r = incoming_begin(engine_root(e->engine), engine_root_fd(e->engine), &in, e->err);
		layout = xasprintf("%s/%s/layout", in.root, in.tmp_name);
		/* By one name, so that the layout holds one thing. */
		if (r == 0)
			r = save(e,
				 &(struct output) {
					 .names = { .items = plain.names.items, .n = 1 } },
				 SAVE_OCI_DIR, layout);
	}
	for (size_t i = 0; r == 0 && i < names->n; i++)
		r = e->n > 1 ? push_index(e, layout, names->items[i])
			     : push_one(e, o, names->items[i]);
	return r;
}

static int to_registry(struct ending *e, const struct output *o)
{
	const struct strv *names = names_of(e, o);
	int r = 0;

	if (names->n == 0)
		return error_set(e->err, -EINVAL, "to push, a name is needed: -t REGISTRY/NAME");
	if (e->n > 1 || is_wished(e, o))
		r = make_documents(e, o);
	return r < 0 ? r : push_all(e, o, names);
}

/* all */

static int put_out(struct ending *e, const struct output *o)
{
	int r = -EINVAL;

	switch (o->type) {
	case OUTPUT_IMAGE:
		r = to_store(e, o);
		return r == 0 && o->push ? to_registry(e, o) : r;
	case OUTPUT_REGISTRY:
		return to_registry(e, o);
	case OUTPUT_OCI:
	case OUTPUT_DOCKER:
		r = to_file(e, o);
		break;
	case OUTPUT_TAR:
	case OUTPUT_LOCAL:
		r = export_tree(e->builds, e->n, o, e->err);
		break;
	}
	if (r == 0 && strcmp(o->dest, "-") != 0)
		tell(e, o->dest);
	return r;
}

static void platform_of(const struct build *b, char ret[PLATFORM_LEN])
{
	const json_t *doc = b->states[b->plan.target].doc;
	const char *os = json_string_value(json_object_get(doc, "os"));
	const char *arch = json_string_value(json_object_get(doc, "architecture"));
	const char *variant = json_string_value(json_object_get(doc, "variant"));

	(void)snprintf(ret, PLATFORM_LEN, "%s/%s%s%s", os ? os : "", arch ? arch : "",
		       variant && *variant ? "/" : "", variant ? variant : "");
}

/* What a single image is called in the store. */
static void store_names(const struct ending *e, struct strv *ret)
{
	for (size_t i = 0; e->n == 1 && i < e->req->outputs->n; i++) {
		const struct output *o = &e->req->outputs->items[i];
		const struct strv *names = names_of(e, o);

		for (size_t k = 0; o->type == OUTPUT_IMAGE && k < names->n; k++)
			if (!strv_has(ret, names->items[k]))
				strv_add(ret, names->items[k]);
	}
}

static int finish_one(struct ending *e, size_t i, bool records)
{
	struct strv names = { 0 };
	const struct finish_request req = { .names = &names, .records = records };
	struct built *t = &e->built[i];
	int r;

	t->b = &e->builds[i];
	store_names(e, &names);
	platform_of(t->b, t->platform);
	r = build_finish(t->b, &t->b->states[t->b->plan.target], &req, t->id, &t->was_there);
	strv_done(&names);
	return r;
}

static void say_nothing(void *data, const char *text)
{
	(void)data;
	(void)text;
}

static void remove_again(struct ending *e)
{
	for (size_t i = 0; i < e->n; i++)
		if (!e->built[i].was_there && *e->built[i].id)
			ignore_result(image_remove(engine_db(e->engine), engine_root_fd(e->engine),
						   e->built[i].id, false, say_nothing, NULL, NULL));
}

/* metadata */

static json_t *describe(const struct built *t)
{
	autofree char *id = xasprintf("sha256:%s", t->id);
	autofree char *digest = xasprintf("sha256:%s", t->manifest.digest);
	json_t *doc = json_pack("{s:s}", "containerimage.config.digest", id);

	if (!t->manifest.digest[0])
		return doc;
	(void)json_object_set_new(doc, "containerimage.digest", json_string(digest));
	(void)json_object_set_new(doc, "containerimage.descriptor",
				  json_pack("{s:s, s:s, s:I}", "mediaType", t->manifest.media_type,
					    "digest", digest, "size",
					    (json_int_t)t->manifest.size));
	return doc;
}

static json_t *describe_index(const struct ending *e)
{
	autofree char *digest = xasprintf("sha256:%s", e->index_digest);
	json_t *platforms = json_object();

	for (size_t i = 0; i < e->n; i++)
		(void)json_object_set_new(platforms, e->built[i].platform, describe(&e->built[i]));
	return json_pack("{s:s, s:{s:s, s:s, s:I}, s:o}", "containerimage.digest", digest,
			 "containerimage.descriptor", "mediaType", INDEX_MEDIA_TYPE, "digest",
			 digest, "size", (json_int_t)strlen(e->index), "strake.platforms",
			 platforms);
}

static int make_metadata(struct ending *e, json_t **ret)
{
	static const struct output whatever = { .type = OUTPUT_IMAGE };
	struct buf names = BUF_INIT(NAMES_MAX);
	int r = 0;

	if (needs_image(e) && !e->built[0].manifest.digest[0])
		r = make_documents(e, &whatever);
	if (r < 0)
		return r;
	*ret = e->index ? describe_index(e) : describe(&e->built[0]);
	for (size_t i = 0; i < e->req->names->n; i++)
		buf_addf(&names, "%s%s", i ? "," : "", e->req->names->items[i]);
	if (names.len)
		(void)json_object_set_new(*ret, "image.name", json_string(buf_text(&names)));
	buf_done(&names);
	return 0;
}

/* --manifest: one more, or as many as there are platforms. */
static int add_to_index(struct ending *e)
{
	cleanup(incoming_done) struct incoming in = INCOMING_INIT;
	struct strv ids = { 0 };
	struct index_images images;
	int r = incoming_open(engine_root(e->engine), engine_root_fd(e->engine), &in, e->err);

	for (size_t i = 0; i < e->n; i++)
		strv_add(&ids, e->built[i].id);
	images = (struct index_images) { .items = ids.items, .n = ids.n };
	if (r == 0)
		r = index_create(engine_db(e->engine), &in, e->req->manifest, INDEX_AMEND, &images,
				 e->manifest_digest, e->err);
	strv_done(&ids);
	return r < 0 ? error_wrap(e->err, r, "--manifest") : 0;
}

static int output_each(struct ending *e, struct build_result *ret)
{
	const struct outputs *outputs = e->req->outputs;
	bool records = needs_image(e);
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->n; i++)
		r = finish_one(e, i, records);
	for (size_t i = 0; r == 0 && i < outputs->n; i++)
		r = put_out(e, &outputs->items[i]);
	if (r == 0 && e->req->manifest)
		r = add_to_index(e);
	if (r == 0 && e->req->wants_metadata)
		r = make_metadata(e, &ret->metadata);
	if (r == 0)
		memcpy(ret->id,
		       !e->index          ? e->built[0].id
		       : e->req->manifest ? e->manifest_digest
					  : e->index_digest,
		       ID_LEN + 1);
	if (records && !outputs_have(outputs, OUTPUT_IMAGE))
		remove_again(e);
	return r;
}

int output_check(const struct build_request *req, size_t n, struct error *err)
{
	const struct annotations *all = req->annotations;
	bool has_layout = outputs_have(req->outputs, OUTPUT_OCI);

	if (n == 1 &&
	    (annotations_have(all, ON_INDEX) || annotations_have(all, ON_INDEX_DESCRIPTOR)))
		return error_set(err, -EINVAL,
				 "--annotation index: there is no index, with one platform");
	if (!has_layout && (annotations_have(all, ON_INDEX_DESCRIPTOR) ||
			    (n == 1 && annotations_have(all, ON_DESCRIPTOR))))
		return error_set(err, -EINVAL,
				 "--annotation %s-descriptor: only a layout has a place for it "
				 "(--output type=oci,dest=FILE)",
				 n == 1 ? "manifest" : "index");
	return 0;
}

int output_all(struct build *builds, size_t n, struct build_result *ret, struct error *err)
{
	struct ending e = { .builds = builds,
			    .built = xcalloc(n, sizeof(*e.built)),
			    .n = n,
			    .req = builds[0].req,
			    .engine = builds[0].engine,
			    .err = err };
	int r = output_each(&e, ret);

	free(e.built);
	free(e.index);
	return r;
}
