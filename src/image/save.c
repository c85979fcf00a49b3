/* src/image/save.c */
#include "image/save.h"

#include <fcntl.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/file.h"
#include "base/json.h"
#include "image/alias.h"
#include "image/digest.h"
#include "image/document.h"
#include "image/image.h"
#include "image/incoming.h"
#include "image/layer_blob.h"
#include "image/manifest_make.h"
#include "image/package.h"
#include "image/reference.h"

#define COPY_SIZE (512U << 10)

struct saver {
	struct db *db;
	const struct save_request *req;
	struct error *err;
	struct incoming in;
	struct package *out;
	json_t *list; /* manifest.json's images, or index.json's manifests */
};

/* One image with what is needed of it. */
struct item {
	struct image *image;
	char name[REFERENCE_MAX]; /* "" if it was asked for by ID */
	char *config;
	size_t config_len;
	struct layer_blob *layers;
	size_t n;
};

static void item_done(struct item *it)
{
	for (size_t i = 0; i < it->n; i++)
		layer_blob_done(&it->layers[i]);
	free(it->layers);
	free(it->config);
	image_free(it->image);
}

int save_format_parse(const char *text, enum save_format *ret)
{
	static const char *const words[] = {
		[SAVE_DOCKER_ARCHIVE] = "docker-archive",
		[SAVE_DOCKER_DIR] = "docker-dir",
		[SAVE_OCI_ARCHIVE] = "oci-archive",
		[SAVE_OCI_DIR] = "oci-dir",
	};

	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		if (strcmp(words[i], text) != 0)
			continue;
		*ret = (enum save_format)i;
		return 0;
	}
	return -EINVAL;
}

/* given: the name that it gets; NULL: the one that it was asked for by. */
static int open_item(struct saver *s, const char *what, const char *given, struct item *it)
{
	autofree char *path = NULL;
	int r = image_find(s->db, s->req->root_fd, what, &it->image, s->err);

	if (r < 0)
		return r;
	if (given)
		(void)snprintf(it->name, sizeof(it->name), "%s", given);
	else if (reference_canonical(what, it->name, NULL) < 0 ||
		 !strv_has(&it->image->names, it->name))
		it->name[0] = '\0';
	path = xasprintf("blobs/sha256/%s", it->image->id);
	r = file_read_at(s->req->root_fd, path, DOCUMENT_MAX, &it->config, &it->config_len, s->err);
	it->layers = xcalloc(it->image->layers.n + 1, sizeof(*it->layers));
	for (size_t i = 0; r == 0 && i < it->image->layers.n; i++) {
		r = layer_blob_find(s->db, s->req->root, it->image->id, i, &it->layers[i], s->err);
		it->n += r == 0;
	}
	return r;
}

/* docker-archive */

static int add_layer_archive(struct saver *s, struct layer_blob *layer, const char *name)
{
	int64_t size = 0;
	int r;

	if (package_has(s->out, name))
		return 0;
	r = layer_archive_size(s->req->root_fd, layer, &size, s->err);
	if (r == 0)
		r = package_begin(s->out, name, size, s->err);
	if (r == 0)
		r = layer_archive(s->req->root_fd, layer, package_data, s->out, s->err);
	return r < 0 ? r : package_end(s->out, s->err);
}

/* The entry of an image that was asked for by two names gets the second one, too. */
static json_t *docker_entry(struct saver *s, const char *config)
{
	json_t *entry, *fresh;
	size_t i;

	json_array_foreach (s->list, i, entry)
		if (strcmp(json_string_value(json_object_get(entry, "Config")), config) == 0)
			return entry;
	fresh = json_pack("{s:s, s:[], s:[]}", "Config", config, "RepoTags", "Layers");
	(void)json_array_append_new(s->list, fresh);
	return fresh;
}

static int save_docker(struct saver *s, struct item *it)
{
	autofree char *config = xasprintf("%s.json", it->image->id);
	json_t *entry = docker_entry(s, config), *layers = json_object_get(entry, "Layers");
	char familiar[REFERENCE_MAX];
	int r = 0;

	if (it->name[0]) {
		reference_familiar(it->name, familiar);
		(void)json_array_append_new(json_object_get(entry, "RepoTags"),
					    json_string(familiar));
	}
	if (package_has(s->out, config))
		return 0;
	for (size_t i = 0; r == 0 && i < it->n; i++) {
		autofree char *name = xasprintf("%s.tar", it->layers[i].info.diff_id);

		(void)json_array_append_new(layers, json_string(name));
		r = add_layer_archive(s, &it->layers[i], name);
	}
	return r < 0 ? r : package_add(s->out, config, it->config, it->config_len, s->err);
}

/* blobs */

/* The layer whose tree and frame are this blob, or NULL. */
static struct layer_blob *framed_layer(const struct item *it, const char *hex)
{
	for (size_t i = 0; i < it->n; i++)
		if (strcmp(it->layers[i].info.diff_id, hex) == 0)
			return &it->layers[i];
	return NULL;
}

