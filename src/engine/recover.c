/* src/engine/recover.c */
#include "engine/recover.h"

#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "base/process.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/lock.h"
#include "engine/remove.h"
#include "engine/schema.h"
#include "engine/status.h"
#include "image/image.h"
#include "kernel/cgroup.h"
#include "network/attach.h"
#include "network/check.h"
#include "network/cni_record.h"
#include "network/create.h"
#include "network/names_server.h"
#include "runtime/instance.h"
#include "runtime/spec.h"

#define KILL_MS 5000 /* for the kernel to end one that was killed */

/* recover_dead */

struct active {
	char id[ID_LEN + 1];
	enum container_active state;
	bool this_boot, is_tied;
	pid_t maker;
	uint64_t maker_start;
};

/* Its end comes with its maker's, whoever else died. */
static bool is_orphan(const struct active *a)
{
	return a->is_tied && (!a->this_boot || !process_is_alive(a->maker, a->maker_start));
}

static void kill_init(const struct status *status)
{
	struct pollfd p = { .fd = -1, .events = POLLIN };

	if (status->kind != STATUS_RUNNING ||
	    process_open(status->pid, status->start_time, &p.fd) < 0)
		return;
	if (syscall(SYS_pidfd_send_signal, p.fd, SIGKILL, NULL, 0) == 0)
		(void)poll(&p, 1, KILL_MS);
	(void)close(p.fd);
}

/* The caller holds its lock. */
static void recover_locked(struct engine *engine, const struct active *a)
{
	struct status status = { .pid = 0 };

	if (is_orphan(a)) {
		if (status_read(engine, a->id, &status, NULL) == 0)
			kill_init(&status);
		ignore_result(container_discard(engine, a->id, NULL));
		return;
	}
	if (a->state == ACTIVE_KEPT)
		return;
	if (a->state == ACTIVE_REMOVE) {
		ignore_result(container_discard(engine, a->id, NULL));
		return;
	}
	if (status_read(engine, a->id, &status, NULL) < 0)
		return;
	if (status.kind == STATUS_RUNNING) /* only its monitor died: it runs on, unsupervised */
		return;
	if (a->this_boot && !container_was_started(engine, a->id)) {
		ignore_result(container_discard(engine, a->id, NULL));
		return;
	}
	ignore_result(container_finish_locked(engine, a->id, NULL));
}

static void recover_one(struct engine *engine, const struct active *a)
{
	autoclose int lock = -1;
	int r = container_lock(engine, a->id, &lock, NULL);

	if (r == -ENOENT && (!a->this_boot || !process_is_alive(a->maker, a->maker_start)))
		ignore_result(container_discard(engine, a->id, NULL));
	else if (r == 0)
		recover_locked(engine, a);
}

static int active_list(struct engine *engine, struct active **ret, size_t *ret_n)
{
	struct active *list = NULL;
	size_t n = 0, room = 0;
	struct db_rows rows;
	char boot[BOOT_ID_LEN + 1];
	int r = db_query(engine->db, &rows, NULL,
			 "SELECT id, active, boot, maker, maker_start, auto_remove FROM containers"
			 " WHERE active <> 0",
			 "");

	if (r < 0)
		return r;
	boot[0] = '\0';
	while (db_next(&rows)) {
		const char *row_boot = db_text(&rows, 2);

		if (!boot[0] && boot_id(boot, NULL) < 0)
			break;
		VEC_GROW(list, n, room);
		(void)snprintf(list[n].id, sizeof(list[n].id), "%s", db_text(&rows, 0));
		list[n].state = (enum container_active)db_int(&rows, 1);
		list[n].this_boot = row_boot && strcmp(row_boot, boot) == 0;
		list[n].maker = (pid_t)db_int(&rows, 3);
		list[n].maker_start = (uint64_t)db_int(&rows, 4);
		list[n].is_tied = db_int(&rows, 5) == REMOVAL_TIED;
		n++;
	}
	*ret = list;
	*ret_n = n;
	return db_finish(&rows);
}

