/* src/image/index.c */
#include "image/index.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/json.h"
#include "image/catalog.h"
#include "image/document.h"
#include "image/platform.h"
#include "image/reference.h"
#include "image/remove.h"

#define NAMES_FILE "indexes.json"

static int remove_file(int root_fd, const char *name, const char *why, struct error *err)
{
	autofree char *path = file_path(root_fd, name);

	if (faccessat(root_fd, name, F_OK, 0) < 0 || explain(why, "rm -f %s", sq(path)))
		return 0;
	if (unlinkat(root_fd, name, 0) < 0 && errno != ENOENT)
		return error_sys(err, -errno, "remove %s", name);
	return 0;
}

/* finding */

/* One column of the first row; ret_rows: 0, 1 or 2 (several). */
static int text_of(struct db *db, const char *sql, const char *arg, size_t size, char *ret,
		   size_t *ret_rows, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, sql, "s", arg);

	ret[0] = '\0';
	*ret_rows = 0;
	if (r < 0)
		return r;
	while (db_next(&rows))
		if ((*ret_rows)++ == 0)
			(void)snprintf(ret, size, "%s", db_text(&rows, 0));
	return db_finish(&rows);
}

int index_look(struct db *db, const char *what, char ret[ID_LEN + 1], struct error *err)
{
	const char *hex = strncmp(what, "sha256:", 7) == 0 ? what + 7 : what;
	char name[REFERENCE_MAX];
	size_t n = 0;
	int r = 0;

	ret[0] = '\0';
	if (reference_canonical(what, name, NULL) == 0)
		r = text_of(db, "SELECT document FROM index_names WHERE name = ?1", name,
			    ID_LEN + 1, ret, &n, err);
	if (r < 0 || n > 0 || !id_is_hex(hex))
		return r;
	r = text_of(db,
		    "SELECT DISTINCT document FROM index_names"
		    " WHERE document >= ?1 AND document < ?1 || 'g' LIMIT 2",
		    hex, ID_LEN + 1, ret, &n, err);
	if (r == 0 && n > 1)
		r = error_set(err, -EINVAL,
			      "%s is the start of several digests of indexes; give more of it",
			      what);
	return r;
}

int index_find(struct db *db, const char *what, char ret[ID_LEN + 1], struct error *err)
{
	char name[REFERENCE_MAX];
	int r = index_look(db, what, ret, err);

	if (r < 0 || ret[0])
		return r;
	r = reference_canonical(what, name, err);
	return r < 0 ? r
		     : error_set(err, -ENOENT,
				 "no index '%s'; 'strake manifest ls' lists them, 'strake manifest "
				 "create %s' makes one",
				 what, what);
}

/* As platform_choose() does: the exact one, else the first that fits. */
int index_image(struct db *db, const char *name, const char *wish, char ret[ID_LEN + 1],
		struct error *err)
{
	char own[PLATFORM_LEN], digest[ID_LEN + 1];
	struct db_rows rows;
	bool exact = false;
	size_t n;
	int r = text_of(db, "SELECT document FROM index_names WHERE name = ?1", name,
			sizeof(digest), digest, &n, err);

	ret[0] = '\0';
	if (r < 0 || n == 0)
		return r;
	if (wish)
		(void)snprintf(own, sizeof(own), "%s", wish);
	else
		platform_own(own);
	r = db_query(db, &rows, err,
		     "SELECT d.image, p.platform FROM document_parts AS p"
		     " JOIN documents AS d ON d.digest = p.digest"
		     " WHERE p.document = ?1 AND d.image IS NOT NULL ORDER BY p.position",
		     "s", digest);
	if (r < 0)
		return r;
	while (db_next(&rows)) {
		const char *platform = db_text(&rows, 1);
		bool is_own = strcmp(platform, own) == 0;

		if (exact || !(is_own || (!ret[0] && platform_fits(platform, own))))
			continue;
		(void)snprintf(ret, ID_LEN + 1, "%s", db_text(&rows, 0));
		exact = is_own;
	}
	r = db_finish(&rows);
	if (r == 0 && !ret[0])
		r = error_set(err, -ENOEXEC,
			      "index %s lists no image for %s; 'strake manifest inspect' shows "
			      "what it lists",
			      name, own);
	return r;
}