/* The manifest's name of it is that of its file here, too. */
static int add_blob(struct saver *s, struct item *it, const struct part *part, bool is_dir)
{
	char digest[PART_DIGEST_LEN];
	autofree char *path = alias_path(part_digest(part, digest)), *buffer = xmalloc(COPY_SIZE);
	const char *name = is_dir ? part_hex(part) : path;
	autoclose int fd = openat(s->req->root_fd, path, O_RDONLY | O_CLOEXEC);
	struct layer_blob *framed = framed_layer(it, part->digest);
	struct stat st;
	ssize_t n = 1;
	int r;

	if (package_has(s->out, name))
		return 0;
	if (fd < 0 && errno == ENOENT && framed)
		return add_layer_archive(s, framed, name);
	if (fd < 0 || fstat(fd, &st) < 0)
		return error_sys(s->err, -errno, "open %s", path);
	r = package_begin(s->out, name, st.st_size, s->err);
	while (r == 0 && n > 0) {
		n = TEMP_FAILURE_RETRY(read(fd, buffer, COPY_SIZE));
		r = n < 0 ? error_sys(s->err, -errno, "read %s", path)
			  : package_data(s->out, buffer, (size_t)n, s->err);
	}
	return r < 0 ? r : package_end(s->out, s->err);
}

/* The image's newest manifest, if all its blobs are kept and it is of the wanted form. */
static int find_manifest(struct saver *s, const struct item *it, char ret[DIGEST_HEX_LEN + 1],
			 char **ret_type)
{
	struct db_rows rows;
	int r = db_query(
		s->db, &rows, s->err,
		"SELECT digest, media_type FROM documents AS d WHERE image = ?1 AND NOT EXISTS"
		" (SELECT 1 FROM document_parts AS p WHERE p.document = d.digest"
		"  AND p.kind = 'layer' AND p.digest NOT IN (SELECT digest FROM layer_blobs"
		"  WHERE ?2 IS NULL OR packing = ?2))"
		" ORDER BY made DESC, digest LIMIT 1",
		"ss", it->image->id, s->req->any ? NULL : packing_name(s->req->packing));

	ret[0] = '\0';
	if (r < 0)
		return r;
	if (db_next(&rows)) {
		(void)snprintf(ret, DIGEST_HEX_LEN + 1, "%s", db_text(&rows, 0));
		*ret_type = xstrdup(db_text(&rows, 1));
	}
	return db_finish(&rows);
}

static int make_manifest(struct saver *s, struct item *it, char **ret, size_t *ret_len,
			 char **ret_type)
{
	struct manifest_request req = { .kind = s->req->format != SAVE_DOCKER_DIR ? MANIFEST_OCI
										  : MANIFEST_DOCKER,
					.config_id = it->image->id,
					.config_len = it->config_len };
	const char *type;
	int r = 0;

	for (size_t i = 0; r == 0 && i < it->n; i++)
		r = layer_blob_ensure(s->db, &s->in, &it->layers[i], s->req->packing, s->req->any,
				      s->err);
	if (r < 0)
		return r;
	req.layers = it->layers;
	req.n = it->n;
	*ret = manifest_make(&req, &type);
	*ret_len = strlen(*ret);
	*ret_type = xstrdup(type);
	return 0;
}

static int get_manifest(struct saver *s, struct item *it, char **ret, size_t *ret_len,
			char **ret_type)
{
	char digest[DIGEST_HEX_LEN + 1];
	autofree char *path = NULL;
	int r = find_manifest(s, it, digest, ret_type);

	if (r < 0)
		return r;
	if (!digest[0])
		return make_manifest(s, it, ret, ret_len, ret_type);
	path = xasprintf("blobs/sha256/%s", digest);
	return file_read_at(s->req->root_fd, path, DOCUMENT_MAX, ret, ret_len, s->err);
}

static int add_parts(struct saver *s, struct item *it, const char *manifest, size_t len,
		     bool is_dir)
{
	struct document doc = { .n = 0 };
	int r = document_parse(manifest, len, "manifest", &doc, s->err);

	for (size_t i = 0; r == 0 && i < doc.n; i++)
		r = add_blob(s, it, &doc.parts[i], is_dir);
	document_done(&doc);
	return r;
}

/* OCI layout */

static int note(const struct saver *s, const char *name, json_t *descriptor)
{
	const struct strv *texts = s->req->annotations;
	json_t *all = *name ? json_pack("{s:s, s:s}", "io.containerd.image.name", name,
					"org.opencontainers.image.ref.name", name)
			    : json_object();
	int r = all ? 0 : -EILSEQ;

	for (size_t i = 0; r == 0 && texts && i < texts->n; i++) {
		const char *text = texts->items[i], *value = text + strcspn(text, "=");
		autofree char *key = xstrndup(text, (size_t)(value - text));

		r = json_object_set_new(all, key, json_string(*value ? value + 1 : value));
	}
	if (r == 0 && json_object_size(all))
		(void)json_object_set(descriptor, "annotations", all);
	json_decref(all);
	return r == 0 ? 0 : error_set(s->err, -EILSEQ, "an annotation is not UTF-8");
}

