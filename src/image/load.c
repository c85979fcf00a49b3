/* src/image/load.c */
#include "image/load.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/json.h"
#include "base/space.h"
#include "image/alias.h"
#include "image/digest.h"
#include "image/document.h"
#include "image/event.h"
#include "image/image.h"
#include "image/incoming.h"
#include "image/index_edit.h"
#include "image/platform.h"
#include "image/record.h"
#include "image/reference.h"
#include "image/source.h"
#include "image/staged.h"
#include "image/unpack.h"

#define LAYERS_MAX  127 /* Docker's limit; overlayfs has 500 */
#define IMAGES_MAX  256 /* in one archive */
#define INDEX_DEPTH 4

struct loader {
	struct db *db;
	const struct load_request *req;
	struct source *source;
	struct error *err;
	struct incoming in;
	bool chosen; /* by its platform, out of an index */
	bool is_dir; /* skopeo's: blobs have their digits as names */
	unsigned images;
	struct strv loaded; /* IDs, for an index */
};

/* What a manifest of either kind says, before its layers are looked at. */
struct manifest {
	char config_id[DIGEST_HEX_LEN + 1];
	char *config; /* the document */
	size_t config_len;
	const char *config_sha512;   /* its digest in the manifest, if that is one; or NULL */
	struct strv blobs;           /* names in the source */
	struct unpack_layer *layers; /* as many */
	const struct image_document *document; /* NULL: a docker-archive has none */
};

static void manifest_done(struct manifest *m)
{
	free(m->config);
	strv_done(&m->blobs);
	free(m->layers);
}

static void manifest_add_layer(struct manifest *m, const char *name, const char *digest,
			       int64_t size)
{
	struct unpack_layer *layer;

	m->layers = xrealloc(m->layers, m->blobs.n + 1, sizeof(*m->layers));
	layer = &m->layers[m->blobs.n];
	memset(layer, 0, sizeof(*layer));
	(void)snprintf(layer->info.blob, sizeof(layer->info.blob), "%s", digest);
	layer->info.blob_size = size;
	strv_add(&m->blobs, name);
}

/* config and layers */

static int read_diff_ids(struct manifest *m, const json_t *doc, struct error *err)
{
	struct strv ids = { 0 };
	struct json_reader rd;

	json_reader_init(&rd, "image config", err);
	json_read_strings(&rd, json_read_object(&rd, doc, "rootfs"), "diff_ids", &ids);
	for (size_t i = 0; i < ids.n; i++)
		if (!digest_is_valid(ids.items[i]))
			json_fail(&rd, "rootfs", "'%s' is not a sha256 digest", ids.items[i]);
	if (rd.r == 0 && ids.n != m->blobs.n)
		rd.r = error_set(err, -EBADMSG, "the image has %zu layers but names %zu diff IDs",
				 m->blobs.n, ids.n);
	for (size_t i = 0; rd.r == 0 && i < ids.n; i++)
		(void)snprintf(m->layers[i].info.diff_id, DIGEST_HEX_LEN + 1, "%s",
			       ids.items[i] + 7);
	strv_done(&ids);
	return rd.r;
}

static int parse_config(struct loader *l, struct manifest *m)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	struct image_config config = { .user = NULL };
	int r = json_load_bytes(m->config, m->config_len, "image config", &doc, l->err);

	if (r == 0)
		r = image_config_parse(doc, &config, l->err);
	if (r < 0)
		return r;
	if (!l->chosen)
		r = platform_demand(config.os, config.architecture, l->req->platform, l->err);
	image_config_done(&config);
	if (r < 0)
		return r;
	if (m->blobs.n > LAYERS_MAX)
		return error_set(l->err, -E2BIG, "the image has %zu layers; %d are the most",
				 m->blobs.n, LAYERS_MAX);
	return read_diff_ids(m, doc, l->err);
}

struct feed {
	struct loader *l;
	const struct manifest *m;
};

