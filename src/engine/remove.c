/* src/engine/remove.c */
#include "engine/remove.h"

#include <fcntl.h>
#include <signal.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/lock.h"
#include "engine/schema.h"
#include "engine/status.h"
#include "kernel/cgroup.h"
#include "network/attach.h"
#include "runtime/instance.h"
#include "runtime/spec.h"

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

static bool ended_well(const struct engine *engine, const char *id)
{
	autofree char *live = xasprintf("containers/%s/live.json", id);
	autofree char *ended = xasprintf("containers/%s/exit.json", id);

	return faccessat(engine->run_fd, live, F_OK, 0) < 0 &&
	       faccessat(engine->root_fd, ended, F_OK, 0) == 0;
}

static int end_usual_group(const char *dir, const char *id, struct error *err)
{
	autofree char *path = xasprintf("/strake/%s", id);
	struct cgroup cg = { 0 };
	int r = 0;

	if (cgroup_open(path, &cg, NULL) < 0)
		return 0;
	if (!cgroup_has_other_owner(&cg, dir))
		r = cgroup_remove(&cg, err);
	cgroup_close(&cg);
	return r;
}

/* What its monitor did not live to do: the groups, and all that runs in them, and the record. */
static int end_groups(const struct engine *engine, const char *id, struct error *err)
{
	autofree char *dir = container_dir(engine, id);
	cleanup(spec_cleanup) struct spec *spec = NULL;

	if (explain_dry() || ended_well(engine, id))
		return 0;
	/* Without a definition that can be read they are where they usually are. */
	if (spec_load(dir, &spec, NULL) < 0)
		return end_usual_group(dir, id, err);
	return instance_cleanup(spec, id, err);
}

static void record_end(const struct engine *engine, const char *id)
{
	autofree char *path = xasprintf("containers/%s/exit.json", id);
	cleanup(json_cleanup) json_t *doc = NULL;
	char now[CLOCK_TEXT_LEN];

	if (explain_dry() || faccessat(engine->root_fd, path, F_OK, 0) == 0)
		return;
	clock_format(clock_now_ns(), now);
	doc = json_pack("{s:i, s:b, s:s}", "exitCode", -1, "oomKilled", 0, "finishedAt", now);
	ignore_result(json_save_at(engine->root_fd, path, doc, true, NULL));
}

struct row {
	int active; /* ACTIVE_IDLE for one that is gone */
	int removal;
	bool maker_lives;
};

static int row_read(struct engine *engine, const char *id, struct row *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(engine->db, &rows, err,
			 "SELECT active, auto_remove, maker, maker_start FROM containers"
			 " WHERE id = ?1",
			 "s", id);

	if (r < 0)
		return r;
	*ret = (struct row) { .active = ACTIVE_IDLE };
	if (db_next(&rows))
		*ret = (struct row) { .active = (int)db_int(&rows, 0),
				      .removal = (int)db_int(&rows, 1),
				      .maker_lives = process_is_alive((pid_t)db_int(&rows, 2),
								      (uint64_t)db_int(&rows, 3)) };
	return db_finish(&rows);
}

int container_discard(struct engine *engine, const char *id, struct error *err)
{
	autofree char *netns = container_netns(engine, id);
	const struct network_site site = engine_network(engine);
	cleanup(container_cleanup) struct container *c = NULL;
	struct row row = { .active = ACTIVE_IDLE };
	bool is_up;
	int r = row_read(engine, id, &row, err);

	if (r == 0 && !explain_dry())
		ignore_result(container_load(engine, id, &c, NULL));
	if (r == 0 && row.active == ACTIVE_RUN)
		container_event_end(engine, id);
	/* In a script that ended its run before, nothing of that is left to say. */
	is_up = !explain_dry() || row.active != ACTIVE_IDLE;
	if (r == 0)
		r = db_run(engine->db, err, "UPDATE containers SET active = ?1 WHERE id = ?2", "is",
			   (int64_t)ACTIVE_REMOVE, id);
	if (r == 0)
		r = end_groups(engine, id, err);
	if (r == 0 && is_up)
		network_events(engine, "disconnect", id);
	if (r == 0 && is_up)
		r = network_detach(&site, id, netns, err);
	if (r == 0 && is_up)
		r = remove_run_dir(engine, id, err);
	if (r == 0)
		r = remove_dir(engine, id, err);
	if (r == 0)
		r = db_run(engine->db, err, "DELETE FROM containers WHERE id = ?1", "s", id);
	if (r == 0 && c)
		container_event(engine, c, "destroy", NULL, NULL);
	if ((r == -EACCES || r == -EPERM) && geteuid() != 0)
		return error_wrap(err, r, "remove container %.12s, which needs root", id);
	return r < 0 ? error_wrap(err, r, "remove container %.12s", id) : 0;
}

