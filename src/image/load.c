/* src/image/load.c */
#include "image/load.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "image/catalog.h"
#include "image/digest.h"
#include "image/image.h"
#include "image/layer.h"
#include "image/reference.h"
#include "image/source.h"
#include "image/stream.h"

#define DOCUMENT_MAX (4U << 20) /* of a manifest, index or config; what registries take, too */
#define LAYERS_MAX   127        /* Docker's limit; overlayfs has 500 */
#define IMAGES_MAX   256        /* in one archive */
#define INDEX_DEPTH  4
#define TMP_DIR      "tmp"

struct loader {
	struct db *db;
	const struct load_request *req;
	struct source *source;
	struct error *err;
	char tmp_name[ID_LEN + 1 + sizeof(TMP_DIR)];
	int tmp_fd;    /* ROOT/tmp/ID, locked: a check sees that its owner lives */
	int layers_fd; /* ROOT/layers, locked against removal */
	unsigned images;
};

/* What a manifest of either kind says, before its layers are looked at. */
struct manifest {
	char config_id[DIGEST_HEX_LEN + 1];
	char *config; /* the document */
	size_t config_len;
	struct strv blobs;   /* names in the source */
	struct strv digests; /* of the blobs as stored, hex; empty strings if not known */
	struct strv sizes;   /* of the same, as text; empty if not known */
	struct strv diff_ids;
};

static void manifest_done(struct manifest *m)
{
	free(m->config);
	strv_done(&m->blobs);
	strv_done(&m->digests);
	strv_done(&m->sizes);
	strv_done(&m->diff_ids);
}

/* config and layers */

static int parse_config(struct loader *l, struct manifest *m)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	struct image_config config = { .user = NULL };
	struct json_reader rd;
	const json_t *rootfs;
	int r = json_load_bytes(m->config, m->config_len, "image config", &doc, l->err);

	if (r == 0)
		r = image_config_parse(doc, &config, l->err);
	if (r < 0)
		return r;
	image_config_done(&config);
	json_reader_init(&rd, "image config", l->err);
	rootfs = json_read_object(&rd, doc, "rootfs");
	json_read_strings(&rd, rootfs, "diff_ids", &m->diff_ids);
	for (size_t i = 0; i < m->diff_ids.n; i++)
		if (!digest_is_valid(m->diff_ids.items[i]))
			json_fail(&rd, "rootfs", "'%s' is not a sha256 digest",
				  m->diff_ids.items[i]);
	if (rd.r < 0)
		return rd.r;
	if (m->diff_ids.n != m->blobs.n)
		return error_set(l->err, -EBADMSG,
				 "the image has %zu layers but names %zu diff IDs", m->blobs.n,
				 m->diff_ids.n);
	if (m->blobs.n > LAYERS_MAX)
		return error_set(l->err, -E2BIG, "the image has %zu layers; %d are the most",
				 m->blobs.n, LAYERS_MAX);
	return 0;
}

static void chain_next(char chain[DIGEST_HEX_LEN + 1], const char *diff_id)
{
	autofree char *text = NULL;

	if (!chain[0]) {
		(void)snprintf(chain, DIGEST_HEX_LEN + 1, "%s", diff_id + 7);
		return;
	}
	text = xasprintf("sha256:%s %s", chain, diff_id);
	digest_bytes(text, strlen(text), chain);
}

static int check_digests(struct loader *l, const struct manifest *m, size_t i, const char *stored,
			 const char *unpacked)
{
	const char *want = m->digests.items[i], *diff_id = m->diff_ids.items[i] + 7;

	if (*want && strcmp(want, stored) != 0)
		return error_set(
			l->err, -EBADMSG,
			"layer %zu: its digest is sha256:%.12s..., the manifest says sha256:%.12s...",
			i + 1, stored, want);
	if (strcmp(diff_id, unpacked) != 0)
		return error_set(
			l->err, -EBADMSG,
			"layer %zu: unpacked its digest is sha256:%.12s..., the config says "
			"sha256:%.12s...",
			i + 1, unpacked, diff_id);
	return 0;
}

