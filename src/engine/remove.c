/* src/engine/remove.c */
#include "engine/remove.h"

#include <fcntl.h>
#include <signal.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/explain.h"
#include "base/file.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/lock.h"
#include "engine/schema.h"
#include "engine/status.h"
#include "engine/stop.h"
#include "network/attach.h"

static int remove_run_dir(const struct engine *engine, const char *id, struct error *err)
{
	autofree char *path = container_run_dir(engine, id);

	if (explain("what was only true while it ran", "rm -rf %s", sq(path)))
		return 0;
	return dir_remove_at(AT_FDCWD, path, err);
}

static int remove_dir(const struct engine *engine, const char *id, struct error *err)
{
	autofree char *path = container_dir(engine, id);

	if (explain("its own layer, log and definition", "rm -rf %s", sq(path)))
		return 0;
	return dir_remove_at(AT_FDCWD, path, err);
}

/* What is there only for a run.  The caller says in the database that it has gone. */
static int take_down(struct engine *engine, const char *id, struct error *err)
{
	autofree char *netns = container_netns(engine, id);
	const struct network_site site = engine_network(engine);
	int r = network_detach(&site, id, netns, err);

	return r < 0 ? r : remove_run_dir(engine, id, err);
}

/* Writes nothing if there is no such row. */
static int row_read(struct engine *engine, const char *id, int *active, bool *ret_auto_remove,
		    struct error *err)
{
	struct db_rows rows;
	int r = db_query(engine->db, &rows, err,
			 "SELECT active, auto_remove FROM containers WHERE id = ?1", "s", id);

	if (r < 0)
		return r;
	if (db_next(&rows)) {
		*active = (int)db_int(&rows, 0);
		*ret_auto_remove = db_int(&rows, 1) != 0;
	}
	return db_finish(&rows);
}

int container_discard(struct engine *engine, const char *id, struct error *err)
{
	int active = ACTIVE_REMOVE;
	bool auto_remove;
	int r = row_read(engine, id, &active, &auto_remove, err);

	if (r == 0)
		r = db_run(engine->db, err, "UPDATE containers SET active = ?1 WHERE id = ?2", "is",
			   (int64_t)ACTIVE_REMOVE, id);
	if (r == 0 && active != ACTIVE_IDLE)
		r = take_down(engine, id, err);
	if (r == 0)
		r = remove_dir(engine, id, err);
	if (r == 0)
		r = db_run(engine->db, err, "DELETE FROM containers WHERE id = ?1", "s", id);
	return r < 0 ? error_wrap(err, r, "remove container %.12s", id) : 0;
}

int container_finish_locked(struct engine *engine, const char *id, struct error *err)
{
	bool auto_remove = false;
	int active = ACTIVE_IDLE;
	int r = row_read(engine, id, &active, &auto_remove, err);

	if (r < 0 || active == ACTIVE_IDLE)
		return r;
	if (active == ACTIVE_REMOVE || auto_remove)
		return container_discard(engine, id, err);
	r = take_down(engine, id, err);
	if (r == 0)
		r = db_run(engine->db, err, "UPDATE containers SET active = ?1 WHERE id = ?2", "is",
			   (int64_t)ACTIVE_IDLE, id);
	return r < 0 ? error_wrap(err, r, "finish the run of container %.12s", id) : 0;
}

void container_narrate_groups(const char *id)
{
	(void)explain(
		"nothing runs in its control groups any more",
		"find /sys/fs/cgroup -ignore_readdir_race -depth -type d -path '*/strake/%s*' -delete",
		id);
}

/* A script has ended its first process; the rest is its monitor's, if that is there. */
static int finish_dry(struct engine *engine, const char *id, struct error *err)
{
	autofree char *run_dir = container_run_dir(engine, id);
	struct status status = { .pid = 0 };
	int r = status_read(engine, id, &status, err);

	if (r < 0 || status.kind != STATUS_RUNNING)
		return r < 0 ? r : container_finish_locked(engine, id, err);
	if (status.monitor_pid)
		(void)explain("its monitor clears up after it", "tail -s 0.1 --pid=%d -f /dev/null",
			      status.monitor_pid);
	(void)explain_begin("REST", "without a monitor that is left to do", "[ ! -e %s ] ||",
			    sq(run_dir));
	container_narrate_groups(id);
	r = container_finish_locked(engine, id, err);
	explain_end("REST");
	return r;
}

int container_finish(struct engine *engine, const char *id, struct error *err)
{
	autoclose int lock = -1;
	struct status status = { .pid = 0 };
	int r;

	if (explain_dry())
		return finish_dry(engine, id, err);
	r = container_lock(engine, id, true, &lock, err);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = status_read(engine, id, &status, err);
	if (r < 0 || status.kind == STATUS_RUNNING)
		return r;
	return container_finish_locked(engine, id, err);
}

int container_remove(struct engine *engine, const struct container *c, enum remove_flags flags,
		     struct error *err)
{
	autoclose int lock = -1;
	struct status status = { .pid = 0 };
	int r = status_read(engine, c->id, &status, err);

	if (r == 0 && status.kind == STATUS_RUNNING) {
		if (!(flags & REMOVE_FORCE))
			return error_set(err, -EBUSY,
					 "container %s runs; 'strake stop %s' first, or rm --force",
					 c->name, c->name);
		r = container_stop_with(engine, c, SIGKILL, -1, err);
	}
	/* In a dry run it goes on running, and holds the lock. */
	if (r == 0 && !explain_dry())
		r = container_lock(engine, c->id, true, &lock, err);
	if (r == -ENOENT) /* --rm was faster */
		return 0;
	if (r == 0)
		r = container_discard(engine, c->id, err);
	if (r == 0 && explain_dry())
		(void)explain_note(
			"its row in %s/state.db: 'strake system check --repair' takes it out",
			engine->root);
	return r;
}
