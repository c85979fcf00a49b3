/* src/image/remove.c - what goes with a name, and what a killed load left.
 *
 * Rows go first, in one transaction, then files: a kill in between leaves files that nobody knows,
 * which image_check() finds, and never an image whose files are gone.
 */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/file.h"
#include "image/image.h"
#include "image/reference.h"

typedef void (*report_fn)(void *data, const char *text);

/* The container that uses it, or "". */
static int image_user(struct db *db, const char *id, char ret[128], struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, "SELECT name FROM containers WHERE image = ?1 LIMIT 1",
			 "s", id);

	ret[0] = '\0';
	if (r < 0)
		return r;
	if (db_next(&rows))
		(void)snprintf(ret, 128, "%s", db_text(&rows, 0));
	return db_finish(&rows);
}

static bool layer_is_used(struct db *db, const char *chain)
{
	struct db_rows rows;
	bool used = true;

	if (db_query(db, &rows, NULL, "SELECT 1 FROM image_layers WHERE chain = ?1 LIMIT 1", "s",
		     chain) < 0)
		return true;
	used = db_next(&rows);
	return db_finish(&rows) < 0 || used;
}

static int delete_rows(struct db *db, const struct image *image, struct error *err)
{
	static const char *const statements[] = {
		"DELETE FROM image_names WHERE image = ?1",
		"DELETE FROM image_layers WHERE image = ?1",
		"DELETE FROM images WHERE id = ?1",
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(statements); i++)
		r = db_run(db, err, statements[i], "s", image->id);
	return r;
}

static int delete_files(struct db *db, int root_fd, const struct image *image, report_fn report,
			void *data, struct error *err)
{
	autofree char *blob = xasprintf("blobs/sha256/%s", image->id);
	autofree char *said = xasprintf("Deleted: sha256:%s", image->id);
	int r = 0;

	for (size_t i = image->layers.n; r == 0 && i > 0; i--) {
		autofree char *dir = xasprintf("layers/%s", image->layers.items[i - 1]);

		if (!layer_is_used(db, image->layers.items[i - 1]))
			r = dir_remove_at(root_fd, dir, err);
	}
	if (r == 0 && unlinkat(root_fd, blob, 0) < 0 && errno != ENOENT)
		r = error_sys(err, -errno, "remove %s", blob);
	if (r == 0)
		report(data, said);
	return r;
}

static void report_untagged(const char *name, report_fn report, void *data)
{
	char familiar[REFERENCE_MAX];
	autofree char *text = NULL;

	reference_familiar(name, familiar);
	text = xasprintf("Untagged: %s", familiar);
	report(data, text);
}

static int remove_whole(struct db *db, int root_fd, const struct image *image, report_fn report,
			void *data, struct error *err)
{
	char user[128];
	int r = db_begin(db, err);

	if (r == 0)
		r = image_user(db, image->id, user, err);
	if (r == 0 && user[0])
		r = error_set(err, -EBUSY,
			      "image %.12s is used by container %s; 'strake rm %s' first",
			      image->id, user, user);
	if (r == 0)
		r = delete_rows(db, image, err);
	if (r == 0)
		r = db_commit(db, err);
	db_rollback(db);
	for (size_t i = 0; r == 0 && i < image->names.n; i++)
		report_untagged(image->names.items[i], report, data);
	return r < 0 ? r : delete_files(db, root_fd, image, report, data, err);
}

/* Loads hold it shared from before they look which layers are there. */
static int lock_layers(int root_fd, bool wait)
{
	int fd = openat(root_fd, "layers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd >= 0 && TEMP_FAILURE_RETRY(flock(fd, LOCK_EX | (wait ? 0 : LOCK_NB))) < 0) {
		(void)close(fd);
		return -EBUSY;
	}
	return fd < 0 ? -errno : fd;
}