static void note_revived(void *data, const char *text)
{
	struct engine *engine = data;

	strv_addf(&engine->revived, "%s; it was started again", text);
}

void recover_dead(struct engine *engine)
{
	const struct network_site site = engine_network(engine);
	autofree struct active *list = NULL;
	size_t n = 0;

	if (explain_dry() || active_list(engine, &list, &n) < 0)
		return;
	image_sweep(engine->db, engine->root_fd);
	ignore_result(cni_record_forget_boots(&site, NULL));
	for (size_t i = 0; i < n; i++)
		recover_one(engine, &list[i]);
	ignore_result(names_server_check(&site, true, note_revived, engine, NULL));
}

/* check_all */

struct check {
	struct engine *engine;
	bool repair;
	check_report_fn report;
	void *data;
	int found;
	int left; /* of those: what only a person can mend; the text says how */
	int r;    /* first failed repair */
	struct error *err;
};

static void found(struct check *check, const char *fmt, ...) printf_like(2, 3);
static void found_for_others(struct check *check, const char *fmt, ...) printf_like(2, 3);

static void found_text(struct check *check, const char *fmt, va_list ap)
{
	struct buf text = BUF_INIT(4096);

	buf_addv(&text, fmt, ap);
	check->report(check->data, buf_text(&text));
	check->found++;
	buf_done(&text);
}

static void found(struct check *check, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	found_text(check, fmt, ap);
	va_end(ap);
}

/* No repair of ours puts it right. */
static void found_for_others(struct check *check, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	found_text(check, fmt, ap);
	va_end(ap);
	check->left++;
}

static void repaired(struct check *check, int r)
{
	if (r < 0 && check->r == 0)
		check->r = r;
}

static bool is_known(struct engine *engine, const char *id)
{
	struct db_rows rows;
	bool known = false;

	if (db_query(engine->db, &rows, NULL, "SELECT 1 FROM containers WHERE id = ?1", "s", id) ==
	    0) {
		known = db_next(&rows);
		ignore_result(db_finish(&rows));
	}
	return known;
}

/* A definition without a row: the database was lost or replaced.  One that runs is adopted as
 * running, with its address and ports.
 */
static int insert_again(struct engine *engine, const struct container *c, bool runs,
			struct error *err)
{
	const struct network_site site = engine_network(engine);
	char boot[BOOT_ID_LEN + 1] = "";
	int r = boot_id(boot, err);

	if (r == 0)
		r = db_begin(engine->db, err);
	if (r == 0)
		r = db_run(engine->db, err,
			   "INSERT INTO containers (id, name, image, created, auto_remove, active,"
			   " boot, maker, maker_start) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, 0, 0)",
			   "sssiiis", c->id, c->name, c->image_id, c->created_ns,
			   (int64_t)c->auto_remove, (int64_t)(runs ? ACTIVE_RUN : ACTIVE_IDLE),
			   boot);
	if (r == -EEXIST)
		(void)error_wrap(err, r, "the name '%s' is taken meanwhile", c->name);
	if (r == 0 && runs)
		r = network_restore(&site, c->id, c->places, &c->ports, err);
	if (r == 0)
		r = db_commit(engine->db, err);
	db_rollback(engine->db);
	return r;
}

/* What the script of a dry run started has a directory here and a group of its name, and no row:
 * all of it ends before the directory goes.  A group that another root noted as its own is not it.
 */
static int end_unowned(struct check *check, const char *id)
{
	autofree char *path = xasprintf("/strake/%s", id);
	autofree char *owner = container_dir(check->engine, id);
	autofree pid_t *pids = NULL;
	struct cgroup cg = { 0 };
	size_t n = 0;
	int r = 0;

	if (strlen(id) != ID_LEN || !id_is_hex(id) || cgroup_open(path, &cg, NULL) < 0)
		return 0;
	if (!cgroup_has_other_owner(&cg, owner)) {
		if (cgroup_pids(&cg, &pids, &n, NULL) == 0 && n > 0)
			found(check, "container %.12s runs without an owner: process %d", id,
			      pids[0]);
		if (check->repair)
			r = cgroup_remove(&cg, check->err);
	}
	cgroup_close(&cg);
	return r;
}