static json_t *descriptor_of(const char *type, const char *hex, size_t len)
{
	autofree char *digest = xasprintf("sha256:%s", hex);

	return json_pack("{s:s, s:s, s:I}", "mediaType", type, "digest", digest, "size",
			 (json_int_t)len);
}

/* What is listed so far is in the index; the layout names that alone, once for each name. */
static int save_index(struct saver *s, const struct save_index *index)
{
	char hex[DIGEST_HEX_LEN + 1];
	autofree char *name = NULL;
	int r = 0;

	digest_bytes(index->bytes, index->len, hex);
	name = xasprintf("blobs/sha256/%s", hex);
	(void)json_array_clear(s->list);
	for (size_t i = 0; r == 0 && i < MAX(index->names->n, 1); i++) {
		json_t *entry = descriptor_of(index->media_type, hex, index->len);

		r = note(s, i < index->names->n ? index->names->items[i] : "", entry);
		(void)json_array_append_new(s->list, entry);
	}
	return r < 0 ? r : package_add(s->out, name, index->bytes, index->len, s->err);
}

static int save_oci(struct saver *s, struct item *it)
{
	autofree char *manifest = NULL, *type = NULL, *name = NULL;
	char hex[DIGEST_HEX_LEN + 1];
	size_t len = 0;
	json_t *entry;
	int r = get_manifest(s, it, &manifest, &len, &type);

	if (r < 0)
		return r;
	digest_bytes(manifest, len, hex);
	name = xasprintf("blobs/sha256/%s", hex);
	entry = descriptor_of(type, hex, len);
	r = note(s, it->name, entry);
	(void)json_array_append_new(s->list, entry);
	if (r == 0)
		r = add_parts(s, it, manifest, len, false);
	if (r == 0 && !package_has(s->out, name))
		r = package_add(s->out, name, manifest, len, s->err);
	return r;
}

/* dir: */

static int save_dir(struct saver *s, struct item *it)
{
	static const char version[] = "Directory Transport Version: 1.1\n";
	autofree char *manifest = NULL, *type = NULL;
	size_t len = 0;
	int r = get_manifest(s, it, &manifest, &len, &type);

	if (r == 0)
		r = add_parts(s, it, manifest, len, true);
	if (r == 0)
		r = package_add(s->out, "manifest.json", manifest, len, s->err);
	return r < 0 ? r : package_add(s->out, "version", version, strlen(version), s->err);
}

/* all */

static int save_one(struct saver *s, const char *what, const char *given)
{
	cleanup(item_done) struct item it = { .n = 0 };
	int r = open_item(s, what, given, &it);

	if (r < 0)
		return r;
	switch (s->req->format) {
	case SAVE_DOCKER_ARCHIVE:
		return save_docker(s, &it);
	case SAVE_DOCKER_DIR:
		return save_dir(s, &it);
	case SAVE_OCI_ARCHIVE:
	case SAVE_OCI_DIR:
		return save_oci(s, &it);
	}
	return -EINVAL;
}

static int add_json(struct saver *s, const char *name, json_t *doc)
{
	autofree char *text = json_dumps(doc, JSON_COMPACT);

	return package_add(s->out, name, text, strlen(text), s->err);
}

static int add_lists(struct saver *s)
{
	static const char layout[] = "{\"imageLayoutVersion\":\"1.0.0\"}";
	json_t *index;
	int r;

	if (s->req->format == SAVE_DOCKER_DIR)
		return 0;
	if (s->req->format == SAVE_DOCKER_ARCHIVE)
		return add_json(s, "manifest.json", s->list);
	index = json_pack("{s:i, s:s, s:O}", "schemaVersion", 2, "mediaType",
			  "application/vnd.oci.image.index.v1+json", "manifests", s->list);
	r = package_add(s->out, "oci-layout", layout, strlen(layout), s->err);
	if (r == 0)
		r = add_json(s, "index.json", index);
	json_decref(index);
	return r;
}

static int save_all(struct saver *s)
{
	bool directory = s->req->format == SAVE_OCI_DIR || s->req->format == SAVE_DOCKER_DIR;
	int r = package_open(s->req->path, directory, &s->out, s->err);

	for (size_t i = 0; r == 0 && i < s->req->images->n; i++)
		r = save_one(s, s->req->images->items[i],
			     s->req->names ? s->req->names->items[i] : NULL);
	if (r == 0 && s->req->index)
		r = save_index(s, s->req->index);
	if (r == 0)
		r = add_lists(s);
	return r < 0 ? r : package_publish(s->out, s->err);
}

int image_save(struct db *db, const struct save_request *req, struct error *err)
{
	struct saver s = { .db = db, .req = req, .err = err, .in = INCOMING_INIT };
	int r;

	if (req->format == SAVE_DOCKER_DIR && req->images->n != 1)
		return error_set(err, -EINVAL, "docker-dir holds one image, not %zu",
				 req->images->n);
	s.list = json_array();
	r = incoming_open(req->root, req->root_fd, &s.in, err);
	if (r == 0)
		r = save_all(&s);
	package_close(s.out);
	incoming_done(&s.in);
	json_decref(s.list);
	return r;
}
