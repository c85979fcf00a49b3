/* src/image/record.c */
#include "image/record.h"

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/file.h"
#include "base/json.h"
#include "base/strv.h"
#include "image/alias.h"
#include "image/catalog.h"
#include "image/document.h"
#include "image/image.h"
#include "image/incoming.h"
#include "image/unpack.h"

/* Content is known by its name: what is there is the same. */
static int put_blob(const struct incoming *in, const char *digest, const char *bytes, size_t len,
		    struct error *err)
{
	if (faccessat(in->blobs_fd, digest, F_OK, 0) == 0)
		return 0;
	return file_write_at(in->blobs_fd, digest, bytes, len, 0644, FILE_SYNC, err);
}

static int name_blob(const struct incoming *in, const char *sha512, const char *digest,
		     struct error *err)
{
	return sha512 && *sha512 ? alias_set(in->root_fd, sha512, digest, err) : 0;
}

/* Other names of what is there, before rows are made of the documents that have them. */
static int name_blobs(const struct incoming *in, const struct image_record *rec, struct error *err)
{
	int r = name_blob(in, rec->config_sha512, rec->id, err);

	if (r == 0 && rec->manifest)
		r = name_blob(in, rec->manifest->sha512, rec->manifest->digest, err);
	for (size_t i = 0; r == 0 && i < rec->nindexes; i++)
		r = name_blob(in, rec->indexes[i].sha512, rec->indexes[i].digest, err);
	for (size_t i = 0; r == 0 && i < rec->nlayers; i++)
		if (rec->layers[i].blob_is_kept)
			r = name_blob(in, rec->layers[i].sha512, rec->layers[i].info.blob, err);
	return r;
}

static int put_documents(const struct incoming *in, const struct image_record *rec,
			 struct error *err)
{
	int r = put_blob(in, rec->id, rec->config, rec->config_len, err);

	if (r == 0 && rec->manifest)
		r = put_blob(in, rec->manifest->digest, rec->manifest->bytes, rec->manifest->len,
			     err);
	for (size_t i = 0; r == 0 && i < rec->nindexes; i++)
		r = put_blob(in, rec->indexes[i].digest, rec->indexes[i].bytes, rec->indexes[i].len,
			     err);
	return r;
}

static int insert_layers(struct db *db, const struct image_record *rec, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < rec->nlayers; i++) {
		const struct unpack_layer *layer = &rec->layers[i];

		r = layer_info_insert(db, layer->chain, &layer->info, err);
		if (r == 0)
			r = db_run(db, err,
				   "INSERT OR REPLACE INTO image_layers (image, position, chain)"
				   " VALUES (?1, ?2, ?3)",
				   "sis", rec->id, (int64_t)i, layer->chain);
		if (r == 0 && layer->blob_is_kept)
			r = layer_blob_insert(db, layer->info.blob, layer->info.diff_id,
					      layer->info.blob_size, layer->info.packing, err);
	}
	return r;
}

static int insert_documents(struct db *db, const struct incoming *in,
			    const struct image_record *rec, struct error *err)
{
	int64_t now = clock_now_ns();
	int r = 0;

	if (rec->manifest)
		r = document_insert(db, in->root_fd, rec->manifest->digest,
				    rec->manifest->media_type, rec->id, now, err);
	for (size_t i = 0; r == 0 && i < rec->nindexes; i++)
		r = document_insert(db, in->root_fd, rec->indexes[i].digest,
				    rec->indexes[i].media_type, NULL, now, err);
	return r;
}

static int insert_image(struct db *db, const struct image_record *rec, struct error *err)
{
	struct image_summary summary;
	int64_t size = 0;
	int r = image_summary_parse(rec->config, rec->config_len, &summary, err);

	if (r < 0)
		return r;
	for (size_t i = 0; i < rec->nlayers; i++)
		size += rec->layers[i].info.size;
	return db_run(db, err,
		      "INSERT INTO images (id, size, loaded, platform, created)"
		      " VALUES (?1, ?2, ?3, ?4, ?5) ON CONFLICT (id) DO UPDATE"
		      " SET size = ?2, loaded = ?3, platform = ?4, created = ?5",
		      "siiss", rec->id, size, clock_now_ns(), summary.platform, summary.created);
}

static int insert_all(struct db *db, const struct incoming *in, const struct image_record *rec,
		      struct error *err)
{
	int r = insert_image(db, rec, err);

	if (r == 0)
		r = insert_layers(db, rec, err);
	if (r == 0)
		r = insert_documents(db, in, rec, err);
	for (size_t i = 0; r == 0 && rec->names && i < rec->names->n; i++)
		r = image_name_set(db, rec->names->items[i], rec->id, err);
	return r;
}

int image_record(struct db *db, const struct incoming *in, const struct image_record *rec,
		 struct error *err)
{
	int r = put_documents(in, rec, err);

	if (r == 0)
		r = name_blobs(in, rec, err);
	if (r == 0)
		r = db_begin(db, err);
	if (r == 0)
		r = insert_all(db, in, rec, err);
	if (r == 0)
		r = catalog_save(db, in->root_fd, rec->id, err);
	if (r == 0)
		r = db_commit(db, err);
	db_rollback(db);
	return r;
}