static void adopt(struct check *check, const char *id, bool runs)
{
	cleanup(container_cleanup) struct container *c = NULL;
	struct engine *engine = check->engine;
	struct error *err = check->repair ? check->err : NULL;
	autofree char *path = xasprintf("containers/%s", id);
	int r;

	if (container_load(engine, id, &c, NULL) < 0) {
		found(check, "directory containers/%.12s... belongs to no container", id);
		if (runs)
			return;
		r = end_unowned(check, id);
		if (check->repair && r == 0)
			r = dir_remove_at(engine->root_fd, path, err);
		repaired(check, r);
		return;
	}
	found(check, "container %s (%.12s) has files but is not in the database", c->name, id);
	if (check->repair)
		repaired(check, insert_again(engine, c, runs, err));
}

/* Directories that no row knows.  A row is there before its directory, and goes after it: a
 * directory without a row is one of a lost database, and runs if its monitor holds the lock.
 */
static void check_dirs(struct check *check)
{
	struct engine *engine = check->engine;
	int fd = openat(engine->root_fd, "containers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		autoclose int lock = -1;
		int r;

		if (entry->d_name[0] == '.' || is_known(engine, entry->d_name))
			continue;
		r = container_lock(engine, entry->d_name, &lock, NULL);
		if ((r == 0 || r == -EBUSY) && !is_known(engine, entry->d_name))
			adopt(check, entry->d_name, r == -EBUSY);
	}
	if (dir)
		(void)closedir(dir);
}

static void check_run_dirs(struct check *check)
{
	struct engine *engine = check->engine;
	const struct network_site site = engine_network(engine);
	int fd = openat(engine->run_fd, "containers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	while (dir && (entry = readdir(dir))) {
		autofree char *path = xasprintf("containers/%s", entry->d_name);
		autofree char *netns = NULL;
		int r;

		if (entry->d_name[0] == '.' || is_known(engine, entry->d_name) ||
		    faccessat(engine->root_fd, path, F_OK, 0) == 0)
			continue;
		found(check, "run directory containers/%.12s... belongs to no container",
		      entry->d_name);
		r = end_unowned(check, entry->d_name);
		repaired(check, r);
		if (!check->repair || r < 0)
			continue;
		netns = container_netns(engine, entry->d_name);
		repaired(check, network_detach(&site, entry->d_name, netns, check->err));
		repaired(check, dir_remove_at(engine->run_fd, path, check->err));
	}
	if (dir)
		(void)closedir(dir);
}

/* Another root's containers have theirs in the same place, so the owner is noted at each. */
static void check_groups(struct check *check)
{
	struct strv ids = { 0 };

	if (cgroup_children("/strake", &ids, NULL) < 0)
		return;
	for (size_t i = 0; i < ids.n; i++) {
		autofree char *path = xasprintf("/strake/%s", ids.items[i]);
		autofree char *owner = container_dir(check->engine, ids.items[i]);
		struct cgroup cg = { 0 };

		if (strlen(ids.items[i]) != ID_LEN || !id_is_hex(ids.items[i]) ||
		    is_known(check->engine, ids.items[i]) || cgroup_open(path, &cg, NULL) < 0)
			continue;
		if (cgroup_has_owner(&cg, owner)) {
			found(check, "control group %.20s... belongs to no container", path);
			if (check->repair)
				repaired(check, cgroup_remove(&cg, check->err));
		}
		cgroup_close(&cg);
	}
	strv_done(&ids);
}

/* Rows whose files are gone or damaged; and those that were active in vain before recover_dead()
 * ran are gone by now, so what is left active and unlocked runs without a monitor.
 */
