/* src/image/name.c */
#include "image/name.h"

#include <stdio.h>
#include <string.h>

#include "base/db.h"
#include "base/id.h"
#include "image/catalog.h"
#include "image/event.h"
#include "image/image.h"
#include "image/reference.h"

/* The image that has the name; "" if none. */
static int owner_of(struct db *db, const char *name, char ret[ID_LEN + 1], struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, "SELECT image FROM image_names WHERE name = ?1", "s",
			 name);

	ret[0] = '\0';
	if (r < 0)
		return r;
	if (db_next(&rows))
		(void)snprintf(ret, ID_LEN + 1, "%s", db_text(&rows, 0));
	return db_finish(&rows);
}

static int name_check(const char *text, char ret[REFERENCE_MAX], struct error *err)
{
	int r = reference_canonical(text, ret, err);

	if (r < 0)
		return r;
	if (strchr(ret, '@'))
		return error_set(err, -EINVAL,
				 "'%s': a digest is not given, it is what an image has", text);
	return 0;
}

static void tell(int root_fd, const char *action, const char *id, const char *name)
{
	struct strv names = { 0 };

	strv_add(&names, name);
	image_event(root_fd, action, id, &names);
	strv_done(&names);
}

int image_tag(struct db *db, int root_fd, const char *what, const char *text, struct error *err)
{
	cleanup(image_cleanup) struct image *image = NULL;
	char name[REFERENCE_MAX], before[ID_LEN + 1] = "";
	int r = name_check(text, name, err);

	if (r == 0)
		r = db_begin(db, err);
	if (r < 0)
		return r;
	r = image_find(db, root_fd, what, &image, err);
	if (r == 0)
		r = owner_of(db, name, before, err);
	if (r == 0)
		r = image_name_set(db, name, image->id, err);
	if (r == 0)
		r = catalog_save(db, root_fd, image->id, err);
	if (r == 0 && before[0] && strcmp(before, image->id) != 0)
		r = catalog_save(db, root_fd, before, err);
	if (r == 0)
		r = db_commit(db, err);
	db_rollback(db);
	if (r == 0)
		tell(root_fd, "tag", image->id, name);
	return r;
}

static int untag_one(struct db *db, const struct image *image, const char *name, struct strv *gone,
		     struct error *err)
{
	if (!strv_has(&image->names, name))
		return error_set(err, -ENOENT, "image %.12s has no name '%s'", image->id, name);
	strv_add(gone, name);
	return db_run(db, err, "DELETE FROM image_names WHERE name = ?1", "s", name);
}

static int untag_all(struct db *db, const struct image *image, char *const *names, size_t n,
		     struct strv *gone, struct error *err)
{
	char name[REFERENCE_MAX];
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		r = reference_canonical(names[i], name, err);
		if (r == 0)
			r = untag_one(db, image, name, gone, err);
	}
	for (size_t i = 0; r == 0 && n == 0 && i < image->names.n; i++)
		r = untag_one(db, image, image->names.items[i], gone, err);
	return r;
}

int image_untag(struct db *db, int root_fd, const char *what, char *const *names, size_t n,
		void (*report)(void *data, const char *text), void *data, struct error *err)
{
	cleanup(image_cleanup) struct image *image = NULL;
	struct strv gone = { 0 };
	char familiar[REFERENCE_MAX];
	int r = db_begin(db, err);

	if (r == 0)
		r = image_find(db, root_fd, what, &image, err);
	if (r == 0)
		r = untag_all(db, image, names, n, &gone, err);
	if (r == 0)
		r = catalog_save(db, root_fd, image->id, err);
	if (r == 0)
		r = db_commit(db, err);
	db_rollback(db);
	for (size_t i = 0; r == 0 && i < gone.n; i++) {
		tell(root_fd, "untag", image->id, gone.items[i]);
		reference_familiar(gone.items[i], familiar);
		report(data, familiar);
	}
	strv_done(&gone);
	return r;
}
