/* src/image/hold.c */
#include "image/hold.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/explain.h"
#include "base/strv.h"
#include "image/remove.h"

#define OF_PROCESS "build "

int hold_name(char ret[HOLD_NAME_LEN], struct error *err)
{
	char boot[BOOT_ID_LEN + 1];
	uint64_t start = 0;
	int r = boot_id(boot, err);

	if (r < 0)
		return r;
	r = process_start_time(getpid(), &start);
	if (r < 0)
		return error_sys(err, r, "read our own start time");
	(void)snprintf(ret, HOLD_NAME_LEN, OF_PROCESS "%s %d %llu", boot, getpid(),
		       (unsigned long long)start);
	return 0;
}

static bool is_alive(int root_fd, const char *name, const char *boot)
{
	char was[BOOT_ID_LEN + 1];
	unsigned long long start;
	int pid;

	if (strncmp(name, OF_PROCESS, strlen(OF_PROCESS)) != 0)
		return faccessat(root_fd, name, F_OK, 0) == 0; /* a directory of the store */
	return sscanf(name, OF_PROCESS "%36s %d %llu", was, &pid, &start) == 3 &&
	       strcmp(was, boot) == 0 && process_is_alive(pid, start);
}

static int has_row(struct db *db, const char *sql, const char *one, const char *two, bool *ret,
		   struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, sql, "ss", one, two);

	if (r < 0)
		return r;
	*ret = db_next(&rows);
	return db_finish(&rows);
}

int hold_has(struct db *db, const char *name, const char *chain, bool *ret, struct error *err)
{
	return has_row(db, "SELECT 1 FROM layer_holds WHERE name = ?1 AND chain = ?2", name, chain,
		       ret, err);
}

/* The row goes in the transaction that decides about the layer (remove.c), the files later. */
static int add_one(struct db *db, const char *name, const char *chain, struct error *err)
{
	bool is_there = false;
	int r = has_row(db,
			"SELECT 1 FROM layers WHERE chain = ?1 AND ?2 IS NOT NULL UNION"
			" SELECT 1 FROM image_layers WHERE chain = ?1",
			chain, name, &is_there, err);

	if (r == 0 && !is_there)
		r = error_set(err, -ENOENT, "layer %.12s was removed meanwhile", chain);
	if (r == 0)
		r = db_run(db, err,
			   "INSERT OR IGNORE INTO layer_holds (name, chain) VALUES (?1, ?2)", "ss",
			   name, chain);
	return r;
}

static bool has_all(struct db *db, const char *name, const struct strv *chains)
{
	bool has = true;

	for (size_t i = 0; has && i < chains->n; i++)
		if (hold_has(db, name, chains->items[i], &has, NULL) < 0)
			has = false;
	return has;
}

int hold_add(struct db *db, const char *name, const struct strv *chains, struct error *err)
{
	int r;

	/* The usual case writes nothing. */
	if (has_all(db, name, chains))
		return 0;
	r = db_begin(db, err);
	for (size_t i = 0; r == 0 && i < chains->n; i++)
		r = add_one(db, name, chains->items[i], err);
	if (r == 0)
		r = db_commit(db, err);
	db_rollback(db);
	return r;
}

/* letting go */

static int list(struct db *db, const char *sql, const char *name, struct strv *ret,
		struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, sql, "s", name);

	if (r < 0)
		return r;
	while (db_next(&rows))
		strv_add(ret, db_text(&rows, 0));
	return db_finish(&rows);
}

static bool may_go(struct db *db, const char *chain, const char *name)
{
	bool is_held = true;

	return has_row(db, "SELECT 1 FROM layer_holds WHERE chain = ?1 AND name <> ?2", chain, name,
		       &is_held, NULL) == 0 &&
	       !is_held && !layer_has_owner(db, chain);
}

static int forget(struct db *db, const char *name, const struct strv *chains, struct strv *ret_gone,
		  struct error *err)
{
	int r = db_begin(db, err);

	for (size_t i = 0; r == 0 && i < chains->n; i++) {
		const char *chain = chains->items[i];

		if (may_go(db, chain, name)) {
			strv_add(ret_gone, chain);
			r = db_run(db, err, "DELETE FROM layers WHERE chain = ?1", "s", chain);
		}
		if (r == 0)
			r = db_run(db, err,
				   "DELETE FROM layer_holds WHERE name = ?1 AND chain = ?2", "ss",
				   name, chain);
	}
	if (r == 0)
		r = db_commit(db, err);
	db_rollback(db);
	return r;
}

/* Rows first, then files, as in remove.c. */
static int bury(struct db *db, int root_fd, const char *name, const struct strv *chains,
		struct error *err)
{
	struct grave grave = { .fd = -1 };
	struct strv gone = { 0 };
	int r = grave_open(root_fd, &grave, err);

	if (r == 0)
		r = forget(db, name, chains, &gone, err);
	for (size_t i = 0; r == 0 && i < gone.n; i++) {
		autofree char *path = xasprintf("layers/%s", gone.items[i]);

		if (renameat(root_fd, path, grave.fd, gone.items[i]) < 0 && errno != ENOENT)
			r = error_sys(err, -errno, "remove %s", path);
	}
	grave_close(&grave);
	strv_done(&gone);
	return r;
}

static int list_going(struct db *db, const char *name, const struct strv *keep,
		      struct strv *ret_going, bool *ret_files, struct error *err)
{
	struct strv all = { 0 };
	int r = list(db, "SELECT chain FROM layer_holds WHERE name = ?1", name, &all, err);

	*ret_files = false;
	for (size_t i = 0; r == 0 && i < all.n; i++) {
		if (keep && strv_has(keep, all.items[i]))
			continue;
		strv_add(ret_going, all.items[i]);
		*ret_files |= may_go(db, all.items[i], name);
	}
	strv_done(&all);
	return r;
}

int hold_release(struct db *db, int root_fd, const char *name, const struct strv *keep,
		 struct error *err)
{
	struct strv going = { 0 }, gone = { 0 };
	autoclose int lock = -1;
	bool files;
	int r = list_going(db, name, keep, &going, &files, err);

	if (r == 0 && files)
		lock = layers_lock(root_fd, false);
	if (r == 0 && files && lock >= 0)
		r = bury(db, root_fd, name, &going, err);
	else if (r == 0 && !files && going.n)
		r = forget(db, name, &going, &gone, err);
	strv_done(&going);
	strv_done(&gone);
	return r;
}

void hold_sweep(struct db *db, int root_fd)
{
	struct strv names = { 0 };
	char boot[BOOT_ID_LEN + 1];

	if (explain_dry() || boot_id(boot, NULL) < 0 ||
	    list(db, "SELECT DISTINCT name FROM layer_holds WHERE name > ?1", "", &names, NULL) < 0)
		return;
	for (size_t i = 0; i < names.n; i++)
		if (!is_alive(root_fd, names.items[i], boot))
			ignore_result(hold_release(db, root_fd, names.items[i], NULL, NULL));
	strv_done(&names);
}