int image_remove(struct db *db, int root_fd, const char *what, bool force,
		 void (*report)(void *data, const char *text), void *data, struct error *err)
{
	cleanup(image_cleanup) struct image *image = NULL;
	autoclose int lock = lock_layers(root_fd, true);
	char name[REFERENCE_MAX];
	bool by_name;
	int r = image_find(db, root_fd, what, &image, err);

	if (r < 0)
		return r;
	by_name = reference_canonical(what, name, NULL) == 0 && strv_has(&image->names, name);
	if (image->names.n > 1 && !force) {
		if (!by_name)
			return error_set(
				err, -EBUSY,
				"image %.12s has %zu names; remove them by name, or all with "
				"--force",
				image->id, image->names.n);
		r = db_run(db, err, "DELETE FROM image_names WHERE name = ?1", "s", name);
		if (r == 0)
			report_untagged(name, report, data);
		return r;
	}
	return remove_whole(db, root_fd, image, report, data, err);
}

/* check */

struct check {
	struct db *db;
	int root_fd;
	bool repair;
	report_fn report;
	void *data;
	struct error *err;
	int found, r;
};

static void found(struct check *c, const char *kind, const char *path)
{
	autofree char *text = xasprintf("%s %s belongs to no image", kind, path);

	c->report(c->data, text);
	c->found++;
	if (!c->repair)
		return;
	if (dir_remove_at(c->root_fd, path, c->err) < 0)
		c->r = -EIO;
}

static bool layer_is_known(const struct check *c, const char *chain)
{
	return layer_is_used(c->db, chain);
}

/* Its load still lives if it holds the lock. */
static bool tmp_is_used(const struct check *c, const char *name)
{
	autofree char *path = xasprintf("tmp/%s", name);
	autoclose int fd = openat(c->root_fd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	return fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) < 0;
}

static bool blob_is_used(const struct check *c, const char *hex)
{
	struct db *db = c->db;
	struct db_rows rows;
	bool used;

	if (db_query(db, &rows, NULL, "SELECT 1 FROM images WHERE id = ?1", "s", hex) < 0)
		return true;
	used = db_next(&rows);
	return db_finish(&rows) < 0 || used;
}

static void check_dir(struct check *c, const char *dir, const char *kind,
		      bool (*is_used)(const struct check *, const char *))
{
	int fd = openat(c->root_fd, dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	while (d && (entry = readdir(d))) {
		autofree char *path = xasprintf("%s/%s", dir, entry->d_name);

		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0 ||
		    is_used(c, entry->d_name))
			continue;
		found(c, kind, path);
	}
	if (d)
		(void)closedir(d);
}

/* The other way round: rows whose files are gone. */
static int check_rows(struct check *c)
{
	struct strv ids = { 0 };
	int r = image_ids(c->db, &ids, c->err);

	for (size_t i = 0; r == 0 && i < ids.n; i++) {
		cleanup(image_cleanup) struct image *image = NULL;
		struct error why = { 0 };
		autofree char *text = NULL;

		if (image_load(c->db, c->root_fd, ids.items[i], &image, &why) == 0) {
			for (size_t k = 0; k < image->layers.n && !text; k++) {
				autofree char *dir =
					xasprintf("layers/%s/diff", image->layers.items[k]);

				if (faccessat(c->root_fd, dir, F_OK, 0) < 0)
					text = xasprintf("image %.12s: %s is gone; load it again",
							 image->id, dir);
			}
		} else {
			text = xasprintf("image %.12s: %s", ids.items[i], why.text);
		}
		if (!text)
			continue;
		c->report(c->data, text);
		c->found++;
	}
	strv_done(&ids);
	return r;
}

int image_check(struct db *db, int root_fd, bool repair,
		void (*report)(void *data, const char *text), void *data, struct error *err)
{
	struct check c = { .db = db,
			   .root_fd = root_fd,
			   .repair = repair,
			   .report = report,
			   .data = data,
			   .err = err };
	autoclose int lock = -1;
	int r = check_rows(&c);

	if (r < 0)
		return r;
	check_dir(&c, "tmp", "directory", tmp_is_used);
	lock = lock_layers(root_fd, false);
	if (lock >= 0) { /* else a load is at work, and what it made has no row yet */
		check_dir(&c, "layers", "directory", layer_is_known);
		check_dir(&c, "blobs/sha256", "file", blob_is_used);
	}
	return c.r < 0 ? c.r : c.found;
}
