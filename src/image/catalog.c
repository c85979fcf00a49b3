/* src/image/catalog.c */
#include "image/catalog.h"

#include <dirent.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/json.h"
#include "image/document.h"
#include "image/image.h"
#include "image/index.h"
#include "image/layer_info.h"

#define DIR_NAME "images"

static char *path_of(const char *id)
{
	return xasprintf(DIR_NAME "/%s.json", id);
}

static json_t *texts(struct db *db, const char *sql, const char *id, struct error *err)
{
	json_t *list = json_array();
	struct db_rows rows;
	int r = db_query(db, &rows, err, sql, "s", id);

	while (r == 0 && db_next(&rows))
		(void)json_array_append_new(list, json_string(db_text(&rows, 0)));
	if (r == 0)
		r = db_finish(&rows);
	if (r == 0)
		return list;
	json_decref(list);
	return NULL;
}

int catalog_save(struct db *db, int root_fd, const char *id, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = json_object();
	autofree char *path = path_of(id);
	json_t *names, *layers, *documents;
	struct db_rows rows;
	int r = db_query(db, &rows, err, "SELECT size, loaded FROM images WHERE id = ?1", "s", id);

	if (r < 0)
		return r;
	if (db_next(&rows)) {
		(void)json_object_set_new(doc, "size", json_integer(db_int(&rows, 0)));
		(void)json_object_set_new(doc, "loadedNs", json_integer(db_int(&rows, 1)));
	}
	r = db_finish(&rows);
	if (r < 0)
		return r;
	names = texts(db, "SELECT name FROM image_names WHERE image = ?1 ORDER BY name", id, err);
	layers = texts(db, "SELECT chain FROM image_layers WHERE image = ?1 ORDER BY position", id,
		       err);
	if (names)
		(void)json_object_set_new(doc, "names", names);
	if (layers)
		(void)json_object_set_new(doc, "layers", layers);
	documents = texts(db,
			  "SELECT digest || ' ' || media_type FROM documents WHERE image = ?1"
			  " ORDER BY made, digest",
			  id, err);
	if (documents)
		(void)json_object_set_new(doc, "documents", documents);
	if (!names || !layers || !documents)
		return -EIO;
	r = dir_make_at(root_fd, DIR_NAME, 0700, err);
	if (r == 0)
		r = json_save_at(root_fd, path, doc, true, err);
	/* A name that it got may have been an index's. */
	return r < 0 ? r : index_names_save(db, root_fd, err);
}

int catalog_remove(int root_fd, const char *id, struct error *err)
{
	autofree char *path = path_of(id), *whole = file_path(root_fd, path);

	if (explain("its entry in the catalogue, from which a lost database is rebuilt", "rm -f %s",
		    sq(whole)))
		return 0;
	if (unlinkat(root_fd, path, 0) < 0 && errno != ENOENT)
		return error_sys(err, -errno, "remove %s", path);
	return 0;
}

/* restoring */

struct entry {
	char *id;
	int64_t size, loaded_ns;
	struct strv names, layers, documents; /* a document: its digest, a blank, its media type */
};

static void entry_done(struct entry *e)
{
	free(e->id);
	strv_done(&e->names);
	strv_done(&e->layers);
	strv_done(&e->documents);
}

/* One that cannot be read is as good as not there. */
static int entry_read(int root_fd, const char *id, struct entry *ret)
{
	autofree char *path = path_of(id);
	cleanup(json_cleanup) json_t *doc = NULL;
	struct json_reader rd;
	int r = json_load_at(root_fd, path, &doc, NULL);

	if (r < 0)
		return r;
	json_reader_init(&rd, path, NULL);
	ret->id = xstrdup(id);
	ret->size = json_read_int(&rd, doc, "size", 0, INT64_MAX, 0);
	ret->loaded_ns = json_read_int(&rd, doc, "loadedNs", 0, INT64_MAX, 0);
	json_read_strings(&rd, doc, "names", &ret->names);
	json_read_strings(&rd, doc, "layers", &ret->layers);
	json_read_strings(&rd, doc, "documents", &ret->documents);
	return rd.r;
}

static bool entry_is_whole(int root_fd, const struct entry *e)
{
	autofree char *blob = xasprintf("blobs/sha256/%s", e->id);
	bool whole = e->layers.n > 0 && faccessat(root_fd, blob, F_OK, 0) == 0;

	for (size_t i = 0; whole && i < e->layers.n; i++) {
		autofree char *dir = xasprintf("layers/%s/diff", e->layers.items[i]);

		whole = faccessat(root_fd, dir, F_OK, 0) == 0;
	}
	return whole;
}

