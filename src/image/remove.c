/* src/image/remove.c - what goes with a name.
 *
 * Rows go first, in one transaction, then files: a kill in between leaves files that nobody knows,
 * which image_check() finds, and never an image whose files are gone.
 */
#include <dirent.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
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
#include "image/event.h"
#include "image/image.h"
#include "image/incoming.h"
#include "image/index.h"
#include "image/layer_info.h"
#include "image/reference.h"
#include "image/remove.h"

#define THREADS_MAX 4U

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

static bool has_row(struct db *db, const char *sql, const char *text)
{
	struct db_rows rows;
	bool has;

	if (db_query(db, &rows, NULL, sql, "s", text) < 0)
		return true;
	has = db_next(&rows);
	return db_finish(&rows) < 0 || has;
}

bool layer_has_owner(struct db *db, const char *chain)
{
	return has_row(db, "SELECT 1 FROM image_layers WHERE chain = ?1 LIMIT 1", chain) ||
	       has_row(db, "SELECT 1 FROM build_steps WHERE chain = ?1 LIMIT 1", chain);
}

bool layer_is_used(struct db *db, const char *chain)
{
	return layer_has_owner(db, chain) ||
	       has_row(db, "SELECT 1 FROM layer_holds WHERE chain = ?1 LIMIT 1", chain);
}

bool blob_is_used(struct db *db, const char *hex)
{
	return has_row(db, "SELECT 1 FROM images WHERE id = ?1", hex) ||
	       has_row(db,
		       "SELECT 1 FROM documents WHERE digest = ?1 AND"
		       " (image IS NOT NULL OR digest IN (SELECT document FROM index_names) OR EXISTS"
		       "  (SELECT 1 FROM document_parts JOIN documents AS m USING (digest)"
		       "   WHERE document = ?1 AND m.image IS NOT NULL))",
		       hex) ||
	       has_row(db,
		       "SELECT 1 FROM layer_blobs JOIN layers USING (diff_id)"
		       " JOIN image_layers USING (chain) WHERE layer_blobs.digest = ?1 LIMIT 1",
		       hex);
}

/* What may go with an image: blobs that it, its documents and its layers have, and layers. */
struct leftovers {
	struct strv blobs, layers;
};

static void leftovers_done(struct leftovers *l)
{
	strv_done(&l->blobs);
	strv_done(&l->layers);
}

static int list_blobs(struct db *db, const char *id, struct strv *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT digest FROM documents WHERE image = ?1 UNION"
			 " SELECT p.document FROM document_parts AS p JOIN documents AS d"
			 "  ON p.digest = d.digest WHERE d.image = ?1 UNION"
			 " SELECT b.digest FROM image_layers JOIN layers USING (chain)"
			 "  JOIN layer_blobs AS b USING (diff_id) WHERE image = ?1",
			 "s", id);

	strv_add(ret, id);
	if (r < 0)
		return r;
	while (db_next(&rows))
		strv_add(ret, db_text(&rows, 0));
	return db_finish(&rows);
}

/* A blob that this layer's tree and frame were goes with it, if no other layer is the same one. */
static int delete_layer_rows(struct db *db, int root_fd, const char *chain, struct error *err)
{
	char diff_id[ID_LEN + 1] = "", other[ID_LEN + 1];
	autofree char *path = NULL;
	struct db_rows rows;
	int64_t size;
	int r = db_query(db, &rows, err, "SELECT diff_id FROM layers WHERE chain = ?1", "s", chain);

	if (r == 0) {
		if (db_next(&rows))
			(void)snprintf(diff_id, sizeof(diff_id), "%s", db_text(&rows, 0));
		r = db_finish(&rows);
	}
	if (r == 0)
		r = db_run(db, err, "DELETE FROM layers WHERE chain = ?1", "s", chain);
	path = xasprintf("blobs/sha256/%s", diff_id);
	if (r < 0 || !diff_id[0] || faccessat(root_fd, path, F_OK, 0) == 0)
		return r;
	r = layer_blob_framed(db, root_fd, diff_id, other, &size, err);
	return r != 0 ? MIN(r, 0)
		      : db_run(db, err, "DELETE FROM layer_blobs WHERE digest = ?1", "s", diff_id);
}