static int check_size(struct unpack_layer *layer, int64_t size, struct error *err)
{
	if (layer->info.blob_size < 0)
		layer->info.blob_size = size; /* a file goes on behind its member */
	return layer->info.blob_size == size
		       ? 0
		       : error_set(err, -EBADMSG, "it has %lld bytes, the manifest says %lld",
				   (long long)size, (long long)layer->info.blob_size);
}

/* 1: it has been unpacked, and nobody has it yet. */
static int open_staged(const struct feed *feed, size_t i, struct unpack_source *ret,
		       struct error *err)
{
	struct staged *staged = source_staged(feed->l->source, feed->m->blobs.items[i]);
	struct staged_layer found;
	int r = staged ? staged_look(staged, &found, err) : 0;

	if (r > 0 && check_size(&feed->m->layers[i], found.tar_size, err) < 0)
		return -EBADMSG;
	if (r > 0)
		*ret = (struct unpack_source) { .fd = -1, .keep_fd = -1, .staged = staged };
	return r;
}

static int open_layer(void *data, size_t i, struct unpack_source *ret, struct error *err)
{
	const struct feed *feed = data;
	struct unpack_layer *layer = &feed->m->layers[i];
	const char *name = feed->m->blobs.items[i];
	int64_t size = 0;
	int r = layer->sha512[0] || ret->as_file ? 0 : open_staged(feed, i, ret, err);

	if (r != 0)
		return MIN(r, 0);
	r = source_get(feed->l->source, name, &ret->fd, &ret->offset, &size, err);
	if (r < 0)
		return r;
	ret->is_blob = source_is_separate(feed->l->source, name);
	r = check_size(layer, size, err);
	if (r < 0)
		(void)close(ret->fd);
	return r;
}

static int close_layer(void *data, size_t i, int fd, int r, struct error *err)
{
	(void)data, (void)i, (void)err;
	if (fd >= 0)
		(void)close(fd);
	return r;
}

/* As it is told; a directory needs no tar. */
static char *member_command(const struct loader *l, const char *name)
{
	const char *path = strcmp(l->req->path, "-") == 0 ? "/dev/stdin" : l->req->path;
	struct stat st;

	if (stat(path, &st) == 0 && S_ISDIR(st.st_mode)) {
		autofree char *file = xasprintf("%s/%s", path, name);

		return xasprintf("cat %s", sq(file));
	}
	return xasprintf("tar -xOf %s %s", sq(path), sq(name));
}

/* Told before: several are unpacked at once, by threads. */
static void narrate_layers(const struct loader *l, const struct manifest *m)
{
	char chain[DIGEST_HEX_LEN + 1] = "";

	if (explain_mode() == EXPLAIN_OFF)
		return;
	for (size_t i = 0; i < m->blobs.n; i++) {
		const char *diff_id = m->layers[i].info.diff_id;
		autofree char *member = member_command(l, m->blobs.items[i]);

		chain_next(chain, diff_id);
		(void)explain_note("layer %zu of %zu, unless it is there: out of the archive, "
				   "unpacked if it is gzip or zstd,",
				   i + 1, m->blobs.n);
		(void)explain("its digest has to be the one that the configuration promises",
			      "%s | sha256sum # %s", member, diff_id);
		(void)explain("into a directory that nobody looks into yet",
			      "mkdir %s/tmp/layer && %s | tar -xC %s/tmp/layer", sq(l->req->root),
			      member, sq(l->req->root));
		(void)explain("whole and on the disk: its name is the digest of all up to it",
			      "sync -f %s/tmp/layer && mv %s/tmp/layer %s/layers/%s",
			      sq(l->req->root), sq(l->req->root), sq(l->req->root), chain);
	}
}

static void narrate_record(const struct loader *l, const struct manifest *m,
			   const struct strv *names)
{
	(void)explain_note("the configuration under its digest, %s/blobs/sha256/%s", l->req->root,
			   m->config_id);
	(void)explain_note("one transaction in state.db: the image, its layers%s%s",
			   names->n > 0 ? ", its name " : "", names->n > 0 ? names->items[0] : "");
}

