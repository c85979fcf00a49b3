/* src/engine/usage.c */
#include "engine/usage.h"

#include <fcntl.h>
#include <stdbool.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/strv.h"
#include "base/walk.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/status.h"
#include "engine/volume_store.h"
#include "image/layer_info.h"
#include "image/usage.h"
#include "image/working.h"

#define BLOCK 512 /* of st_blocks */

struct measuring {
	struct engine *engine;
	struct usage *usage;
	struct strv used; /* volumes of all containers */
};

const char *usage_name(enum usage_kind kind)
{
	static const char *const names[] = { [USAGE_IMAGES] = "Images",
					     [USAGE_CONTAINERS] = "Containers",
					     [USAGE_VOLUMES] = "Volumes",
					     [USAGE_BUILD_CACHE] = "Build cache",
					     [USAGE_RECORDS] = "Records" };

	return names[kind];
}

static int number_of(struct db *db, const char *sql, int64_t *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, sql, "");

	if (r < 0)
		return r;
	if (db_next(&rows))
		*ret = db_int(&rows, 0);
	return db_finish(&rows);
}

static int number_for(struct db *db, const char *sql, const char *key, int64_t *ret,
		      struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, sql, "s", key);

	if (r < 0)
		return r;
	if (db_next(&rows))
		*ret = db_int(&rows, 0);
	return db_finish(&rows);
}

static void add(struct usage *usage, enum usage_kind kind, int64_t bytes, bool needed)
{
	usage->parts[kind].bytes += bytes;
	if (!needed)
		usage->parts[kind].reclaimable += bytes;
}

