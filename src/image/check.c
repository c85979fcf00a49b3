/* src/image/check.c - what a killed load left, and what a lost database forgot. */
#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/explain.h"
#include "base/file.h"
#include "image/alias.h"
#include "image/catalog.h"
#include "image/hold.h"
#include "image/image.h"
#include "image/incoming.h"
#include "image/index.h"
#include "image/remove.h"
#include "image/working.h"

struct check {
	struct db *db;
	int root_fd;
	bool repair;
	void (*report)(void *data, const char *text);
	void *data;
	struct error *err;
	int found, left, r;
};

static void found(struct check *c, const char *kind, const char *path)
{
	autofree char *text = xasprintf("%s %s belongs to no image", kind, path);
	autofree char *whole = file_path(c->root_fd, path);

	c->report(c->data, text);
	c->found++;
	if (!c->repair)
		return;
	if (!explain("nothing refers to it", "rm -rf %s", sq(whole)) &&
	    dir_remove_at(c->root_fd, path, c->err) < 0)
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

static bool blob_is_known(const struct check *c, const char *hex)
{
	return blob_is_used(c->db, hex);
}

static bool name_is_known(const struct check *c, const char *sha512)
{
	char hex[DIGEST_HEX_LEN + 1];

	return alias_get(c->root_fd, sha512, hex) && blob_is_used(c->db, hex);
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

static void check_tmp(struct check *c)
{
	autoclose int fd = openat(c->root_fd, INCOMING_TMP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	/* No one is between making a directory and locking it. */
	if (fd >= 0 && TEMP_FAILURE_RETRY(flock(fd, LOCK_EX)) == 0)
		check_dir(c, INCOMING_TMP, "directory", tmp_is_used);
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
					text = xasprintf(
						"image %.12s: %s is gone; 'strake image check "
						"--repair %.12s' or loading it again brings it back",
						image->id, dir, image->id);
			}
		} else {
			text = xasprintf("image %.12s: %s; 'strake image check --repair %.12s' or "
					 "loading it again brings it back",
					 ids.items[i], why.text, ids.items[i]);
		}
		if (!text)
			continue;
		c->report(c->data, text);
		c->found++;
		c->left++;
	}
	strv_done(&ids);
	return r;
}

static void restored(void *data, const char *id, bool whole)
{
	struct check *c = data;
	autofree char *text =
		whole ? xasprintf("image %.12s has files but is not in the database", id)
		      : xasprintf("images/%.12s....json is all that is left of an image", id);

	c->report(c->data, text);
	c->found++;
	if (!whole && c->repair)
		ignore_result(catalog_remove(c->root_fd, id, NULL));
}

static void index_restored(void *data, const char *name)
{
	struct check *c = data;
	autofree char *text = xasprintf("index %s has files but is not in the database", name);

	c->report(c->data, text);
	c->found++;
}

/* An index whose document is gone is nothing any more. */
static int check_indexes(struct check *c)
{
	struct strv gone = { 0 };
	struct db_rows rows;
	int r = db_query(c->db, &rows, c->err, "SELECT name, document FROM index_names", "");

	while (r == 0 && db_next(&rows)) {
		autofree char *path = xasprintf("blobs/sha256/%s", db_text(&rows, 1)), *text = NULL;

		if (faccessat(c->root_fd, path, F_OK, 0) == 0)
			continue;
		text = xasprintf("index %s: %s is gone", db_text(&rows, 0), path);
		c->report(c->data, text);
		c->found++;
		strv_add(&gone, db_text(&rows, 0));
	}
	if (r == 0)
		r = db_finish(&rows);
	for (size_t i = 0; r == 0 && c->repair && i < gone.n; i++)
		r = index_name_take(c->db, gone.items[i], c->err);
	if (r == 0 && c->repair && gone.n)
		r = index_names_save(c->db, c->root_fd, c->err);
	strv_done(&gone);
	return r;
}

static int check_files(struct check *c)
{
	autoclose int lock = -1;
	int r = catalog_restore(c->db, c->root_fd, restored, c, c->err);

	if (r == 0)
		r = index_names_restore(c->db, c->root_fd, index_restored, c, c->err);
	if (r == 0)
		r = check_rows(c);
	if (r == 0)
		r = check_indexes(c);
	if (r < 0)
		return r;
	r = working_check(c->root_fd, c->repair, c->report, c->data, &c->left, c->err);
	if (r < 0)
		return r;
	c->found += r;
	check_tmp(c);
	lock = layers_lock(c->root_fd, false);
	if (lock >= 0) { /* else a load is at work, and what it made has no row yet */
		check_dir(c, "layers", "directory", layer_is_known);
		check_dir(c, "blobs/sha256", "file", blob_is_known);
		check_dir(c, ALIAS_DIR, "file", name_is_known);
	}
	return 0;
}

int image_check(struct db *db, int root_fd, bool repair,
		void (*report)(void *data, const char *text), void *data, int *ret_left,
		struct error *err)
{
	struct check c = { .db = db,
			   .root_fd = root_fd,
			   .repair = repair,
			   .report = report,
			   .data = data,
			   .err = err };
	int r = db_begin(db, err);

	/* Without repair what was restored is taken back: till then its files belong to it. */
	if (r == 0)
		r = check_files(&c);
	if (r == 0 && repair)
		r = db_commit(db, err);
	db_rollback(db);
	if (ret_left)
		*ret_left = c.left;
	return r < 0 ? r : c.r < 0 ? c.r : c.found;
}

static void say_nothing(void *data, const char *id, bool whole)
{
	(void)data;
	(void)id;
	(void)whole;
}

static void say_no_name(void *data, const char *name)
{
	(void)data;
	(void)name;
}

/* what a killed or failed command left */

static void say_no_text(void *data, const char *text)
{
	(void)data;
	(void)text;
}

static bool something_died(int root_fd)
{
	const struct check c = { .root_fd = root_fd };
	int fd = openat(root_fd, INCOMING_TMP, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *d = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;
	bool died = false;

	while (d && !died && (entry = readdir(d)))
		died = entry->d_name[0] != '.' && !tmp_is_used(&c, entry->d_name);
	if (d)
		(void)closedir(d);
	return died;
}

/* While another one works nothing can be told apart; a later command will. */
static bool is_quiet(int root_fd)
{
	autoclose int lock = layers_lock(root_fd, false);

	return lock >= 0;
}

void image_sweep(struct db *db, int root_fd)
{
	if (explain_dry())
		return;
	working_sweep(root_fd);
	hold_sweep(db, root_fd);
	if (something_died(root_fd) && is_quiet(root_fd))
		ignore_result(image_check(db, root_fd, true, say_no_text, NULL, NULL, NULL));
}

void image_sweep_failed(struct db *db, int root_fd)
{
	char id[ID_LEN + 1], name[sizeof(INCOMING_TMP) + 1 + ID_LEN];
	autoclose int mark = -1;

	if (id_new(id) < 0)
		return;
	(void)snprintf(name, sizeof(name), INCOMING_TMP "/%s", id);
	if (dir_ensure_at(root_fd, name, 0700, &mark, NULL) == 0)
		image_sweep(db, root_fd);
}

int image_restore(struct db *db, int root_fd, struct error *err)
{
	int r = catalog_restore(db, root_fd, say_nothing, NULL, err);

	if (r == 0)
		r = index_names_restore(db, root_fd, say_no_name, NULL, err);
	return r < 0 ? r : working_restore(db, root_fd, err);
}