/* The rows of the image, then those that nothing refers to any more. */
static int delete_rows(struct db *db, int root_fd, const struct image *image,
		       const struct leftovers *left, struct error *err)
{
	static const char *const statements[] = {
		"DELETE FROM image_names WHERE image = ?1",
		"DELETE FROM documents WHERE image = ?1",
		"DELETE FROM image_layers WHERE image = ?1",
		"DELETE FROM images WHERE id = ?1",
	};
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(statements); i++)
		r = db_run(db, err, statements[i], "s", image->id);
	for (size_t i = 0; r == 0 && i < left->blobs.n; i++) {
		const char *hex = left->blobs.items[i];

		if (blob_is_used(db, hex))
			continue;
		r = db_run(db, err, "DELETE FROM documents WHERE digest = ?1", "s", hex);
		if (r == 0)
			r = db_run(db, err, "DELETE FROM layer_blobs WHERE digest = ?1", "s", hex);
	}
	for (size_t i = 0; r == 0 && i < left->layers.n; i++)
		if (!layer_is_used(db, left->layers.items[i]))
			r = delete_layer_rows(db, root_fd, left->layers.items[i], err);
	return r;
}

int grave_open(int root_fd, struct grave *ret, struct error *err)
{
	struct grave g = { .root_fd = root_fd, .fd = -1 };
	autoclose int parent = -1;
	char id[ID_LEN + 1];
	int r = explain_dry() ? 0 : id_new(id);

	if (r < 0)
		return error_sys(err, r, "choose a name");
	if (!explain_dry()) {
		(void)snprintf(g.name, sizeof(g.name), INCOMING_TMP "/%s", id);
		r = dir_ensure_at(root_fd, INCOMING_TMP, 0700, &parent, err);
		/* A check takes what has no lock for a dead one's, see incoming.c. */
		if (r == 0 && TEMP_FAILURE_RETRY(flock(parent, LOCK_SH)) < 0)
			r = error_sys(err, -errno, "lock the image store");
		if (r == 0)
			r = dir_ensure_at(root_fd, g.name, 0700, &g.fd, err);
		if (r == 0 && flock(g.fd, LOCK_EX) < 0)
			r = error_sys(err, -errno, "lock the image store");
	}
	if (r < 0) {
		grave_close(&g);
		return r;
	}
	*ret = g;
	return 0;
}

/* Layers, that is trees of thousands of files, by several threads. */
struct burial {
	int fd;
	struct strv names;
	atomic_size_t next;
};

static void *bury(void *data)
{
	struct burial *b = data;
	size_t i;

	while ((i = atomic_fetch_add(&b->next, 1)) < b->names.n)
		ignore_result(dir_remove_at(b->fd, b->names.items[i], NULL));
	return NULL;
}