static int write_size(int dir, int64_t size, struct error *err)
{
	autofree char *text = xasprintf("%lld\n", (long long)size);

	return file_write_at(dir, "size", text, strlen(text), 0644, FILE_PLAIN, err);
}

static int unpack_layer(struct loader *l, const struct manifest *m, size_t i,
			const struct strv *lower, int dir)
{
	char stored[DIGEST_HEX_LEN + 1], unpacked[DIGEST_HEX_LEN + 1];
	cleanup(stream_cleanup) struct stream *stream = NULL;
	autoclose int blob = -1, diff = -1;
	struct layer_request req = { .lower = lower };
	int64_t size = 0, bytes = 0;
	int r = source_get(l->source, m->blobs.items[i], &blob, &size, l->err);

	if (r < 0)
		return r;
	if (*m->sizes.items[i] && strtoll(m->sizes.items[i], NULL, 10) != size)
		return error_set(l->err, -EBADMSG, "layer %zu has %lld bytes, the manifest says %s",
				 i + 1, (long long)size, m->sizes.items[i]);
	r = stream_open(blob, size, &stream, l->err);
	if (r == 0)
		r = dir_ensure_at(dir, "diff", 0755, &diff, l->err);
	req.dir_fd = diff;
	if (r == 0)
		r = layer_apply(&req, stream, &bytes, l->err);
	if (r == 0)
		r = stream_finish(stream, stored, unpacked, l->err);
	if (r == 0)
		r = check_digests(l, m, i, stored, unpacked);
	return r < 0 ? r : write_size(dir, bytes, l->err);
}

/* Unpacked under a temporary name, so that a layer is there as a whole or not at all. */
static int store_layer(struct loader *l, const struct manifest *m, size_t i, const char *chain,
		       const struct strv *lower)
{
	autoclose int dir = -1;
	struct stat st;
	int r;

	if (fstatat(l->layers_fd, chain, &st, 0) == 0)
		return 0;
	r = dir_ensure_at(l->tmp_fd, chain, 0711, &dir, l->err);
	if (r == 0)
		r = unpack_layer(l, m, i, lower, dir);
	if (r < 0)
		return error_wrap(l->err, r, "layer %zu of %zu", i + 1, m->blobs.n);
	/* The data must be on the disk before the name says so; one flush for all of it. */
	if (syncfs(dir) < 0)
		return error_sys(l->err, -errno, "write the layer to the disk");
	if (renameat(l->tmp_fd, chain, l->layers_fd, chain) < 0 && errno != EEXIST &&
	    errno != ENOTEMPTY)
		return error_sys(l->err, -errno, "put layer %zu in place", i + 1);
	return 0;
}

static int64_t layer_size(struct loader *l, const char *chain)
{
	autofree char *path = xasprintf("%s/size", chain), *text = NULL;

	if (file_read_at(l->layers_fd, path, 32, &text, NULL, NULL) < 0)
		return 0;
	return strtoll(text, NULL, 10);
}

static int store_layers(struct loader *l, const struct manifest *m, struct strv *ret_chains,
			int64_t *ret_size)
{
	char chain[DIGEST_HEX_LEN + 1] = "";
	int r = 0;

	*ret_size = 0;
	for (size_t i = 0; r == 0 && i < m->blobs.n; i++) {
		struct strv lower = { 0 };

		for (size_t k = ret_chains->n; k > 0; k--)
			strv_addf(&lower, "%s/layers/%s/diff", l->req->root,
				  ret_chains->items[k - 1]);
		chain_next(chain, m->diff_ids.items[i]);
		r = store_layer(l, m, i, chain, &lower);
		strv_add(ret_chains, chain);
		*ret_size += layer_size(l, chain);
		strv_done(&lower);
	}
	return r;
}

/* the image */

