/* src/image/manifest_keep.c */
#include "image/manifest_keep.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/file.h"
#include "image/catalog.h"
#include "image/document.h"
#include "image/image.h"
#include "image/incoming.h"
#include "image/layer_blob.h"

/* ret->digest is "" if there is none. */
static int find(struct db *db, const char *id, struct kept_manifest *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT digest, media_type, size FROM documents AS d WHERE image = ?1"
			 " AND NOT EXISTS (SELECT 1 FROM document_parts AS p"
			 "  WHERE p.document = d.digest AND p.kind = 'layer'"
			 "  AND p.digest NOT IN (SELECT digest FROM layer_blobs))"
			 " ORDER BY made DESC, digest LIMIT 1",
			 "s", id);

	ret->digest[0] = '\0';
	if (r < 0)
		return r;
	if (db_next(&rows)) {
		(void)snprintf(ret->digest, sizeof(ret->digest), "%s", db_text(&rows, 0));
		(void)snprintf(ret->media_type, sizeof(ret->media_type), "%s", db_text(&rows, 1));
		ret->size = db_int(&rows, 2);
	}
	return db_finish(&rows);
}

/* A plain blob (docker save has such) is not listed as it is, unless it is asked for: every pull of
 * it would pay.
 */
static int pack_layers(struct db *db, const struct incoming *in, const struct image *image,
		       const struct manifest_wish *wish, struct layer_blob *layers,
		       struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < image->layers.n; i++) {
		r = layer_blob_find(db, in->root, image->id, i, &layers[i], err);
		if (r == 0)
			r = layer_blob_ensure(db, in, &layers[i], wish->packing,
					      wish->any && layers[i].info.blob[0] &&
						      strcmp(layers[i].info.packing, "none") != 0,
					      err);
	}
	return r;
}

static int record(struct db *db, const struct incoming *in, const char *id,
		  const struct kept_manifest *m, struct error *err)
{
	int r = db_begin(db, err);

	if (r == 0)
		r = document_insert(db, in->root_fd, m->digest, m->media_type, id, clock_now_ns(),
				    err);
	if (r == 0)
		r = catalog_save(db, in->root_fd, id, err);
	if (r == 0)
		r = db_commit(db, err);
	db_rollback(db);
	return r;
}

static int make(struct db *db, const struct incoming *in, const struct image *image,
		const struct manifest_wish *wish, const struct layer_blob *layers,
		struct kept_manifest *ret, struct error *err)
{
	autofree char *path = xasprintf("blobs/sha256/%s", image->id), *config = NULL, *text = NULL;
	struct manifest_request req = { .kind = wish->kind,
					.config_id = image->id,
					.layers = layers,
					.n = image->layers.n,
					.annotations = wish->annotations };
	const char *type;
	int r = file_read_at(in->root_fd, path, DOCUMENT_MAX, &config, &req.config_len, err);

	if (r < 0)
		return r;
	text = manifest_make(&req, &type);
	if (!text)
		return error_set(err, -EILSEQ, "an annotation is not UTF-8");
	(void)snprintf(ret->media_type, sizeof(ret->media_type), "%s", type);
	ret->size = (int64_t)strlen(text);
	digest_bytes(text, strlen(text), ret->digest);
	r = file_write_at(in->blobs_fd, ret->digest, text, strlen(text), 0644, FILE_SYNC, err);
	return r < 0 ? r : record(db, in, image->id, ret, err);
}

int manifest_put(struct db *db, const struct incoming *in, const struct image *image,
		 const struct manifest_wish *wish, struct kept_manifest *ret, struct error *err)
{
	autofree struct layer_blob *layers = xcalloc(image->layers.n + 1, sizeof(*layers));
	int r = pack_layers(db, in, image, wish, layers, err);

	if (r == 0)
		r = make(db, in, image, wish, layers, ret, err);
	for (size_t i = 0; i < image->layers.n; i++)
		layer_blob_done(&layers[i]);
	return r;
}

int manifest_keep(struct db *db, const struct incoming *in, const struct image *image,
		  struct kept_manifest *ret, struct error *err)
{
	const struct manifest_wish wish = { .kind = MANIFEST_OCI,
					    .packing = PACKING_GZIP,
					    .any = true };
	int r = find(db, image->id, ret, err);

	return r < 0 || ret->digest[0] ? r : manifest_put(db, in, image, &wish, ret, err);
}
