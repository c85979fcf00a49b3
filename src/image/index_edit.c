/* src/image/index_edit.c */
#include "image/index_edit.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "image/document.h"
#include "image/image.h"
#include "image/incoming.h"
#include "image/index.h"
#include "image/manifest_keep.h"
#include "image/platform.h"
#include "image/reference.h"

/* Entries that were looked up, before the transaction: packing a layer takes its time. */
struct listing {
	struct part *items; /* document.h's, with what the rows say */
	size_t n, room;
};

static void listing_done(struct listing *l)
{
	for (size_t i = 0; i < l->n; i++) {
		free(l->items[i].media_type);
		free(l->items[i].platform);
	}
	free(l->items);
}

static void list_one(struct listing *l, const char *digest, const char *type, int64_t size,
		     const char *platform)
{
	struct part *part;

	VEC_GROW(l->items, l->n, l->room);
	part = &l->items[l->n++];
	*part = (struct part) { .kind = PART_MANIFEST,
				.size = size,
				.media_type = xstrdup(type),
				.platform = xstrdup(platform) };
	(void)snprintf(part->digest, sizeof(part->digest), "%s", digest);
}

static int list_image(struct db *db, const struct incoming *in, const char *what, struct listing *l,
		      struct error *err)
{
	cleanup(image_cleanup) struct image *image = NULL;
	struct kept_manifest m = { .size = 0 };
	struct db_rows rows;
	int r = image_find(db, in->root_fd, what, &image, err);

	if (r == 0)
		r = manifest_keep(db, in, image, &m, err);
	if (r == 0)
		r = db_query(db, &rows, err, "SELECT platform FROM images WHERE id = ?1", "s",
			     image->id);
	if (r < 0)
		return r;
	list_one(l, m.digest, m.media_type, m.size, db_next(&rows) ? db_text(&rows, 0) : "");
	return db_finish(&rows);
}

/* platform NULL: all. */
static int list_index(struct db *db, const char *digest, const char *platform, struct listing *l,
		      struct error *err)
{
	size_t before = l->n;
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT digest, media_type, size, platform FROM document_parts"
			 " WHERE document = ?1 ORDER BY position",
			 "s", digest);

	if (r < 0)
		return r;
	while (db_next(&rows))
		if (!platform || (platform_fits(db_text(&rows, 3), platform) && l->n == before))
			list_one(l, db_text(&rows, 0), db_text(&rows, 1), db_int(&rows, 2),
				 db_text(&rows, 3));
	r = db_finish(&rows);
	if (r == 0 && platform && l->n == before)
		r = error_set(err, -ENOENT,
			      "it lists no image for %s; --all takes all that it lists", platform);
	return r;
}

static int list_all(struct db *db, const struct incoming *in, const struct index_images *images,
		    struct listing *l, struct error *err)
{
	char own[PLATFORM_LEN], digest[ID_LEN + 1];
	int r = 0;

	platform_own(own);
	for (size_t i = 0; r == 0 && i < images->n; i++) {
		const char *what = images->items[i];

		r = index_look(db, what, digest, err);
		if (r == 0 && digest[0])
			r = list_index(db, digest, images->all ? NULL : own, l, err);
		else if (r == 0)
			r = list_image(db, in, what, l, err);
		if (r < 0)
			(void)error_wrap(err, r, "add %s", what);
	}
	return r;
}

static int add_listing(json_t *doc, const struct listing *l, const struct index_note *note,
		       struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < l->n; i++) {
		const struct index_entry entry = {
			.digest = l->items[i].digest,
			.media_type = l->items[i].media_type,
			.size = l->items[i].size,
			.platform = l->items[i].platform,
		};

		r = index_document_add(doc, &entry, err);
		if (r == 0 && note)
			r = index_document_annotate(doc, entry.digest, note, err);
	}
	return r;
}

/* one document takes the place of another */

static int put_document(struct db *db, const struct incoming *in, const json_t *doc,
			char ret[DIGEST_HEX_LEN + 1], struct error *err)
{
	const char *type = json_string_value(json_object_get(doc, "mediaType"));
	autofree char *text = json_dumps(doc, JSON_COMPACT);
	size_t len = strlen(text);
	int r;

	if (len > DOCUMENT_MAX)
		return error_set(err, -E2BIG, "the index has %zu bytes; %u are the most", len,
				 DOCUMENT_MAX);
	digest_bytes(text, len, ret);
	r = file_write_at(in->blobs_fd, ret, text, len, 0644, FILE_SYNC, err);
	return r < 0 ? r
		     : document_insert(db, in->root_fd, ret, type ? type : INDEX_MEDIA_TYPE, NULL,
				       clock_now_ns(), err);
}