static int store_layers(struct loader *l, struct manifest *m)
{
	struct feed feed = { l, m };
	struct unpack_request req = {
		.in = &l->in,
		.layers = m->layers,
		.n = m->blobs.n,
		.want_blobs = true,
		.frames = true,
		.open = open_layer,
		.close = close_layer,
		.data = &feed,
	};

	return unpack_layers(&req, l->err);
}

/* the image */

static int store_image(struct loader *l, struct manifest *m, const struct strv *names)
{
	struct image_record record = {
		.id = m->config_id,
		.config_sha512 = m->config_sha512,
		.manifest = m->document,
		.names = names,
	};
	int r = parse_config(l, m);

	if (r == 0 && ++l->images > IMAGES_MAX)
		r = error_set(l->err, -E2BIG, "the archive has more than %d images", IMAGES_MAX);
	if (r == 0) {
		narrate_layers(l, m);
		r = store_layers(l, m);
	}
	record.config = m->config;
	record.config_len = m->config_len;
	record.layers = m->layers;
	record.nlayers = m->blobs.n;
	for (size_t i = 0; l->req->left_out && i < m->blobs.n; i++)
		*l->req->left_out += m->layers[i].left_out;
	if (r == 0)
		narrate_record(l, m, names);
	if (r == 0)
		r = image_record(l->db, &l->in, &record, l->err);
	if (r == 0)
		image_event(l->req->root_fd, "load", m->config_id, names);
	if (r == 0 && !strv_has(&l->loaded, m->config_id))
		strv_add(&l->loaded, m->config_id);
	for (size_t i = 0; r == 0 && i < names->n; i++)
		l->req->report(l->req->data, names->items[i], m->config_id);
	if (r == 0 && names->n == 0)
		l->req->report(l->req->data, NULL, m->config_id);
	return r;
}

/* docker-archive: manifest.json names config, layers and tags */

static int read_docker_config(struct loader *l, const char *name, struct manifest *m)
{
	const char *base = strrchr(name, '/');
	int r = source_read(l->source, name, DOCUMENT_MAX, &m->config, &m->config_len, l->err);

	if (r < 0)
		return r;
	digest_bytes(m->config, m->config_len, m->config_id);
	base = base ? base + 1 : name;
	/* "HEX.json" or "blobs/sha256/HEX": a name that is a digest is a promise. */
	if (strspn(base, "0123456789abcdef") == DIGEST_HEX_LEN &&
	    strncmp(base, m->config_id, DIGEST_HEX_LEN) != 0)
		return error_set(l->err, -EBADMSG, "config %.80s: its digest is sha256:%.12s...",
				 name, m->config_id);
	return 0;
}

static int read_names(struct loader *l, struct json_reader *rd, const json_t *entry,
		      struct strv *ret)
{
	struct strv tags = { 0 };
	int r = 0;

	json_read_strings(rd, entry, "RepoTags", &tags);
	for (size_t i = 0; r == 0 && i < tags.n; i++) {
		char name[REFERENCE_MAX];

		r = reference_canonical(tags.items[i], name, l->err);
		if (r == 0)
			strv_add(ret, name);
	}
	strv_done(&tags);
	return r;
}

static int load_docker_entry(struct loader *l, struct json_reader *rd, const json_t *entry)
{
	cleanup(manifest_done) struct manifest m = { .config = NULL };
	const char *config = json_need_string(rd, entry, "Config");
	struct strv names = { 0 }, layers = { 0 };
	int r;

	json_read_strings(rd, entry, "Layers", &layers);
	for (size_t i = 0; i < layers.n; i++) {
		const char *name = layers.items[i], *base = strrchr(name, '/');
		bool promise = base && strncmp(name, "blobs/sha256/", 13) == 0 &&
			       strspn(base + 1, "0123456789abcdef") == DIGEST_HEX_LEN &&
			       strlen(base + 1) == DIGEST_HEX_LEN;

		manifest_add_layer(&m, name, promise ? base + 1 : "", -1);
	}
	strv_done(&layers);
	r = read_names(l, rd, entry, &names);
	if (r == 0)
		r = rd->r;
	if (r == 0)
		r = read_docker_config(l, config, &m);
	if (r == 0)
		r = store_image(l, &m, &names);
	strv_done(&names);
	return r;
}