static void list_dead(int fd, struct strv *ret)
{
	int copy = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = copy >= 0 ? fdopendir(copy) : NULL;
	const struct dirent *entry;

	while (dir && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			strv_add(ret, entry->d_name);
	if (dir)
		(void)closedir(dir);
}

static void bury_all(int fd)
{
	size_t cores = (size_t)MAX(sysconf(_SC_NPROCESSORS_ONLN), 1), n = 0;
	struct burial b = { .fd = fd };
	pthread_t threads[THREADS_MAX];

	list_dead(fd, &b.names);
	while (n + 1 < MIN(MIN(cores, THREADS_MAX), b.names.n) &&
	       pthread_create(&threads[n], NULL, bury, &b) == 0)
		n++;
	(void)bury(&b);
	for (size_t i = 0; i < n; i++)
		(void)pthread_join(threads[i], NULL);
	strv_done(&b.names);
}

void grave_close(struct grave *g)
{
	if (g->fd < 0)
		return;
	bury_all(g->fd);
	ignore_result(dir_remove_at(g->root_fd, g->name, NULL));
	(void)close(g->fd);
	g->fd = -1;
}

/* Out of sight in one step, before its thousands of files go. */
static int delete_layer(const struct grave *g, const char *chain, struct error *err)
{
	autofree char *name = xasprintf("layers/%s", chain), *path = file_path(g->root_fd, name);

	if (explain("a layer that no other image has", "rm -rf %s", sq(path)))
		return 0;
	if (renameat(g->root_fd, name, g->fd, chain) < 0 && errno != ENOENT)
		return error_sys(err, -errno, "remove %s", name);
	return 0;
}

static int delete_blob(int root_fd, const char *hex, struct error *err)
{
	autofree char *name = xasprintf("blobs/sha256/%s", hex), *path = file_path(root_fd, name);

	if (explain("a document or packed layer that nothing refers to", "rm -f %s", sq(path)))
		return 0;
	if (unlinkat(root_fd, name, 0) < 0 && errno != ENOENT)
		return error_sys(err, -errno, "remove %s", name);
	return 0;
}

static int delete_files(struct db *db, const struct grave *grave, const struct image *image,
			const struct leftovers *left, report_fn report, void *data,
			struct error *err)
{
	autofree char *said = xasprintf("Deleted: sha256:%s", image->id);
	int r = 0;

	for (size_t i = left->layers.n; r == 0 && i > 0; i--)
		if (!layer_is_used(db, left->layers.items[i - 1]))
			r = delete_layer(grave, left->layers.items[i - 1], err);
	for (size_t i = 0; r == 0 && i < left->blobs.n; i++)
		if (!blob_is_used(db, left->blobs.items[i]))
			r = delete_blob(grave->root_fd, left->blobs.items[i], err);
	alias_prune(grave->root_fd);
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

static void tell_untagged(int root_fd, const char *id, const char *name)
{
	struct strv names = { 0 };

	strv_add(&names, name);
	image_event(root_fd, "untag", id, &names);
	strv_done(&names);
}

static int remove_name(struct db *db, int root_fd, const char *id, const char *name,
		       report_fn report, void *data, struct error *err)
{
	int r = db_begin(db, err);

	if (r == 0)
		(void)explain_note("one row in state.db, and the catalogue's entry without %s",
				   name);
	if (r == 0)
		r = db_run(db, err, "DELETE FROM image_names WHERE name = ?1", "s", name);
	if (r == 0)
		r = catalog_save(db, root_fd, id, err);
	if (r == 0)
		r = db_commit(db, err);
	db_rollback(db);
	if (r == 0) {
		tell_untagged(root_fd, id, name);
		report_untagged(name, report, data);
	}
	return r;
}

static int remove_whole(struct db *db, int root_fd, const struct image *image, report_fn report,
			void *data, struct error *err)
{
	struct grave grave = { .fd = -1 };
	cleanup(leftovers_done) struct leftovers left = { .blobs = { 0 } };
	char user[128];
	int r = grave_open(root_fd, &grave, err);

	if (r == 0)
		r = db_begin(db, err);
	if (r == 0)
		r = image_user(db, image->id, user, err);
	if (r == 0 && user[0])
		r = error_set(err, -EBUSY,
			      "image %.12s is used by container %s; 'strake rm %s' first",
			      image->id, user, user);
	if (r == 0)
		r = index_user(db, image->id, user, err);
	if (r == 0 && user[0])
		r = error_set(err, -EBUSY,
			      "image %.12s is listed by index %s; 'strake manifest rm %s' first",
			      image->id, user, user);
	if (r == 0)
		r = list_blobs(db, image->id, &left.blobs, err);
	strv_extend(&left.layers, image->layers.items, image->layers.n);
	if (r == 0) {
		(void)explain_note("its rows in state.db go, in one transaction");
		r = delete_rows(db, root_fd, image, &left, err);
	}
	if (r == 0)
		r = catalog_remove(root_fd, image->id, err);
	if (r == 0)
		r = db_commit(db, err);
	db_rollback(db);
	for (size_t i = 0; r == 0 && i < image->names.n; i++) {
		tell_untagged(root_fd, image->id, image->names.items[i]);
		report_untagged(image->names.items[i], report, data);
	}
	if (r == 0)
		image_event(root_fd, "delete", image->id, NULL);
	if (r == 0)
		r = delete_files(db, &grave, image, &left, report, data, err);
	grave_close(&grave);
	return r;
}

/* Loads hold it shared from before they look which layers are there. */
int layers_lock(int root_fd, bool wait)
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
	autoclose int lock = layers_lock(root_fd, true);
	char name[REFERENCE_MAX];
	bool by_name;
	int r = image_find(db, root_fd, what, &image, err);

	(void)lock; /* without layers there is nothing to lock */
	if (r < 0)
		return r;
	by_name = reference_canonical(what, name, NULL) == 0 && strv_has(&image->names, name);
	if (image->names.n > 1 && by_name)
		return remove_name(db, root_fd, image->id, name, report, data, err);
	if (image->names.n > 1 && !force)
		return error_set(err, -EBUSY,
				 "image %.12s has %zu names; remove them by name, or all with "
				 "--force",
				 image->id, image->names.n);
	r = remove_whole(db, root_fd, image, report, data, err);
	/* As Docker has it: forced, an image that a container needs loses its name and stays. */
	return r == -EBUSY && force && by_name
		       ? remove_name(db, root_fd, image->id, name, report, data, err)
		       : r;
}