/* Returns 1 if the old file is to go. */
static int replace(struct db *db, const struct incoming *in, const char *old, const char *name,
		   const json_t *doc, char ret[DIGEST_HEX_LEN + 1], struct error *err)
{
	char canonical[REFERENCE_MAX];
	bool gone = false;
	int r = put_document(db, in, doc, ret, err);

	if (r < 0 || strcmp(old, ret) == 0)
		return r;
	r = db_run(db, err,
		   "UPDATE index_names SET document = ?2 WHERE document = ?1 AND name = ?3", "sss",
		   old, ret, reference_canonical(name, canonical, NULL) == 0 ? canonical : "");
	/* It was named by its digest: all its names. */
	if (r == 0 && db_changes(db) == 0)
		r = db_run(db, err, "UPDATE index_names SET document = ?2 WHERE document = ?1",
			   "ss", old, ret);
	if (r == 0)
		r = index_forget(db, old, &gone, err);
	if (r == 0)
		r = index_names_save(db, in->root_fd, err);
	return r < 0 ? r : gone;
}

static int read_index(const struct incoming *in, const char *digest, json_t **ret,
		      struct error *err)
{
	autofree char *text = NULL;
	size_t len = 0;
	int r = file_read_at(in->blobs_fd, digest, DOCUMENT_MAX, &text, &len, err);

	return r < 0 ? r : json_load_bytes(text, len, "index", ret, err);
}

struct edit {
	int (*change)(struct db *db, json_t *doc, const void *data, struct error *err);
	const void *data;
};

static int edit_rows(struct db *db, const struct incoming *in, const char *index,
		     const struct edit *edit, char old[ID_LEN + 1], char ret[DIGEST_HEX_LEN + 1],
		     struct error *err)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	int r = index_find(db, index, old, err);

	if (r == 0)
		r = read_index(in, old, &doc, err);
	if (r == 0)
		r = edit->change(db, doc, edit->data, err);
	return r < 0 ? r : replace(db, in, old, index, doc, ret, err);
}

static int index_edit(struct db *db, const struct incoming *in, const char *index,
		      const struct edit *edit, char ret[DIGEST_HEX_LEN + 1], struct error *err)
{
	char old[ID_LEN + 1] = "";
	int r = db_begin(db, err), gone;

	gone = r < 0 ? r : edit_rows(db, in, index, edit, old, ret, err);
	r = gone < 0 ? gone : db_commit(db, err);
	db_rollback(db);
	if (r == 0 && gone && unlinkat(in->blobs_fd, old, 0) < 0 && errno != ENOENT)
		r = error_sys(err, -errno, "remove %s", old);
	return r;
}

/* create and add */

struct adding {
	struct listing listing;
	const struct index_note *note;
};

static int change_add(struct db *db, json_t *doc, const void *data, struct error *err)
{
	const struct adding *a = data;

	(void)db;
	return add_listing(doc, &a->listing, a->note, err);
}

int index_add(struct db *db, const struct incoming *in, const char *index,
	      const struct index_images *images, char ret[DIGEST_HEX_LEN + 1], struct error *err)
{
	struct adding a = { .note = images->note };
	const struct edit edit = { change_add, &a };
	int r = index_find(db, index, ret, err);

	if (r == 0)
		r = list_all(db, in, images, &a.listing, err);
	if (r == 0)
		r = index_edit(db, in, index, &edit, ret, err);
	listing_done(&a.listing);
	return r;
}

static int refuse_image(struct db *db, const char *name, struct error *err)
{
	struct db_rows rows;
	bool has;
	int r = db_query(db, &rows, err, "SELECT 1 FROM image_names WHERE name = ?1", "s", name);

	if (r < 0)
		return r;
	has = db_next(&rows);
	r = db_finish(&rows);
	if (r == 0 && has)
		r = error_set(err, -EEXIST,
			      "%s is an image; 'strake tag' gives it another name, 'strake untag' "
			      "takes this one",
			      name);
	return r;
}

static int create_rows(struct db *db, const struct incoming *in, const char *name,
		       const struct adding *a, char ret[DIGEST_HEX_LEN + 1], struct error *err)
{
	cleanup(json_cleanup) json_t *doc = index_document_new();
	char other[ID_LEN + 1];
	int r = refuse_image(db, name, err);

	if (r == 0)
		r = index_look(db, name, other, err);
	if (r == 0 && other[0])
		r = error_set(err, -EEXIST, "index %s is there; --amend adds to it", name);
	if (r == 0)
		r = add_listing(doc, &a->listing, a->note, err);
	if (r == 0)
		r = put_document(db, in, doc, ret, err);
	if (r == 0)
		r = db_run(db, err, "INSERT INTO index_names (name, document) VALUES (?1, ?2)",
			   "ss", name, ret);
	return r < 0 ? r : index_names_save(db, in->root_fd, err);
}

