/* src/image/document.c */
#include "image/document.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/file.h"
#include "base/json.h"
#include "image/alias.h"
#include "image/layer_info.h"
#include "image/reference.h"

void document_done(struct document *doc)
{
	for (size_t i = 0; i < doc->n; i++) {
		free(doc->parts[i].media_type);
		free(doc->parts[i].platform);
	}
	free(doc->parts);
	free(doc->media_type);
	*doc = (struct document) { .n = 0 };
}

const char *part_hex(const struct part *part)
{
	return part->sha512[0] ? part->sha512 : part->digest;
}

const char *part_digest(const struct part *part, char ret[PART_DIGEST_LEN])
{
	(void)snprintf(ret, PART_DIGEST_LEN, "%s:%s", part->sha512[0] ? "sha512" : "sha256",
		       part_hex(part));
	return ret;
}

static char *read_platform(struct json_reader *rd, const json_t *obj)
{
	const json_t *platform = json_read_object(rd, obj, "platform");
	const char *os = json_read_string(rd, platform, "os", "");
	const char *arch = json_read_string(rd, platform, "architecture", "");
	const char *variant = json_read_string(rd, platform, "variant", "");

	if (!*os && !*arch)
		return xstrdup("");
	return xasprintf("%s/%s%s%s", os, arch, *variant ? "/" : "", variant);
}

static void read_part(struct json_reader *rd, const json_t *obj, enum part_kind kind,
		      struct document *doc)
{
	const char *digest = json_need_string(rd, obj, "digest");
	struct part *part = &doc->parts[doc->n];

	if (rd->r == 0 && !digest_is_valid(digest) && !digest512_is_valid(digest))
		json_fail(rd, "digest", "'%.100s' is neither a sha256 nor a sha512 digest", digest);
	if (rd->r < 0)
		return;
	part->kind = kind;
	if (digest512_is_valid(digest))
		(void)snprintf(part->sha512, sizeof(part->sha512), "%s", digest + 7);
	else
		(void)snprintf(part->digest, sizeof(part->digest), "%s", digest + 7);
	part->size = json_read_int(rd, obj, "size", 0, INT64_MAX, -1);
	part->media_type = xstrdup(json_read_string(rd, obj, "mediaType", ""));
	part->platform = read_platform(rd, obj);
	doc->n++;
}

static void read_parts(struct json_reader *rd, const json_t *list, enum part_kind kind,
		       struct document *doc)
{
	const json_t *item;
	size_t i;

	json_array_foreach (list, i, item) {
		struct json_place place = json_enter_index(rd, i);

		if (json_is_object(item))
			read_part(rd, item, kind, doc);
		else
			json_fail(rd, NULL, "expected an object");
		json_leave(rd, place);
	}
}

static int read_document(struct json_reader *rd, const json_t *obj, struct document *doc)
{
	const json_t *config = json_read_object(rd, obj, "config");
	const json_t *layers = json_read_array(rd, obj, "layers");
	const json_t *manifests = json_read_array(rd, obj, "manifests");
	size_t room = json_array_size(layers) + json_array_size(manifests) + 1;

	if (rd->r == 0 && json_object_get(obj, "fsLayers"))
		json_fail(rd, NULL,
			  "this is a manifest of Docker's old schema 1; the registry or the "
			  "tool that wrote it can make schema 2 of it");
	else if (rd->r == 0 && manifests && (layers || config))
		json_fail(rd, NULL, "it is a manifest and an index at once");
	else if (rd->r == 0 && !manifests && !config)
		json_fail(rd, NULL, "it is neither a manifest nor an index");
	else if (rd->r == 0 && room > DOCUMENT_PARTS_MAX)
		json_fail(rd, NULL, "it lists %zu things; %d are the most", room,
			  DOCUMENT_PARTS_MAX);
	if (rd->r < 0)
		return rd->r;
	doc->is_index = manifests != NULL;
	doc->media_type = xstrdup(json_read_string(rd, obj, "mediaType", ""));
	doc->parts = xcalloc(room, sizeof(*doc->parts));
	if (config)
		read_part(rd, config, PART_CONFIG, doc);
	read_parts(rd, layers, PART_LAYER, doc);
	read_parts(rd, manifests, PART_MANIFEST, doc);
	return rd->r;
}

int document_parse(const char *bytes, size_t len, const char *what, struct document *ret,
		   struct error *err)
{
	cleanup(json_cleanup) json_t *obj = NULL;
	struct document doc = { .n = 0 };
	struct json_reader rd;
	int r = json_load_bytes(bytes, len, what, &obj, err);

