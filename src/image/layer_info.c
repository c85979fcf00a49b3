/* src/image/layer_info.c */
#include "image/layer_info.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/file.h"
#include "base/json.h"

#define NAME "layer.json"

int layer_info_save(int dir, const struct layer_info *info, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = json_object();

	(void)json_object_set_new(doc, "diffId", json_string(info->diff_id));
	(void)json_object_set_new(doc, "size", json_integer(info->size));
	(void)json_object_set_new(doc, "disk", json_integer(info->disk));
	(void)json_object_set_new(doc, "tarSize", json_integer(info->tar_size));
	(void)json_object_set_new(doc, "blob", json_string(info->blob));
	(void)json_object_set_new(doc, "blobSize", json_integer(info->blob_size));
	(void)json_object_set_new(doc, "packing", json_string(info->packing));
	return json_save_at(dir, NAME, doc, false, err);
}

/* Before there was layer.json, a file "size" held the size alone. */
static int load_old(int layers_fd, const char *chain, struct layer_info *ret, struct error *err)
{
	autofree char *path = xasprintf("%s/size", chain), *text = NULL;
	int r = file_read_at(layers_fd, path, 32, &text, NULL, err);

	if (r < 0)
		return r;
	*ret = (struct layer_info) { .tar_size = -1, .blob_size = -1 };
	ret->size = ret->disk = strtoll(text, NULL, 10);
	return 0;
}

static void read_hex(struct json_reader *rd, const json_t *doc, const char *key,
		     char ret[DIGEST_HEX_LEN + 1])
{
	const char *text = json_read_string(rd, doc, key, "");

	if (*text &&
	    (strlen(text) != DIGEST_HEX_LEN || strspn(text, "0123456789abcdef") != DIGEST_HEX_LEN))
		json_fail(rd, key, "'%.80s' is no digest", text);
	else
		(void)snprintf(ret, DIGEST_HEX_LEN + 1, "%s", text);
}

int layer_info_load(int layers_fd, const char *chain, struct layer_info *ret, struct error *err)
{
	autofree char *path = xasprintf("%s/" NAME, chain);
	struct layer_info info = { .tar_size = -1, .blob_size = -1 };
	cleanup(json_cleanup) json_t *doc = NULL;
	struct json_reader rd;
	int r = json_load_at(layers_fd, path, &doc, err);

	if (r == -ENOENT)
		return load_old(layers_fd, chain, ret, err);
	if (r < 0)
		return r;
	json_reader_init(&rd, path, err);
	read_hex(&rd, doc, "diffId", info.diff_id);
	info.size = json_read_int(&rd, doc, "size", 0, INT64_MAX, 0);
	info.disk = json_read_int(&rd, doc, "disk", 0, INT64_MAX, info.size);
	info.tar_size = json_read_int(&rd, doc, "tarSize", -1, INT64_MAX, -1);
	read_hex(&rd, doc, "blob", info.blob);
	info.blob_size = json_read_int(&rd, doc, "blobSize", -1, INT64_MAX, -1);
	(void)snprintf(info.packing, sizeof(info.packing), "%s",
		       json_read_string(&rd, doc, "packing", ""));
	if (rd.r == 0)
		*ret = info;
	return rd.r;
}

int layer_blob_insert(struct db *db, const char *blob, const char *diff_id, int64_t size,
		      const char *packing, struct error *err)
{
	return db_run(db, err,
		      "INSERT OR REPLACE INTO layer_blobs (digest, diff_id, size, packing)"
		      " VALUES (?1, ?2, ?3, ?4)",
		      "ssis", blob, diff_id, size, packing);
}

int layer_info_insert(struct db *db, const char *chain, const struct layer_info *info,
		      struct error *err)
{
	return db_run(db, err,
		      "INSERT OR REPLACE INTO layers (chain, diff_id, size, disk, tar_size)"
		      " VALUES (?1, ?2, ?3, ?4, ?5)",
		      "ssiii", chain, info->diff_id, info->size, info->disk, info->tar_size);
}

int layer_blob_framed(struct db *db, int root_fd, const char *hex,
		      char ret_chain[DIGEST_HEX_LEN + 1], int64_t *ret_size, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, "SELECT chain, tar_size FROM layers WHERE diff_id = ?1",
			 "s", hex);
	bool found = false;

	if (r < 0)
		return r;
	while (!found && db_next(&rows)) {
		autofree char *path = xasprintf("layers/%s/" LAYER_FRAME, db_text(&rows, 0));

		found = faccessat(root_fd, path, F_OK, 0) == 0;
		if (!found)
			continue;
		(void)snprintf(ret_chain, DIGEST_HEX_LEN + 1, "%s", db_text(&rows, 0));
		*ret_size = db_int(&rows, 1);
	}
	r = db_finish(&rows);
	return r < 0 ? r : found;
}
