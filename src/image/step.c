/* src/image/step.c */
#include "image/step.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/strv.h"
#include "image/layer_info.h"
#include "image/remove.h"

#define USED_STEP_NS                                                                               \
	3600000000000LL /* the time of last use is kept to the hour: a build writes less */

static void take(char *ret, const char *text)
{
	(void)snprintf(ret, DIGEST_HEX_LEN + 1, "%s", text ? text : "");
}

static bool is_there(int root_fd, const char *chain)
{
	autofree char *dir = xasprintf("layers/%s/diff", chain);

	return !*chain || faccessat(root_fd, dir, F_OK, 0) == 0;
}

static int read_row(struct db *db, const char *key, struct step *ret, int64_t *ret_used,
		    struct error *err)
{
	struct db_rows rows;
	int found = 0;
	int r = db_query(db, &rows, err,
			 "SELECT key, parent, what, reads, chain, created, used FROM build_steps"
			 " WHERE key = ?1",
			 "s", key);

	if (r < 0)
		return r;
	if (db_next(&rows)) {
		take(ret->key, db_text(&rows, 0));
		take(ret->parent, db_text(&rows, 1));
		take(ret->what, db_text(&rows, 2));
		take(ret->reads, db_text(&rows, 3));
		take(ret->chain, db_text(&rows, 4));
		ret->created_ns = db_int(&rows, 5);
		*ret_used = db_int(&rows, 6);
		found = 1;
	}
	r = db_finish(&rows);
	return r < 0 ? r : found;
}

int step_find(struct db *db, int root_fd, const char *key, struct step *ret, bool *ret_found,
	      struct error *err)
{
	struct step step = { .created_ns = 0 };
	int64_t used = 0, now = clock_now_ns();
	int r = read_row(db, key, &step, &used, err);

	if (r < 0)
		return r;
	*ret_found = r > 0 && is_there(root_fd, step.chain);
	if (!*ret_found)
		return 0;
	*ret = step;
	if (now - used < USED_STEP_NS)
		return 0;
	return db_run(db, err, "UPDATE build_steps SET used = ?1 WHERE key = ?2", "is", now, key);
}

int step_chain(struct db *db, const char *key, char ret[DIGEST_HEX_LEN + 1], struct error *err)
{
	struct step step;
	int64_t used;
	int r = read_row(db, key, &step, &used, err);

	take(ret, r > 0 ? step.chain : "");
	return MIN(r, 0);
}

int step_insert(struct db *db, const struct step *step, const struct layer_info *info,
		struct error *err)
{
	int r = db_begin(db, err);

	if (r == 0 && info)
		r = layer_info_insert(db, step->chain, info, err);
	if (r == 0)
		r = db_run(db, err,
			   "INSERT OR REPLACE INTO build_steps"
			   " (key, parent, what, reads, chain, created, used)"
			   " VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
			   "sssssii", step->key, step->parent, step->what, step->reads, step->chain,
			   step->created_ns, clock_now_ns());
	if (r == 0)
		r = db_commit(db, err);
	db_rollback(db);
	return r;
}

int step_same(struct db *db, const char *key, struct step_rows *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT b.key, b.parent, b.what, b.reads, b.chain, b.created"
			 " FROM build_steps AS a JOIN build_steps AS b ON b.parent = a.parent"
			 " AND b.what = a.what AND b.reads = a.reads AND b.chain = a.chain"
			 " WHERE a.key = ?1 ORDER BY b.key",
			 "s", key);

	while (r == 0 && db_next(&rows)) {
		struct step *step;

		VEC_GROW(ret->items, ret->n, ret->room);
		step = &ret->items[ret->n++];
		take(step->key, db_text(&rows, 0));
		take(step->parent, db_text(&rows, 1));
		take(step->what, db_text(&rows, 2));
		take(step->reads, db_text(&rows, 3));
		take(step->chain, db_text(&rows, 4));
		step->created_ns = db_int(&rows, 5);
	}
	return r < 0 ? r : db_finish(&rows);
}

static int count(struct db *db, const char *sql, const char *first, const char *second,
		 int64_t *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, sql, "ss", first, second);

	if (r < 0)
		return r;
	*ret = db_next(&rows) ? db_int(&rows, 0) : 0;
	return db_finish(&rows);
}