static int create(struct db *db, const struct incoming *in, const char *name,
		  const struct adding *a, char ret[DIGEST_HEX_LEN + 1], struct error *err)
{
	int r = db_begin(db, err);

	if (r == 0)
		r = create_rows(db, in, name, a, ret, err);
	if (r == 0)
		r = db_commit(db, err);
	db_rollback(db);
	return r;
}

int index_create(struct db *db, const struct incoming *in, const char *text, enum index_make how,
		 const struct index_images *images, char ret[DIGEST_HEX_LEN + 1], struct error *err)
{
	struct adding a = { .note = images->note };
	const struct edit edit = { change_add, &a };
	char name[REFERENCE_MAX], before[ID_LEN + 1] = "";
	int r = reference_canonical(text, name, err);

	if (r == 0 && strchr(name, '@'))
		r = error_set(err, -EINVAL, "'%s': a digest is no name to give", text);
	if (r == 0)
		r = index_look(db, name, before, err);
	if (r == 0 && before[0] && how == INDEX_NEW)
		r = error_set(err, -EEXIST, "index %s is there; --amend adds to it", text);
	if (r == 0)
		r = list_all(db, in, images, &a.listing, err);
	if (r == 0)
		r = before[0] ? index_edit(db, in, name, &edit, ret, err)
			      : create(db, in, name, &a, ret, err);
	listing_done(&a.listing);
	return r;
}

/* entries */

/* An image stands for the manifest of its that is listed. */
static int find_entry(struct db *db, const json_t *doc, const char *what, const char **ret,
		      struct error *err)
{
	bool kind = strncmp(what, "sha256:", 7) == 0 || strncmp(what, "sha512:", 7) == 0;
	const char *hex = kind ? what + 7 : what, *found = NULL;
	cleanup(image_cleanup) struct image *image = NULL;
	struct db_rows rows;
	int r;

	if (id_is_hex(hex) || digest512_is_valid(what))
		found = index_document_find(doc, hex);
	if (found) {
		*ret = found;
		return 0;
	}
	r = image_find_rows(db, what, &image, err);
	if (r == 0)
		r = db_query(db, &rows, err, "SELECT digest FROM documents WHERE image = ?1", "s",
			     image->id);
	if (r < 0)
		return r;
	while (db_next(&rows))
		found = found ? found : index_document_find(doc, db_text(&rows, 0));
	r = db_finish(&rows);
	if (r == 0 && !found)
		r = error_set(err, -ENOENT,
			      "the index does not list %s; 'strake manifest inspect' shows what it "
			      "lists",
			      what);
	*ret = found;
	return r;
}

struct noting {
	const char *what;
	const struct index_note *note; /* NULL: it goes */
};

static int change_entry(struct db *db, json_t *doc, const void *data, struct error *err)
{
	const struct noting *n = data;
	autofree char *digest = NULL;
	const char *found = NULL;
	int r = n->what ? find_entry(db, doc, n->what, &found, err) : 0;

	if (r < 0)
		return r;
	if (found)
		digest = xstrdup(found); /* the entry that owns it may go */
	return n->note ? index_document_annotate(doc, digest, n->note, err)
		       : index_document_remove(doc, digest, err);
}

int index_annotate(struct db *db, const struct incoming *in, const char *index, const char *what,
		   const struct index_note *note, char ret[DIGEST_HEX_LEN + 1], struct error *err)
{
	const struct noting n = { what, note };
	const struct edit edit = { change_entry, &n };

	return index_edit(db, in, index, &edit, ret, err);
}

int index_drop(struct db *db, const struct incoming *in, const char *index, const char *what,
	       char ret[DIGEST_HEX_LEN + 1], struct error *err)
{
	const struct noting n = { what, NULL };
	const struct edit edit = { change_entry, &n };

	return index_edit(db, in, index, &edit, ret, err);
}

int index_keep(struct db *db, const struct incoming *in, const char *name, const char *bytes,
	       size_t len, const char *media_type, struct error *err)
{
	char digest[DIGEST_HEX_LEN + 1];
	int r;

	digest_bytes(bytes, len, digest);
	r = file_write_at(in->blobs_fd, digest, bytes, len, 0644, FILE_SYNC, err);
	if (r == 0)
		r = db_begin(db, err);
	if (r == 0)
		r = document_insert(db, in->root_fd, digest,
				    *media_type ? media_type : INDEX_MEDIA_TYPE, NULL,
				    clock_now_ns(), err);
	if (r == 0)
		r = db_commit(db, err);
	db_rollback(db);
	return r < 0 ? r : index_tag(db, in->root_fd, digest, name, err);
}