/* OCI layout: index.json, then blobs by digest */

/* The member that a descriptor means. */
static char *part_name(const struct loader *l, const struct part *d)
{
	char digest[PART_DIGEST_LEN];

	return l->is_dir ? xstrdup(part_hex(d)) : alias_path(part_digest(d, digest));
}

/* A document by its descriptor, checked against it; ret_hex is the digest by which we know it. */
static int read_blob(struct loader *l, const struct part *d, char **ret, size_t *ret_len,
		     char ret_hex[DIGEST_HEX_LEN + 1])
{
	autofree char *name = part_name(l, d);
	char got[DIGEST512_HEX_LEN + 1];
	int r = source_read(l->source, name, DOCUMENT_MAX, ret, ret_len, l->err);

	if (r < 0)
		return r;
	digest_bytes(*ret, *ret_len, ret_hex);
	if (d->sha512[0])
		digest512_bytes(*ret, *ret_len, got);
	else
		(void)snprintf(got, sizeof(got), "%s", ret_hex);
	if (strcmp(got, part_hex(d)) != 0)
		return error_set(l->err, -EBADMSG, "%s: its digest is %s:%.12s...", name,
				 d->sha512[0] ? "sha512" : "sha256", got);
	if (d->size >= 0 && (uint64_t)d->size != *ret_len)
		return error_set(l->err, -EBADMSG, "%s has %zu bytes, its descriptor says %lld",
				 name, *ret_len, (long long)d->size);
	return 0;
}

static int load_manifest(struct loader *l, const struct document *doc,
			 const struct image_document *as_is, const struct strv *names)
{
	cleanup(manifest_done) struct manifest m = { .document = as_is };
	int r = read_blob(l, &doc->parts[0], &m.config, &m.config_len, m.config_id);

	if (r < 0)
		return r;
	m.config_sha512 = doc->parts[0].sha512;
	for (size_t i = 1; i < doc->n; i++) {
		const struct part *part = &doc->parts[i];
		autofree char *name = part_name(l, part);

		manifest_add_layer(&m, name, part->digest, part->size);
		(void)snprintf(m.layers[i - 1].sha512, sizeof(m.layers[i - 1].sha512), "%s",
			       part->sha512);
	}
	return store_image(l, &m, names);
}

/* skopeo's dir: a manifest whose blobs lie beside it under their digests */

static int load_dir(struct loader *l, const char *text, size_t len)
{
	const struct strv none = { 0 };
	struct document doc = { .n = 0 };
	char hex[DIGEST_HEX_LEN + 1];
	struct image_document as_is = { .digest = hex, .bytes = text, .len = len };
	int r = document_parse(text, len, "manifest.json", &doc, l->err);

	digest_bytes(text, len, hex);
	l->is_dir = true;
	as_is.media_type = doc.media_type;
	if (r == 0 && doc.is_index)
		r = error_set(l->err, -EBADMSG,
			      "manifest.json is an index: name one of its images");
	if (r == 0)
		r = load_manifest(l, &doc, &as_is, &none);
	document_done(&doc);
	return r;
}