static int insert_image(struct loader *l, const struct manifest *m, const struct strv *chains,
			int64_t size)
{
	int r = db_run(l->db, l->err,
		       "INSERT INTO images (id, size, loaded) VALUES (?1, ?2, ?3)"
		       " ON CONFLICT (id) DO UPDATE SET loaded = ?3",
		       "sii", m->config_id, size, clock_now_ns());

	for (size_t i = 0; r == 0 && i < chains->n; i++)
		r = db_run(l->db, l->err,
			   "INSERT OR REPLACE INTO image_layers (image, position, chain)"
			   " VALUES (?1, ?2, ?3)",
			   "sis", m->config_id, (int64_t)i, chains->items[i]);
	return r;
}

static int record_image(struct loader *l, const struct manifest *m, const struct strv *chains,
			int64_t size, const struct strv *names)
{
	int r = db_begin(l->db, l->err);

	if (r == 0)
		r = insert_image(l, m, chains, size);
	for (size_t i = 0; r == 0 && i < names->n; i++)
		r = image_name_set(l->db, names->items[i], m->config_id, l->err);
	if (r == 0)
		r = catalog_save(l->db, l->req->root_fd, m->config_id, l->err);
	if (r == 0)
		r = db_commit(l->db, l->err);
	db_rollback(l->db);
	return r;
}