	if (r < 0)
		return r;
	json_reader_init(&rd, what, err);
	r = json_is_object(obj) ? read_document(&rd, obj, &doc)
				: error_set(err, -EBADMSG, "%s: expected an object", what);
	if (r < 0)
		document_done(&doc);
	else
		*ret = doc;
	return r;
}

/* rows */

static int insert_part(struct db *db, const char *digest, size_t i, const struct part *part,
		       struct error *err)
{
	static const char *const kinds[] = {
		[PART_CONFIG] = "config", [PART_LAYER] = "layer", [PART_MANIFEST] = "manifest"
	};

	return db_run(db, err,
		      "INSERT OR REPLACE INTO document_parts"
		      " (document, position, kind, digest, size, media_type, platform)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		      "sississ", digest, (int64_t)i, kinds[part->kind],
		      part->digest[0] ? part->digest : part->sha512, part->size, part->media_type,
		      part->platform);
}

static int layer_of(struct db *db, const char *image, size_t position,
		    char ret_diff_id[DIGEST_HEX_LEN + 1], char ret_chain[DIGEST_HEX_LEN + 1],
		    struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT diff_id, chain FROM layers JOIN image_layers USING (chain)"
			 " WHERE image = ?1 AND position = ?2",
			 "si", image, (int64_t)position);

	ret_diff_id[0] = ret_chain[0] = '\0';
	if (r < 0)
		return r;
	if (db_next(&rows)) {
		(void)snprintf(ret_diff_id, DIGEST_HEX_LEN + 1, "%s", db_text(&rows, 0));
		(void)snprintf(ret_chain, DIGEST_HEX_LEN + 1, "%s", db_text(&rows, 1));
	}
	return db_finish(&rows);
}

/* As a file, or as the tree and the frame of the layer that it is the archive of. */
static bool is_kept(int root_fd, const char *digest, const char *diff_id, const char *chain)
{
	autofree char *blob = xasprintf("blobs/sha256/%s", digest);
	autofree char *frame = xasprintf("layers/%s/" LAYER_FRAME, chain);

	return faccessat(root_fd, blob, F_OK, 0) == 0 ||
	       (strcmp(digest, diff_id) == 0 && faccessat(root_fd, frame, F_OK, 0) == 0);
}

/* A blob that is kept has a row, whose packing its first bytes told; else the media type does. */
static int insert_blob(struct db *db, int root_fd, const char *image, size_t position,
		       const struct part *part, struct error *err)
{
	char diff_id[DIGEST_HEX_LEN + 1], chain[DIGEST_HEX_LEN + 1];
	int r = layer_of(db, image, position, diff_id, chain, err);

	if (r < 0 || !diff_id[0] || !part->digest[0] ||
	    !is_kept(root_fd, part->digest, diff_id, chain))
		return r;
	return db_run(db, err,
		      "INSERT OR IGNORE INTO layer_blobs (digest, diff_id, size, packing)"
		      " VALUES (?1, ?2, ?3, ?4)",
		      "ssis", part->digest, diff_id, part->size,
		      strstr(part->media_type, "zstd")   ? "zstd"
		      : strstr(part->media_type, "gzip") ? "gzip"
							 : "none");
}

static int insert_rows(struct db *db, int root_fd, const char *digest, const char *image,
		       const struct document *doc, struct error *err)
{
	size_t layer = 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < doc->n; i++) {
		struct part *part = &doc->parts[i];

		if (part->sha512[0] && !alias_get(root_fd, part->sha512, part->digest))
			part->digest[0] = '\0';
		r = insert_part(db, digest, i, part, err);
		if (r == 0 && image && part->kind == PART_LAYER)
			r = insert_blob(db, root_fd, image, layer++, part, err);
	}
	return r;
}

int document_insert(struct db *db, int root_fd, const char *digest, const char *media_type,
		    const char *image, int64_t made_ns, struct error *err)
{
	autofree char *path = xasprintf("blobs/sha256/%s", digest), *text = NULL;
	struct document doc = { .n = 0 };
	size_t len;
	int r = file_read_at(root_fd, path, DOCUMENT_MAX, &text, &len, err);

	if (r == 0)
		r = document_parse(text, len, "manifest", &doc, err);
	if (r == 0)
		r = db_run(db, err,
			   "INSERT INTO documents (digest, media_type, size, image, made)"
			   " VALUES (?1, ?2, ?3, ?4, ?5)"
			   " ON CONFLICT (digest) DO UPDATE SET image = ?4, made = ?5",
			   "ssisi", digest, media_type, (int64_t)len, image, made_ns);
	if (r == 0)
		r = insert_rows(db, root_fd, digest, image, &doc, err);
	document_done(&doc);
	return r;
}