static int load_docker(struct loader *l)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	autofree char *text = NULL;
	struct json_reader rd;
	size_t len, i;
	json_t *entry;
	int r = source_read(l->source, "manifest.json", DOCUMENT_MAX, &text, &len, l->err);

	if (r == 0)
		r = json_load_bytes(text, len, "manifest.json", &doc, l->err);
	if (r < 0)
		return r;
	if (json_is_object(doc))
		return load_dir(l, text, len);
	json_reader_init(&rd, "manifest.json", l->err);
	if (!json_is_array(doc) || json_array_size(doc) == 0)
		return error_set(l->err, -EBADMSG, "manifest.json: expected a list of images");
	json_array_foreach (doc, i, entry) {
		struct json_place place = json_enter_index(&rd, i);

		r = json_is_object(entry) ? load_docker_entry(l, &rd, entry)
					  : error_set(l->err, -EBADMSG,
						      "manifest.json: expected a list of objects");
		if (r < 0)
			return r;
		json_leave(&rd, place);
	}
	return 0;
}

/* The name that an archive gives: a whole one, never a bare tag. */
static int add_name(struct loader *l, const json_t *descriptor, struct strv *names)
{
	const json_t *notes = json_object_get(descriptor, "annotations");
	const char *whole = json_string_value(json_object_get(notes, "io.containerd.image.name"));
	const char *ref =
		json_string_value(json_object_get(notes, "org.opencontainers.image.ref.name"));
	char name[REFERENCE_MAX];
	int r;

	if (!whole && ref && strpbrk(ref, ":/"))
		whole = ref;
	if (!whole)
		return 0;
	r = reference_canonical(whole, name, l->err);
	if (r == 0 && !strv_has(names, name))
		strv_add(names, name);
	return r;
}

/* An index is one image for many machines: the manifest that fits. */
static int choose(struct loader *l, const struct document *index, const struct part **ret)
{
	char wish[PLATFORM_LEN];
	int i, r = platform_parse(l->req->platform, wish, l->err);

	if (r < 0)
		return r;
	i = platform_choose(index, wish);
	if (i < 0)
		return error_set(l->err, -ENOENT,
				 "the image has no variant for %s; --platform chooses another",
				 wish);
	*ret = &index->parts[i];
	l->chosen = true;
	return 0;
}

static int load_part(struct loader *l, const struct part *part, const struct strv *names,
		     unsigned depth);

/* Attestations are no images: an index that lists some is told from one that can be kept whole. */
static int load_variants(struct loader *l, const struct document *index, unsigned depth,
			 bool *ret_whole) /* NOLINT(misc-no-recursion): depth is bounded */
{
	const struct strv none = { 0 };
	int r = 0;

	*ret_whole = true;
	for (size_t i = 0; r == 0 && i < index->n; i++) {
		bool is_note = strcmp(index->parts[i].platform, "unknown/unknown") == 0;

		if (is_note || strstr(index->parts[i].media_type, "index") ||
		    strstr(index->parts[i].media_type, "list"))
			*ret_whole = false;
		if (!is_note)
			r = load_part(l, &index->parts[i], &none, depth + 1);
	}
	return r;
}

/* Without the attestations it is an index of ours. */
static int make_index(struct loader *l, const char *name)
{
	const struct index_images images = { .items = l->loaded.items, .n = l->loaded.n };
	char digest[DIGEST_HEX_LEN + 1];

	return index_create(l->db, &l->in, name, INDEX_AMEND, &images, digest, l->err);
}

static int load_all(struct loader *l, const struct document *index, const char *bytes, size_t len,
		    const struct strv *names, unsigned depth)
/* NOLINT(misc-no-recursion): depth is bounded */
{
	bool whole = false;
	int r;

	if (depth == 0)
		strv_done(&l->loaded);
	r = load_variants(l, index, depth, &whole);

	for (size_t i = 0; r == 0 && i < names->n; i++)
		r = whole ? index_keep(l->db, &l->in, names->items[i], bytes, len,
				       index->media_type ? index->media_type : "", l->err)
			  : make_index(l, names->items[i]);
	return r;
}