int container_finish_locked(struct engine *engine, const char *id, struct error *err)
{
	autofree char *netns = container_netns(engine, id);
	const struct network_site site = engine_network(engine);
	struct row row;
	int r = row_read(engine, id, &row, err);
	bool is_kept = r == 0 && row.removal == REMOVAL_TIED && row.maker_lives;

	if (r < 0 || row.active == ACTIVE_IDLE)
		return r;
	if (row.active == ACTIVE_REMOVE || (row.removal != REMOVAL_NONE && !is_kept))
		return container_discard(engine, id, err);
	if (row.active == ACTIVE_KEPT)
		return 0;
	r = end_groups(engine, id, err);
	record_end(engine, id);
	container_event_end(engine, id);
	network_events(engine, "disconnect", id);
	if (r == 0)
		r = network_detach(&site, id, netns, err);
	if (r == 0)
		r = remove_run_dir(engine, id, err);
	if (r == 0)
		r = db_run(engine->db, err, "UPDATE containers SET active = ?1 WHERE id = ?2", "is",
			   (int64_t)(is_kept ? ACTIVE_KEPT : ACTIVE_IDLE), id);
	return r < 0 ? error_wrap(err, r, "finish the run of container %.12s", id) : 0;
}

void container_narrate_groups(const char *id)
{
	(void)explain(
		"nothing runs in its control groups any more",
		"find /sys/fs/cgroup -ignore_readdir_race -depth -type d -path '*/strake/%s*' "
		"-delete",
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
	r = container_lock_ended(engine, id, &lock, err);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = status_read(engine, id, &status, err);
	if (r < 0 || status.kind == STATUS_RUNNING)
		return r;
	return container_finish_locked(engine, id, err);
}

struct removing {
	struct engine *engine;
	struct container *const *all;
	ended_fn removed;
	void *data;
};

static int remove_ended(struct engine *engine, const char *id, struct error *err)
{
	autoclose int lock = -1;
	/* In a dry run it goes on running, and holds the lock. */
	int r = explain_dry() ? finish_dry(engine, id, err)
			      : container_lock_ended(engine, id, &lock, err);

	if (r == -ENOENT) /* --rm was faster */
		return 0;
	if (r == 0)
		r = container_discard(engine, id, err);
	if (r == 0)
		(void)explain_note("its row in %s/state.db goes, too; after a script "
				   "'strake system check --repair' takes it out",
				   engine->root);
	return r;
}

static void remove_one(void *data, size_t i, int r, const struct error *err)
{
	const struct removing *rm = data;
	struct error failure = { 0 };

	if (r < 0) {
		rm->removed(rm->data, i, r, err);
		return;
	}
	r = remove_ended(rm->engine, rm->all[i]->id, &failure);
	rm->removed(rm->data, i, r, &failure);
}

static int check_ended(const struct engine *engine, const struct container *c, struct error *err)
{
	struct status status = { .pid = 0 };
	int r = status_read(engine, c->id, &status, err);

	if (r == 0 && status.kind == STATUS_RUNNING)
		return error_set(err, -EBUSY,
				 "container %s runs; 'strake stop %s' first, or rm --force",
				 c->name, c->name);
	return r;
}

void containers_remove(struct engine *engine, struct container *const *all, size_t n,
		       enum remove_flags flags, ended_fn removed, void *data)
{
	const struct stop_plan plan = { .sig = SIGKILL };
	struct removing rm = { engine, all, removed, data };

	if (flags & REMOVE_FORCE) {
		containers_end(engine, all, n, &plan, remove_one, &rm);
		return;
	}
	for (size_t i = 0; i < n; i++) {
		struct error err = { 0 };

		remove_one(&rm, i, check_ended(engine, all[i], &err), &err);
	}
}

struct outcome {
	int r;
	struct error *err;
};

static void take_outcome(void *data, size_t i, int r, const struct error *err)
{
	struct outcome *outcome = data;

	(void)i;
	outcome->r = r;
	if (r < 0 && outcome->err)
		*outcome->err = *err;
}

int container_remove(struct engine *engine, struct container *c, enum remove_flags flags,
		     struct error *err)
{
	struct outcome outcome = { 0, err };

	containers_remove(engine, &c, 1, flags, take_outcome, &outcome);
	return outcome.r;
}