static int store_image(struct loader *l, struct manifest *m, const struct strv *names)
{
	autofree char *blob = xasprintf("blobs/sha256/%s", m->config_id);
	struct strv chains = { 0 };
	int64_t size = 0;
	int r = parse_config(l, m);

	if (r == 0 && ++l->images > IMAGES_MAX)
		r = error_set(l->err, -E2BIG, "the archive has more than %d images", IMAGES_MAX);
	if (r == 0)
		r = store_layers(l, m, &chains, &size);
	if (r == 0)
		r = file_write_at(l->req->root_fd, blob, m->config, m->config_len, 0644, FILE_SYNC,
				  l->err);
	if (r == 0)
		r = record_image(l, m, &chains, size, names);
	for (size_t i = 0; r == 0 && i < names->n; i++)
		l->req->report(l->req->data, names->items[i], m->config_id);
	if (r == 0 && names->n == 0)
		l->req->report(l->req->data, NULL, m->config_id);
	strv_done(&chains);
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
	struct strv names = { 0 };
	int r;

	json_read_strings(rd, entry, "Layers", &m.blobs);
	for (size_t i = 0; i < m.blobs.n; i++) {
		const char *base = strrchr(m.blobs.items[i], '/');
		bool promise = base && strncmp(m.blobs.items[i], "blobs/sha256/", 13) == 0 &&
			       strlen(base + 1) == DIGEST_HEX_LEN;

		strv_add(&m.digests, promise ? base + 1 : "");
		strv_add(&m.sizes, "");
	}
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

/* OCI layout: index.json, then blobs by digest */

struct descriptor {
	const char *media_type, *digest;
	int64_t size;
};

static int read_descriptor(struct loader *l, struct json_reader *rd, const json_t *obj,
			   struct descriptor *ret)
{
	ret->media_type = json_read_string(rd, obj, "mediaType", "");
	ret->digest = json_need_string(rd, obj, "digest");
	ret->size = json_read_int(rd, obj, "size", 0, INT64_MAX, -1);
	if (rd->r < 0)
		return rd->r;
	if (!digest_is_valid(ret->digest))
		return error_set(l->err, -EBADMSG, "%s: '%.100s' is not a sha256 digest", rd->path,
				 ret->digest);
	return 0;
}

static int read_blob(struct loader *l, const struct descriptor *d, char **ret, size_t *ret_len)
{
	autofree char *name = xasprintf("blobs/sha256/%s", d->digest + 7);
	char hex[DIGEST_HEX_LEN + 1];
	int r = source_read(l->source, name, DOCUMENT_MAX, ret, ret_len, l->err);

	if (r < 0)
		return r;
	digest_bytes(*ret, *ret_len, hex);
	if (strcmp(hex, d->digest + 7) != 0)
		return error_set(l->err, -EBADMSG, "%s: its digest is sha256:%.12s...", name, hex);
	if (d->size >= 0 && (uint64_t)d->size != *ret_len)
		return error_set(l->err, -EBADMSG, "%s has %zu bytes, its descriptor says %lld",
				 name, *ret_len, (long long)d->size);
	return 0;
}

static int load_manifest(struct loader *l, const json_t *doc, const struct strv *names)
{
	cleanup(manifest_done) struct manifest m = { .config = NULL };
	const json_t *layers, *layer;
	struct descriptor d;
	struct json_reader rd;
	size_t i;
	int r;

	json_reader_init(&rd, "manifest", l->err);
	r = read_descriptor(l, &rd, json_read_object(&rd, doc, "config"), &d);
	if (r == 0)
		r = read_blob(l, &d, &m.config, &m.config_len);
	if (r < 0)
		return r;
	(void)snprintf(m.config_id, sizeof(m.config_id), "%s", d.digest + 7);
	layers = json_read_array(&rd, doc, "layers");
	json_array_foreach (layers, i, layer) {
		r = read_descriptor(l, &rd, layer, &d);
		if (r < 0)
			return r;
		strv_addf(&m.blobs, "blobs/sha256/%s", d.digest + 7);
		strv_add(&m.digests, d.digest + 7);
		strv_addf(&m.sizes, "%lld", (long long)d.size);
	}
	return rd.r < 0 ? rd.r : store_image(l, &m, names);
}

/* platforms */

static void own_platform(char ret[64])
{
	static const struct {
		const char *machine, *name;
	} machines[] = { { "x86_64", "amd64" },
			 { "aarch64", "arm64" },
			 { "armv7l", "arm" },
			 { "i686", "386" },
			 { "ppc64le", "ppc64le" } };
	struct utsname uts;

	(void)uname(&uts);
	(void)snprintf(ret, 64, "linux/%.40s", uts.machine);
	for (size_t i = 0; i < ARRAY_SIZE(machines); i++)
		if (strcmp(machines[i].machine, uts.machine) == 0)
			(void)snprintf(ret, 64, "linux/%s", machines[i].name);
}

/* "linux/arm64" fits any variant of it; a descriptor without a platform fits all. */
static bool platform_fits(const json_t *descriptor, const char *wanted)
{
	const json_t *platform = json_object_get(descriptor, "platform");
	const char *os = json_string_value(json_object_get(platform, "os"));
	const char *arch = json_string_value(json_object_get(platform, "architecture"));
	const char *variant = json_string_value(json_object_get(platform, "variant"));
	autofree char *with = NULL, *without = NULL;

	if (!os || !arch)
		return true;
	without = xasprintf("%s/%s", os, arch);
	with = xasprintf("%s/%s", without, variant ? variant : "");
	return strcmp(wanted, without) == 0 || strcmp(wanted, with) == 0;
}

static bool is_index(const json_t *doc)
{
	return json_is_array(json_object_get(doc, "manifests"));
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

static int load_descriptor(struct loader *l, const json_t *descriptor, const struct strv *names,
			   unsigned depth);

/* An index inside is one image for many machines: the first that fits is taken. */
static int load_inner_index(struct loader *l, const json_t *doc, const struct strv *names,
			    unsigned depth) /* NOLINT(misc-no-recursion): depth is bounded */
{
	const json_t *list = json_object_get(doc, "manifests"), *item;
	char own[64];
	size_t i;

	own_platform(own);
	json_array_foreach (list, i, item)
		if (json_object_get(item, "platform") &&
		    platform_fits(item, l->req->platform ? l->req->platform : own))
			return load_descriptor(l, item, names, depth + 1);
	return error_set(l->err, -ENOENT,
			 "the image has no variant for %s; --platform chooses another",
			 l->req->platform ? l->req->platform : own);
}

static int load_descriptor(struct loader *l, const json_t *descriptor, const struct strv *names,
			   unsigned depth) /* NOLINT(misc-no-recursion): depth is bounded */
{
	cleanup(json_cleanup) json_t *doc = NULL;
	autofree char *text = NULL;
	struct strv all = { 0 };
	struct json_reader rd;
	struct descriptor d;
	size_t len;
	int r;

	if (depth > INDEX_DEPTH)
		return error_set(l->err, -ELOOP, "indexes lie more than %d deep in each other",
				 INDEX_DEPTH);
	json_reader_init(&rd, "index", l->err);
	r = read_descriptor(l, &rd, descriptor, &d);
	if (r == 0)
		r = read_blob(l, &d, &text, &len);
	if (r == 0)
		r = json_load_bytes(text, len, "manifest", &doc, l->err);
	strv_extend(&all, names->items, names->n);
	if (r == 0)
		r = add_name(l, descriptor, &all);
	if (r == 0)
		r = is_index(doc) ? load_inner_index(l, doc, &all, depth)
				  : load_manifest(l, doc, &all);
	strv_done(&all);
	return r;
}

/* The outermost index lists images; with platforms it is one image for many machines itself. */
static int load_oci(struct loader *l)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	const struct strv none = { 0 };
	autofree char *text = NULL;
	const json_t *list, *item;
	size_t len, i;
	int r = source_read(l->source, "index.json", DOCUMENT_MAX, &text, &len, l->err);

	if (r == 0)
		r = json_load_bytes(text, len, "index.json", &doc, l->err);
	if (r < 0)
		return r;
	list = json_object_get(doc, "manifests");
	if (!json_is_array(list) || json_array_size(list) == 0)
		return error_set(l->err, -EBADMSG, "index.json lists no images");
	if (json_array_size(list) > 1 && json_object_get(json_array_get(list, 0), "platform"))
		return load_inner_index(l, doc, &none, 0);
	json_array_foreach (list, i, item) {
		r = load_descriptor(l, item, &none, 0);
		if (r < 0)
			return r;
	}
	return 0;
}

/* the whole */

static int open_places(struct loader *l)
{
	char id[ID_LEN + 1];
	int r = id_new(id) < 0 ? error_sys(l->err, -EIO, "choose a name") : 0;

	(void)snprintf(l->tmp_name, sizeof(l->tmp_name), TMP_DIR "/%s", id);
	if (r == 0)
		r = dir_make_at(l->req->root_fd, "blobs/sha256", 0711, l->err);
	if (r == 0)
		r = dir_ensure_at(l->req->root_fd, "layers", 0711, &l->layers_fd, l->err);
	if (r == 0)
		r = dir_ensure_at(l->req->root_fd, l->tmp_name, 0700, &l->tmp_fd, l->err);
	if (r < 0)
		return r;
	if (flock(l->layers_fd, LOCK_SH) < 0 || flock(l->tmp_fd, LOCK_EX) < 0)
		return error_sys(l->err, -errno, "lock the image store");
	return 0;
}

static int load(struct loader *l)
{
	int r = source_open(l->req->path, l->tmp_fd, &l->source, l->err);

	if (r < 0)
		return r;
	if (source_has(l->source, "manifest.json"))
		return load_docker(l);
	if (source_has(l->source, "index.json"))
		return load_oci(l);
	return error_set(
		l->err, -EBADMSG,
		"neither manifest.json nor index.json is in it; is this an image archive?");
}

int image_load_archive(struct db *db, const struct load_request *req, struct error *err)
{
	struct loader l = { .db = db, .req = req, .err = err, .tmp_fd = -1, .layers_fd = -1 };
	int r = open_places(&l);

	if (r == 0)
		r = load(&l);
	if (r < 0)
		(void)error_wrap(err, r, "load %s",
				 strcmp(req->path, "-") == 0 ? "standard input" : req->path);
	source_close(l.source);
	if (l.tmp_fd >= 0)
		ignore_result(dir_remove_at(req->root_fd, l.tmp_name, NULL));
	if (l.tmp_fd >= 0)
		(void)close(l.tmp_fd);
	if (l.layers_fd >= 0)
		(void)close(l.layers_fd);
	return r;
}