static void check_row(struct check *check, const char *id)
{
	cleanup(container_cleanup) struct container *c = NULL;
	struct engine *engine = check->engine;
	autoclose int lock = -1;
	struct status status = { .pid = 0 };
	struct error why = { 0 };
	int locked = container_lock(engine, id, &lock, NULL);
	bool runs;

	if (container_maker(engine, id) || container_load_row(engine, id, &c, &why, NULL) < 0)
		return;
	runs = status_read(engine, id, &status, NULL) == 0 && status.kind == STATUS_RUNNING;
	runs = runs || locked == -EBUSY;
	if (status.damage.code) {
		found(check, "container %s: %s", c->name, status.damage.text);
		if (check->repair)
			repaired(check, status_mend(engine, id, &status, check->err));
	}
	if (c->is_damaged && runs) {
		found_for_others(
			check, "container %s runs, but: %s; 'strake rm -f %s' ends and removes it",
			c->name, why.text, c->name);
	} else if (c->is_damaged) {
		found(check, "container %s is in the database, but: %s", c->name, why.text);
		if (check->repair)
			repaired(check, container_discard(engine, id, check->err));
	} else if (runs && locked == 0) {
		found_for_others(check,
				 "container %s runs without its monitor; 'strake stop %s' ends it",
				 c->name, c->name);
	}
}

static int check_rows(struct check *check)
{
	struct strv ids = { 0 };
	int r = container_ids(check->engine, &ids, check->err);

	for (size_t i = 0; r == 0 && i < ids.n; i++)
		check_row(check, ids.items[i]);
	strv_done(&ids);
	return r;
}

static void forward(void *data, const char *text)
{
	struct check *check = data;

	check->report(check->data, text);
}

int check_networks(struct engine *engine, bool repair, check_report_fn report, void *data,
		   int *ret_left, struct error *err)
{
	const struct network_site site = engine_network(engine);
	int n = network_check(&site, repair, report, data, ret_left, err);

	for (size_t i = 0; n >= 0 && i < engine->revived.n; i++, n++)
		report(data, engine->revived.items[i]);
	return n;
}

int check_all(struct engine *engine, bool repair, check_report_fn report, void *data, int *ret_left,
	      struct error *err)
{
	struct check check = {
		.engine = engine, .repair = repair, .report = report, .data = data, .err = err
	};
	int r = check_rows(&check), n, left = 0;

	if (r < 0)
		return r;
	check_dirs(&check);
	check_run_dirs(&check);
	check_groups(&check);
	n = check_networks(engine, repair, forward, &check, &left, err);
	if (n < 0)
		return n;
	check.found += n;
	check.left += left;
	left = 0;
	n = image_check(engine->db, engine->root_fd, repair, forward, &check, &left, err);
	if (n < 0)
		return n;
	*ret_left = check.left + left;
	return check.r < 0 ? check.r : check.found + n;
}

/* recover_lost */

static int recover_container(struct engine *engine, const char *id, struct error *err)
{
	cleanup(container_cleanup) struct container *c = NULL;
	autoclose int lock = -1;
	int r = container_lock(engine, id, &lock, NULL);

	/* Without a definition it is what a killed command left: system check names it. */
	if ((r < 0 && r != -EBUSY) || container_load(engine, id, &c, NULL) < 0 ||
	    is_known(engine, id))
		return 0;
	return insert_again(engine, c, r == -EBUSY, err);
}

int recover_lost(struct engine *engine, struct error *err)
{
	int fd = openat(engine->root_fd, "containers", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct network_site site = engine_network(engine);
	const struct dirent *entry;
	int r = db_begin(engine->db, err);

	if (r == 0)
		r = image_restore(engine->db, engine->root_fd, err);
	if (r == 0)
		r = network_restore_all(&site, err);
	if (r == 0)
		r = db_commit(engine->db, err);
	db_rollback(engine->db);
	while (r == 0 && dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			r = recover_container(engine, entry->d_name, err);
	if (dir)
		(void)closedir(dir);
	return r < 0 ? error_wrap(err, r, "make the lost state database again") : 0;
}