static int tree_bytes(const struct walk_entry *e, int64_t *ret, struct error *err)
{
	autoclose int dir =
		openat(e->dir, e->name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (dir < 0)
		return error_sys(err, -errno, "open %s", e->path);
	return disk_usage(dir, ret, err);
}

/* "layers/CHAIN...": whose is it, and does a container use that? */
static int layer_is_needed(struct db *db, const char *path, bool *ret, enum usage_kind *ret_kind,
			   struct error *err)
{
	autofree char *chain = xstrdup(path + strlen("layers/"));
	int64_t n = 0;
	int r;

	chain[strcspn(chain, "/")] = '\0';
	r = number_for(db,
		       "SELECT (SELECT count(*) FROM image_layers l JOIN containers c"
		       "  ON c.image = l.image WHERE l.chain = ?1) +"
		       " (SELECT count(*) FROM layer_holds WHERE chain = ?1)",
		       chain, &n, err);
	*ret = n > 0;
	n = 1;
	if (r == 0)
		r = number_for(db,
			       "SELECT (SELECT count(*) FROM image_layers WHERE chain = ?1) +"
			       " (SELECT count(*) = 0 FROM build_steps WHERE chain = ?1)",
			       chain, &n, err);
	*ret_kind = n ? USAGE_IMAGES : USAGE_BUILD_CACHE;
	return r;
}

static int blob_is_needed(struct db *db, const char *hex, bool *ret, struct error *err)
{
	int64_t n = 0;
	int r = number_for(
		db,
		"SELECT (SELECT count(*) FROM containers WHERE image = ?1) +"
		" (SELECT count(*) FROM documents d JOIN containers c ON c.image = d.image"
		"  WHERE d.digest = ?1) +"
		" (SELECT count(*) FROM layer_blobs b JOIN layers l USING (diff_id)"
		"  JOIN image_layers i ON i.chain = l.chain JOIN containers c ON c.image = i.image"
		"  WHERE b.digest = ?1)",
		hex, &n, err);

	*ret = n > 0;
	return r;
}

/* What the row says of a layer's directory and its tree; -1 if it has none yet. */
static int known_bytes(struct db *db, const char *path, int64_t *ret, struct error *err)
{
	autofree char *chain = xstrdup(path + strlen("layers/"));

	chain[strcspn(chain, "/")] = '\0';
	*ret = -1;
	return number_for(db, "SELECT disk FROM layers WHERE chain = ?1", chain, ret, err);
}

static int measure_layer(struct measuring *m, const struct walk_entry *e, struct error *err)
{
	bool is_top = !strchr(e->path + strlen("layers/"), '/'), needed = true;
	bool is_tree = !is_top && strcmp(e->name, "diff") == 0;
	int64_t bytes = (int64_t)e->st.st_blocks * BLOCK, known = -1;
	enum usage_kind kind = USAGE_IMAGES;
	int r = layer_is_needed(m->engine->db, e->path, &needed, &kind, err);

	if (r == 0)
		r = known_bytes(m->engine->db, e->path, &known, err);
	if (r == 0 && is_top && known >= 0)
		bytes = known;
	else if (r == 0 && known >= 0 && !is_top && strcmp(e->name, LAYER_FRAME) == 0)
		return 0; /* it was there when the row's number was found */
	else if (r == 0 && is_tree && known >= 0)
		return WALK_SKIP;
	else if (r == 0 && is_tree)
		r = tree_bytes(e, &bytes, err);
	if (r < 0)
		return r;
	add(m->usage, kind, bytes, needed);
	return is_tree ? WALK_SKIP : 0;
}

static int measure_container(struct measuring *m, const struct walk_entry *e, struct error *err)
{
	struct status status = { .pid = 0 };
	int64_t bytes = 0;
	bool runs;
	int r = tree_bytes(e, &bytes, err);

	if (r < 0)
		return r;
	runs = status_read(m->engine, e->name, &status, NULL) == 0 && status.kind == STATUS_RUNNING;
	m->usage->parts[USAGE_CONTAINERS].total++;
	m->usage->parts[USAGE_CONTAINERS].active += runs;
	add(m->usage, USAGE_CONTAINERS, bytes, runs);
	return WALK_SKIP;
}

/* Nothing runs there, but only its owner can say that it is not needed. */
static int measure_working(struct measuring *m, const struct walk_entry *e, struct error *err)
{
	int64_t bytes = 0;
	int r = tree_bytes(e, &bytes, err);

	if (r < 0)
		return r;
	m->usage->parts[USAGE_CONTAINERS].total++;
	add(m->usage, USAGE_CONTAINERS, bytes, true);
	return WALK_SKIP;
}

static int measure_volume(struct measuring *m, const struct walk_entry *e, struct error *err)
{
	bool used = strv_has(&m->used, e->name);
	int64_t bytes = 0;
	int r = tree_bytes(e, &bytes, err);

	if (r < 0)
		return r;
	m->usage->parts[USAGE_VOLUMES].total++;
	m->usage->parts[USAGE_VOLUMES].active += used;
	add(m->usage, USAGE_VOLUMES, bytes, used);
	return WALK_SKIP;
}

static bool is_below(const char *path, const char *folder)
{
	size_t len = strlen(folder);

	return strncmp(path, folder, len) == 0 && path[len] == '/';
}

static int measure(void *data, const struct walk_entry *e, struct error *err)
{
	struct measuring *m = data;
	bool needed = true;
	int r = 0;

	if (is_below(e->path, "layers"))
		return measure_layer(m, e, err);
	if (is_below(e->path, "containers"))
		return measure_container(m, e, err);
	if (is_below(e->path, WORKING_DIR) && S_ISDIR(e->st.st_mode))
		return measure_working(m, e, err);
	if (is_below(e->path, "volumes") && S_ISDIR(e->st.st_mode))
		return measure_volume(m, e, err);
	if (is_below(e->path, "blobs/sha256")) {
		r = blob_is_needed(m->engine->db, e->name, &needed, err);
		add(m->usage, USAGE_IMAGES, (int64_t)e->st.st_blocks * BLOCK, needed);
		return r;
	}
	/* The journal of the database is there only while somebody (we) has it open. */
	if (strcmp(e->path, "state.db-wal") != 0 && strcmp(e->path, "state.db-shm") != 0)
		add(m->usage, USAGE_RECORDS, (int64_t)e->st.st_blocks * BLOCK, true);
	return 0;
}

static int note_volumes(struct measuring *m, struct error *err)
{
	cleanup(volume_list_done) struct volume_list list = { .n = 0 };
	int r = volume_list(m->engine, &list, err);

	for (size_t i = 0; r == 0 && i < list.n; i++)
		if (list.items[i].users.n)
			strv_add(&m->used, list.items[i].name);
	return r;
}

int usage_read(struct engine *engine, struct usage *ret, struct error *err)
{
	struct usage usage = { 0 };
	struct measuring m = { .engine = engine, .usage = &usage };
	struct usage_part *images = &usage.parts[USAGE_IMAGES];
	int r = note_volumes(&m, err);

	if (r == 0)
		r = number_of(engine->db, "SELECT count(*) FROM images", &images->total, err);
	if (r == 0)
		r = number_of(engine->db,
			      "SELECT count(DISTINCT image) FROM containers WHERE image IN"
			      " (SELECT id FROM images)",
			      &images->active, err);
	if (r == 0)
		r = number_of(engine->db, "SELECT count(DISTINCT chain) FROM build_steps",
			      &usage.parts[USAGE_BUILD_CACHE].total, err);
	if (r == 0)
		r = walk_tree(engine->root_fd, measure, NULL, &m, err);
	strv_done(&m.used);
	if (r == 0)
		*ret = usage;
	return r;
}