/* What lists show of it; its config was found to be there. */
static int insert_image(struct db *db, int root_fd, const struct entry *e, struct error *err)
{
	autofree char *path = xasprintf("blobs/sha256/%s", e->id), *text = NULL;
	struct image_summary summary;
	size_t len;
	int r = file_read_at(root_fd, path, DOCUMENT_MAX, &text, &len, err);

	if (r == 0)
		r = image_summary_parse(text, len, &summary, err);
	if (r == 0)
		r = db_run(db, err,
			   "INSERT INTO images (id, size, loaded, platform, created)"
			   " VALUES (?1, ?2, ?3, ?4, ?5)",
			   "siiss", e->id, e->size, e->loaded_ns, summary.platform,
			   summary.created);
	return r;
}

static int insert_layer(struct db *db, int root_fd, const struct entry *e, size_t i,
			struct error *err)
{
	const char *chain = e->layers.items[i];
	autoclose int layers = openat(root_fd, "layers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	autofree char *blob = NULL, *frame = NULL;
	struct layer_info info = { .blob = "" };
	int r = layers < 0 ? error_sys(err, -errno, "open layers")
			   : layer_info_load(layers, chain, &info, err);

	if (r == 0)
		r = layer_info_insert(db, chain, &info, err);
	if (r == 0)
		r = db_run(db, err,
			   "INSERT INTO image_layers (image, position, chain) VALUES (?1, ?2, ?3)",
			   "sis", e->id, (int64_t)i, chain);
	if (r < 0 || !info.blob[0])
		return r;
	blob = xasprintf("blobs/sha256/%s", info.blob);
	frame = xasprintf("layers/%s/" LAYER_FRAME, chain);
	if (faccessat(root_fd, blob, F_OK, 0) < 0 &&
	    (strcmp(info.blob, info.diff_id) != 0 || faccessat(root_fd, frame, F_OK, 0) < 0))
		return 0;
	return layer_blob_insert(db, info.blob, info.diff_id, info.blob_size, info.packing, err);
}

/* A manifest that is gone is no reason to lose its image. */
static int insert_documents(struct db *db, int root_fd, const struct entry *e, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < e->documents.n; i++) {
		autofree char *digest = xstrdup(e->documents.items[i]), *path = NULL;
		char *type = strchr(digest, ' ');

		if (type)
			*type++ = '\0';
		path = xasprintf("blobs/sha256/%s", digest);
		if (faccessat(root_fd, path, F_OK, 0) == 0)
			r = document_insert(db, root_fd, digest, type ? type : "", e->id,
					    e->loaded_ns, err);
	}
	return r;
}

static int entry_insert(struct db *db, int root_fd, const struct entry *e, struct error *err)
{
	int r = insert_image(db, root_fd, e, err);

	for (size_t i = 0; r == 0 && i < e->layers.n; i++)
		r = insert_layer(db, root_fd, e, i, err);
	if (r == 0)
		r = insert_documents(db, root_fd, e, err);
	for (size_t i = 0; r == 0 && i < e->names.n; i++)
		r = image_name_set(db, e->names.items[i], e->id, err);
	return r;
}

static bool is_known(struct db *db, const char *id)
{
	struct db_rows rows;
	bool known;

	if (db_query(db, &rows, NULL, "SELECT 1 FROM images WHERE id = ?1", "s", id) < 0)
		return true;
	known = db_next(&rows);
	return db_finish(&rows) < 0 || known;
}

static int by_load(const void *a, const void *b)
{
	const struct entry *x = a, *y = b;

	return (x->loaded_ns > y->loaded_ns) - (x->loaded_ns < y->loaded_ns);
}

static void list_unknown(struct db *db, int root_fd, struct entry **ret, size_t *ret_n)
{
	int fd = openat(root_fd, DIR_NAME, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	struct entry *list = NULL;
	const struct dirent *item;
	size_t n = 0, room = 0;

	while (dir && (item = readdir(dir))) {
		autofree char *id = xstrdup(item->d_name);
		char *dot = strrchr(id, '.');
		struct entry e = { .id = NULL };

		if (!dot || strcmp(dot, ".json") != 0)
			continue;
		*dot = '\0';
		if (is_known(db, id) || entry_read(root_fd, id, &e) < 0) {
			entry_done(&e);
			continue;
		}
		VEC_GROW(list, n, room);
		list[n++] = e;
	}
	if (dir)
		(void)closedir(dir);
	if (n > 0)
		qsort(list, n, sizeof(*list), by_load);
	*ret = list;
	*ret_n = n;
}

int catalog_restore(struct db *db, int root_fd,
		    void (*report)(void *data, const char *id, bool whole), void *data,
		    struct error *err)
{
	struct entry *list = NULL;
	size_t n = 0;
	int r = 0;

	list_unknown(db, root_fd, &list, &n);
	for (size_t i = 0; i < n; i++) {
		bool whole = entry_is_whole(root_fd, &list[i]);

		if (r == 0 && whole)
			r = entry_insert(db, root_fd, &list[i], err);
		if (r == 0)
			report(data, list[i].id, whole);
		entry_done(&list[i]);
	}
	free(list);
	return r;
}