int index_user(struct db *db, const char *image, char ret[128], struct error *err)
{
	size_t n;

	return text_of(db,
		       "SELECT n.name FROM documents AS d"
		       " JOIN document_parts AS p ON p.digest = d.digest"
		       " JOIN index_names AS n USING (document) WHERE d.image = ?1 LIMIT 1",
		       image, 128, ret, &n, err);
}

/* names */

int index_name_take(struct db *db, const char *name, struct error *err)
{
	return db_run(db, err, "DELETE FROM index_names WHERE name = ?1", "s", name);
}

int index_forget(struct db *db, const char *digest, bool *ret_gone, struct error *err)
{
	char name[REFERENCE_MAX];
	size_t n;
	int r = text_of(db, "SELECT name FROM index_names WHERE document = ?1 LIMIT 1", digest,
			sizeof(name), name, &n, err);

	*ret_gone = n == 0;
	if (r < 0 || n > 0)
		return r;
	r = db_run(db, err, "DELETE FROM document_parts WHERE document = ?1", "s", digest);
	return r < 0 ? r : db_run(db, err, "DELETE FROM documents WHERE digest = ?1", "s", digest);
}

static int set_name(struct db *db, int root_fd, const char *digest, const char *name,
		    struct error *err)
{
	char image[ID_LEN + 1];
	size_t n;
	int r = text_of(db, "SELECT image FROM image_names WHERE name = ?1", name, sizeof(image),
			image, &n, err);

	if (r == 0)
		r = db_run(db, err, "DELETE FROM image_names WHERE name = ?1", "s", name);
	if (r == 0)
		r = db_run(db, err,
			   "INSERT INTO index_names (name, document) VALUES (?1, ?2)"
			   " ON CONFLICT (name) DO UPDATE SET document = ?2",
			   "ss", name, digest);
	if (r == 0 && n > 0)
		r = catalog_save(db, root_fd, image, err);
	return r < 0 ? r : index_names_save(db, root_fd, err);
}

int index_tag(struct db *db, int root_fd, const char *digest, const char *text, struct error *err)
{
	char name[REFERENCE_MAX];
	int r = reference_canonical(text, name, err);

	if (r == 0 && strchr(name, '@'))
		r = error_set(err, -EINVAL, "'%s': a digest is not given, it is what an index has",
			      text);
	if (r == 0)
		r = db_begin(db, err);
	if (r < 0)
		return r;
	r = set_name(db, root_fd, digest, name, err);
	if (r == 0)
		r = db_commit(db, err);
	db_rollback(db);
	return r;
}

/* removing */

static int list_names(struct db *db, const char *digest, struct strv *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT name FROM index_names WHERE document = ?1 ORDER BY name", "s",
			 digest);

	if (r < 0)
		return r;
	while (db_next(&rows))
		strv_add(ret, db_text(&rows, 0));
	return db_finish(&rows);
}

/* Which names go: the one that was given, else all. */
static int remove_rows(struct db *db, int root_fd, const char *what, const char *digest,
		       struct strv *gone, bool *ret_whole, struct error *err)
{
	char name[REFERENCE_MAX];
	int r = list_names(db, digest, gone, err);

	if (r == 0 && reference_canonical(what, name, NULL) == 0 && strv_has(gone, name)) {
		strv_done(gone);
		strv_add(gone, name);
	}
	for (size_t i = 0; r == 0 && i < gone->n; i++)
		r = index_name_take(db, gone->items[i], err);
	if (r == 0)
		r = index_forget(db, digest, ret_whole, err);
	return r < 0 ? r : index_names_save(db, root_fd, err);
}