int step_why(struct db *db, const struct step *step, enum step_miss *ret, struct error *err)
{
	int64_t same = 0, here = 0, elsewhere = 0;
	int r = count(db, "SELECT count(*) FROM build_steps WHERE key = ?1 AND ?2 IS NOT NULL",
		      step->key, step->what, &same, err);

	if (r == 0)
		r = count(db, "SELECT count(*) FROM build_steps WHERE what = ?1 AND parent = ?2",
			  step->what, step->parent, &here, err);
	if (r == 0)
		r = count(db, "SELECT count(*) FROM build_steps WHERE what = ?1 AND parent <> ?2",
			  step->what, step->parent, &elsewhere, err);
	if (r == 0)
		*ret = same ? STEP_PRUNED : here ? STEP_READS : elsewhere ? STEP_PARENT : STEP_NEW;
	return r;
}

/* pruning */

struct row {
	char key[DIGEST_HEX_LEN + 1], chain[DIGEST_HEX_LEN + 1];
};

struct rows {
	struct row *items;
	size_t n, room;
};

/* The most lately used first; what is within keep_bytes is passed over. */
static int choose(struct db *db, const struct step_prune *prune, struct rows *ret,
		  struct error *err)
{
	struct db_rows rows;
	int64_t kept = 0;
	int r = db_query(db, &rows, err,
			 "SELECT key, b.chain, coalesce(l.disk, 0) FROM build_steps AS b"
			 " LEFT JOIN layers AS l ON l.chain = b.chain"
			 " WHERE used < ?1 ORDER BY used DESC",
			 "i", prune->unused_since_ns);

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		kept += db_int(&rows, 2);
		if (kept <= prune->keep_bytes)
			continue;
		VEC_GROW(ret->items, ret->n, ret->room);
		take(ret->items[ret->n].key, db_text(&rows, 0));
		take(ret->items[ret->n++].chain, db_text(&rows, 1));
	}
	return db_finish(&rows);
}

static int layer_disk(struct db *db, const char *chain, int64_t *ret, struct error *err)
{
	return count(db, "SELECT disk FROM layers WHERE chain = ?1 AND ?2 IS NOT NULL", chain,
		     chain, ret, err);
}

static int forget_layer(struct db *db, const char *chain, struct strv *gone,
			struct step_prune *prune, struct error *err)
{
	int64_t bytes = 0;
	int r;

	if (!*chain || layer_is_used(db, chain) || strv_has(gone, chain))
		return 0;
	r = layer_disk(db, chain, &bytes, err);
	if (r == 0)
		r = db_run(db, err, "DELETE FROM layers WHERE chain = ?1", "s", chain);
	if (r == 0) {
		strv_add(gone, chain);
		prune->bytes += bytes;
	}
	return r;
}

static int forget(struct db *db, const struct rows *rows, struct strv *gone,
		  struct step_prune *prune, struct error *err)
{
	int r = db_begin(db, err);

	for (size_t i = 0; r == 0 && i < rows->n; i++)
		r = db_run(db, err, "DELETE FROM build_steps WHERE key = ?1", "s",
			   rows->items[i].key);
	for (size_t i = 0; r == 0 && i < rows->n; i++)
		r = forget_layer(db, rows->items[i].chain, gone, prune, err);
	if (r == 0)
		r = db_commit(db, err);
	db_rollback(db);
	prune->steps = r == 0 ? (int64_t)rows->n : 0;
	return r;
}

/* Rows first, then files, as in remove.c. */
int step_prune(struct db *db, int root_fd, struct step_prune *prune, struct error *err)
{
	autoclose int lock = layers_lock(root_fd, true);
	struct grave grave = { .fd = -1 };
	struct strv gone = { 0 };
	struct rows rows = { NULL, 0, 0 };
	int r = grave_open(root_fd, &grave, err);

	(void)lock; /* without layers there is nothing to lock */
	prune->steps = prune->bytes = 0;
	if (r == 0)
		r = choose(db, prune, &rows, err);
	if (r == 0)
		r = forget(db, &rows, &gone, prune, err);
	for (size_t i = 0; r == 0 && i < gone.n; i++) {
		autofree char *name = xasprintf("layers/%s", gone.items[i]);

		if (renameat(root_fd, name, grave.fd, gone.items[i]) < 0 && errno != ENOENT)
			r = error_sys(err, -errno, "remove %s", name);
	}
	grave_close(&grave);
	free(rows.items);
	strv_done(&gone);
	return r;
}