static int load_part(struct loader *l, const struct part *part, const struct strv *names,
		     unsigned depth) /* NOLINT(misc-no-recursion): depth is bounded */
{
	struct document doc = { .n = 0 };
	autofree char *text = NULL;
	char hex[DIGEST_HEX_LEN + 1];
	struct image_document as_is = { .digest = hex, .sha512 = part->sha512 };
	const struct part *inner;
	int r;

	if (depth > INDEX_DEPTH)
		return error_set(l->err, -ELOOP, "indexes lie more than %d deep in each other",
				 INDEX_DEPTH);
	r = read_blob(l, part, &text, &as_is.len, hex);
	if (r == 0)
		r = document_parse(text, as_is.len, "manifest", &doc, l->err);
	as_is.bytes = text;
	as_is.media_type = doc.media_type && *doc.media_type ? doc.media_type : part->media_type;
	if (r == 0 && doc.is_index && l->req->all) {
		r = load_all(l, &doc, text, as_is.len, names, depth);
	} else if (r == 0 && doc.is_index) {
		r = choose(l, &doc, &inner);
		if (r == 0)
			r = load_part(l, inner, names, depth + 1);
	} else if (r == 0) {
		r = load_manifest(l, &doc, &as_is, names);
	}
	document_done(&doc);
	return r;
}

/* The outermost index lists images; with platforms it is one image for many machines itself. */
static int load_listed(struct loader *l, const struct document *index, const json_t *list)
{
	const struct strv none = { 0 };
	const struct part *part = NULL;
	int r = 0;

	if (index->n > 1 && *index->parts[0].platform && !l->req->all) {
		r = choose(l, index, &part);
		return r < 0 || !part ? r : load_part(l, part, &none, 0);
	}
	for (size_t i = 0; r == 0 && i < index->n; i++) {
		struct strv names = { 0 };

		r = add_name(l, json_array_get(list, i), &names);
		l->chosen = false;
		if (r == 0)
			r = load_part(l, &index->parts[i], &names, 0);
		strv_done(&names);
	}
	return r;
}

static int load_oci(struct loader *l)
{
	cleanup(json_cleanup) json_t *json = NULL;
	struct document index = { .n = 0 };
	autofree char *text = NULL;
	size_t len;
	int r = source_read(l->source, "index.json", DOCUMENT_MAX, &text, &len, l->err);

	if (r == 0)
		r = document_parse(text, len, "index.json", &index, l->err);
	if (r == 0 && (!index.is_index || index.n == 0))
		r = error_set(l->err, -EBADMSG, "index.json lists no images");
	if (r == 0)
		r = json_load_bytes(text, len, "index.json", &json, l->err);
	if (r == 0)
		r = load_listed(l, &index, json_object_get(json, "manifests"));
	document_done(&index);
	return r;
}

/* the whole */

static int load(struct loader *l)
{
	char wish[PLATFORM_LEN];
	int r = platform_parse(l->req->platform, wish, l->err);

	if (r == 0)
		r = source_open(l->req->path, l->in.tmp_fd, l->in.root_fd, &l->source, l->err);
	if (r < 0)
		return r;
	(void)explain("what the archive holds; nothing in it is trusted", "tar -tf %s",
		      strcmp(l->req->path, "-") == 0 ? "/dev/stdin" : sq(l->req->path));
	if (source_has(l->source, "index.json"))
		return load_oci(l);
	if (source_has(l->source, "manifest.json"))
		return load_docker(l);
	return error_set(
		l->err, -ENOMSG,
		"neither manifest.json nor index.json is in it; is this an image archive?");
}

int image_load_archive(struct db *db, const struct load_request *req, struct error *err)
{
	struct loader l = { .db = db, .req = req, .err = err, .in = INCOMING_INIT };
	int r = incoming_open(req->root, req->root_fd, &l.in, err);

	if (r == 0)
		r = load(&l);
	if (r < 0)
		(void)error_wrap(err, r, "%s",
				 strcmp(req->path, "-") == 0 ? "standard input" : req->path);
	source_close(l.source);
	strv_done(&l.loaded);
	incoming_done(&l.in);
	if (r < 0) {
		space_explain(req->root, err);
		image_sweep_failed(db, req->root_fd);
	}
	return r;
}