static void report_gone(const struct strv *gone, const char *digest, bool whole,
			void (*report)(void *data, const char *text), void *data)
{
	autofree char *deleted = xasprintf("Deleted: sha256:%s", digest);

	for (size_t i = 0; i < gone->n; i++) {
		char familiar[REFERENCE_MAX];
		autofree char *text = NULL;

		reference_familiar(gone->items[i], familiar);
		text = xasprintf("Untagged: %s", familiar);
		report(data, text);
	}
	if (whole)
		report(data, deleted);
}

int index_remove(struct db *db, int root_fd, const char *what,
		 void (*report)(void *data, const char *text), void *data, struct error *err)
{
	char digest[ID_LEN + 1];
	autofree char *path = NULL;
	struct strv gone = { 0 };
	struct grave grave = { .fd = -1 };
	bool whole = false;
	int r = grave_open(root_fd, &grave, err);

	if (r == 0)
		r = db_begin(db, err);
	if (r == 0)
		r = index_find(db, what, digest, err);
	if (r == 0)
		r = remove_rows(db, root_fd, what, digest, &gone, &whole, err);
	if (r == 0)
		r = db_commit(db, err);
	db_rollback(db);
	if (r == 0 && whole) {
		path = xasprintf("blobs/sha256/%s", digest);
		r = remove_file(root_fd, path, "the index", err);
	}
	if (r == 0)
		report_gone(&gone, digest, whole, report, data);
	grave_close(&grave);
	strv_done(&gone);
	return r;
}

/* the file */

int index_names_save(struct db *db, int root_fd, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = json_object();
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT name, document || ' ' || media_type FROM index_names"
			 " JOIN documents ON digest = document ORDER BY name",
			 "");

	if (r < 0)
		return r;
	while (db_next(&rows))
		(void)json_object_set_new(doc, db_text(&rows, 0), json_string(db_text(&rows, 1)));
	r = db_finish(&rows);
	if (r < 0)
		return r;
	if (json_object_size(doc) > 0)
		return json_save_at(root_fd, NAMES_FILE, doc, true, err);
	return remove_file(root_fd, NAMES_FILE, "no index has a name", err);
}

/* A name that an image has by now is the image's. */
static int restore_one(struct db *db, int root_fd, const char *name, const char *value,
		       bool *ret_is_fresh, struct error *err)
{
	autofree char *digest = xstrdup(value), *path = NULL;
	char *type = strchr(digest, ' ');
	char before[ID_LEN + 1];
	size_t n;
	int r;

	*ret_is_fresh = false;
	if (type)
		*type++ = '\0';
	if (!id_is_hex(digest) || strlen(digest) != ID_LEN)
		return 0;
	path = xasprintf("blobs/sha256/%s", digest);
	r = text_of(db,
		    "SELECT document FROM index_names WHERE name = ?1 UNION"
		    " SELECT image FROM image_names WHERE name = ?1",
		    name, sizeof(before), before, &n, err);
	if (r < 0 || n > 0 || faccessat(root_fd, path, F_OK, 0) < 0)
		return r;
	r = document_insert(db, root_fd, digest, type ? type : "", NULL, clock_now_ns(), err);
	*ret_is_fresh = true;
	return r < 0 ? r
		     : db_run(db, err, "INSERT INTO index_names (name, document) VALUES (?1, ?2)",
			      "ss", name, digest);
}

int index_names_restore(struct db *db, int root_fd, void (*report)(void *data, const char *name),
			void *data, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	const char *name;
	json_t *value;
	int r = 0;

	/* One that cannot be read is as good as not there. */
	if (json_load_at(root_fd, NAMES_FILE, &doc, NULL) < 0)
		return 0;
	json_object_foreach (doc, name, value) {
		const char *text = json_string_value(value);
		bool fresh = false;

		if (r == 0 && text)
			r = restore_one(db, root_fd, name, text, &fresh, err);
		if (r == 0 && fresh)
			report(data, name);
	}
	return r;
}
