/* src/engine/layer_guard.c */
#include "engine/layer_guard.h"

#include <stdbool.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/strv.h"
#include "engine/engine.h"
#include "engine/image_mount.h"
#include "engine/lock.h"
#include "engine/status.h"

static int refuse_container(struct engine *engine, const char *id, struct error *err)
{
	struct status status = { .pid = 0 };

	if (status_read(engine, id, &status, NULL) == 0 && status.kind == STATUS_RUNNING)
		return error_set(err, -EBUSY, "container %.12s runs on it; stop it first", id);
	return error_set(err, -EBUSY,
			 "container %.12s is starting on it, or another command works on it; try "
			 "it again",
			 id);
}

/* A row without files never starts. */
static int lock_idle(struct layer_guard *g, const char *id, struct error *err)
{
	autoclose int fd = -1;
	int r = container_lock(g->engine, id, &fd, err);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return r == -EBUSY ? refuse_container(g->engine, id, err) : r;
	VEC_GROW(g->locks, g->n, g->room);
	g->locks[g->n++] = steal_fd(&fd);
	return 0;
}

/* One container may be on several of the layers. */
static int list_containers(struct layer_guard *g, const char *chain, struct strv *idle,
			   struct strv *active, struct error *err)
{
	struct db_rows rows;
	int r = db_query(engine_db(g->engine), &rows, err,
			 "SELECT DISTINCT c.id, c.active FROM containers c"
			 " JOIN image_layers l ON l.image = c.image WHERE l.chain = ?1",
			 "s", chain);

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		struct strv *to = db_int(&rows, 1) ? active : idle;

		if (!strv_has(to, db_text(&rows, 0)))
			strv_add(to, db_text(&rows, 0));
	}
	return db_finish(&rows);
}

static int lock_containers(struct layer_guard *g, const struct strv *chains, struct error *err)
{
	struct strv idle = { 0 }, active = { 0 };
	int r = 0;

	for (size_t i = 0; r == 0 && i < chains->n; i++)
		r = list_containers(g, chains->items[i], &idle, &active, err);
	if (r == 0 && active.n > 0)
		r = refuse_container(g->engine, active.items[0], err);
	for (size_t i = 0; r == 0 && i < idle.n; i++)
		r = lock_idle(g, idle.items[i], err);
	strv_done(&idle);
	strv_done(&active);
	return r;
}

static int refuse_mounted(struct layer_guard *g, const char *id, const char *chain,
			  struct error *err)
{
	struct db_rows rows;
	bool has;
	int r = db_query(engine_db(g->engine), &rows, err,
			 "SELECT 1 FROM image_layers WHERE image = ?1 AND chain = ?2", "ss", id,
			 chain);

	if (r < 0)
		return r;
	has = db_next(&rows);
	r = db_finish(&rows);
	if (r < 0 || !has)
		return r;
	return error_set(err, -EBUSY, "it is mounted; 'strake image unmount %.12s' first", id);
}

static int take(struct layer_guard *g, const struct strv *chains, struct error *err)
{
	struct strv mounts = { 0 };
	int r = image_mounts_lock(g->engine, &mounts, &g->mounts, err);

	if (r == 0)
		r = db_begin(engine_db(g->engine), err);
	for (size_t i = 0; r == 0 && i < mounts.n; i++)
		for (size_t k = 0; r == 0 && k < chains->n; k++)
			r = refuse_mounted(g, mounts.items[i], chains->items[k], err);
	strv_done(&mounts);
	return r < 0 ? r : lock_containers(g, chains, err);
}

int layer_guard_take(struct engine *engine, const struct strv *chains, struct layer_guard *ret,
		     struct error *err)
{
	struct layer_guard g = { .engine = engine, .mounts = -1 };
	int r = take(&g, chains, err);

	if (r < 0)
		layer_guard_release(&g);
	else
		*ret = g;
	return r;
}

void layer_guard_release(struct layer_guard *g)
{
	if (!g->engine)
		return;
	db_rollback(engine_db(g->engine));
	for (size_t i = 0; i < g->n; i++)
		(void)close(g->locks[i]);
	free(g->locks);
	if (g->mounts >= 0)
		(void)close(g->mounts);
	*g = (struct layer_guard) { .engine = NULL };
}
