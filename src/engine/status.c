/* src/engine/status.c */
#include "engine/status.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/json.h"
#include "base/process.h"
#include "engine/engine.h"
#include "kernel/cgroup.h"

static int64_t read_time(struct json_reader *rd, const json_t *doc, const char *key)
{
	const char *text = json_read_string(rd, doc, key, NULL);
	int64_t ns = 0;

	if (text && clock_parse(text, &ns) < 0)
		json_fail(rd, key, "is not a time");
	return ns;
}

/* Nobody but us writes these two files, whole; but a disk can fail, and a person can try to help.
 * What is no record is said in *ret_why and is no failure.
 */
static int record_load(int dirfd, const char *path, json_t **ret, struct error *ret_why,
		       struct error *err)
{
	json_t *doc = NULL;
	int r = json_load_at(dirfd, path, &doc, ret_why);

	if (r == -ENOENT || r == -EACCES || r == -EPERM || r == -EMFILE || r == -ENFILE) {
		*ret_why = (struct error) { 0 };
		return r == -ENOENT ? 0 : error_sys(err, r, "read %s", path);
	}
	if (r < 0)
		return 0;
	if (json_is_object(doc))
		*ret = steal_ptr(&doc);
	else
		(void)error_set(ret_why, -EBADMSG, "%s is not a JSON object", path);
	json_decref(doc);
	return 0;
}

static void need(struct json_reader *rd, const json_t *doc, const char *key)
{
	if (!json_object_get(doc, key))
		json_fail(rd, key, "is missing");
}

static void note_damage(struct status *s, const char *root, const struct error *why)
{
	if (s->damage.code == 0)
		(void)error_set(&s->damage, -EUCLEAN, "damaged record: %s/%.300s", root, why->text);
}

void status_advise(const struct status *s, const char *name, struct error *ret)
{
	(void)error_set(ret, s->damage.code,
			"container %s: %.350s; 'strake system check --repair' puts it right", name,
			s->damage.text);
}

/* Parsed into a copy, so that half of a damaged one counts for nothing. */
static void live_parse(const json_t *doc, const char *path, const char *boot, struct status *s,
		       struct error *ret_why)
{
	struct status parsed = *s;
	struct json_reader rd;

	json_reader_init(&rd, path, ret_why);
	if (strcmp(json_need_string(&rd, doc, "bootId"), boot) != 0)
		return;
	need(&rd, doc, "pid");
	parsed.pid = (pid_t)json_read_int(&rd, doc, "pid", 0, INT_MAX, 0);
	parsed.start_time = (uint64_t)json_read_int(&rd, doc, "startTime", 0, INT64_MAX, 0);
	parsed.monitor_pid = (pid_t)json_read_int(&rd, doc, "monitorPid", 0, INT_MAX, 0);
	parsed.monitor_start =
		(uint64_t)json_read_int(&rd, doc, "monitorStartTime", 0, INT64_MAX, 0);
	parsed.started_ns = read_time(&rd, doc, "startedAt");
	if (rd.r == 0)
		*s = parsed;
}

/* Of all in its group the one that is there the longest; of two in one tick the first. */
static pid_t first_process(const char *id, uint64_t *ret_start)
{
	autofree char *path = xasprintf("/strake/%s", id);
	autofree pid_t *pids = NULL;
	struct cgroup cg = { 0 };
	uint64_t start = 0;
	pid_t first = 0;
	size_t n = 0;

	if (cgroup_open(path, &cg, NULL) < 0)
		return 0;
	if (cgroup_pids(&cg, &pids, &n, NULL) < 0)
		n = 0;
	cgroup_close(&cg);
	for (size_t i = 0; i < n; i++) {
		if (process_start_time(pids[i], &start) < 0 ||
		    (first && (start > *ret_start || (start == *ret_start && pids[i] > first))))
			continue;
		first = pids[i];
		*ret_start = start;
	}
	return first;
}

/* Without its live record: who runs as its monitor, and in its group. */
static void live_guess(const char *id, struct status *s)
{
	autofree char *argument = xasprintf("--id=%s", id);

	s->monitor_pid = process_find("strake-monitor", argument);
	if (s->monitor_pid && process_start_time(s->monitor_pid, &s->monitor_start) < 0)
		s->monitor_pid = 0;
	s->pid = first_process(id, &s->start_time);
	if (s->pid)
		s->started_ns = process_started_ns(s->start_time);
}

static int live_read(const struct engine *engine, const char *id, struct status *s,
		     struct error *err)
{
	autofree char *path = xasprintf("containers/%s/live.json", id);
	cleanup(json_cleanup) json_t *doc = NULL;
	char boot[BOOT_ID_LEN + 1];
	struct error why = { 0 };
	int r = record_load(engine->run_fd, path, &doc, &why, err);

	if (r == 0 && doc)
		r = boot_id(boot, err);
	if (r < 0)
		return error_wrap(err, r, "read the live record of container %.12s", id);
	if (doc)
		live_parse(doc, path, boot, s, &why);
	if (why.code == 0)
		return 0;
	note_damage(s, engine->run_root, &why);
	s->live_is_damaged = true;
	live_guess(id, s);
	return 0;
}

static void exit_parse(const json_t *doc, const char *path, struct status *s, struct error *ret_why)
{
	struct status parsed = *s;
	struct json_reader rd;

	json_reader_init(&rd, path, ret_why);
	need(&rd, doc, "exitCode");
	parsed.exit_code = (int)json_read_int(&rd, doc, "exitCode", -1, 255, -1);
	parsed.oom_killed = json_read_bool(&rd, doc, "oomKilled", false);
	parsed.finished_ns = read_time(&rd, doc, "finishedAt");
	if (!parsed.started_ns)
		parsed.started_ns = read_time(&rd, doc, "startedAt");
	if (rd.r == 0)
		*s = parsed;
}

static int exit_read(const struct engine *engine, const char *id, struct status *s,
		     struct error *err)
{
	autofree char *path = xasprintf("containers/%s/exit.json", id);
	cleanup(json_cleanup) json_t *doc = NULL;
	struct error why = { 0 };
	struct stat st;
	int r = record_load(engine->root_fd, path, &doc, &why, err);

	if (r < 0)
		return error_wrap(err, r, "read the exit record of container %.12s", id);
	if (!doc && why.code == 0)
		return 0;
	s->kind = STATUS_EXITED;
	if (doc)
		exit_parse(doc, path, s, &why);
	if (why.code == 0)
		return 0;
	note_damage(s, engine->root, &why);
	s->exit_is_damaged = true;
	s->exit_code = -1;
	if (fstatat(engine->root_fd, path, &st, AT_SYMLINK_NOFOLLOW) == 0)
		s->finished_ns = clock_from_timespec(&st.st_mtim);
	return 0;
}

int status_read(const struct engine *engine, const char *id, struct status *ret, struct error *err)
{
	struct status s = { .exit_code = 0 };
	int r = live_read(engine, id, &s, err);

	if (r < 0)
		return r;
	if (!process_is_alive(s.monitor_pid, s.monitor_start))
		s.monitor_pid = 0;
	if (process_is_alive(s.pid, s.start_time)) {
		s.kind = STATUS_RUNNING;
		*ret = s;
		return 0;
	}
	if ((s.pid || s.live_is_damaged) && !s.monitor_pid) {
		/* Both gone without a record so far: killed together. */
		s.kind = STATUS_EXITED;
		s.exit_code = -1;
	}
	s.pid = 0;
	r = exit_read(engine, id, &s, err);
	if (r == 0)
		*ret = s;
	return r;
}

static void set_time(json_t *doc, const char *key, int64_t ns)
{
	char text[CLOCK_TEXT_LEN];

	if (!ns)
		return;
	clock_format(ns, text);
	(void)json_object_set_new(doc, key, json_string(text));
}

/* As the monitor writes it. */
static int live_write(const struct engine *engine, const char *id, const char *path,
		      const struct status *s, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	char boot[BOOT_ID_LEN + 1];
	int r = boot_id(boot, err);

	if (r < 0)
		return r;
	doc = json_pack("{s:s, s:i, s:I, s:i, s:I, s:s}", "id", id, "pid", (int)s->pid, "startTime",
			(json_int_t)s->start_time, "monitorPid", (int)s->monitor_pid,
			"monitorStartTime", (json_int_t)s->monitor_start, "bootId", boot);
	set_time(doc, "startedAt", s->started_ns);
	return json_save_at(engine->run_fd, path, doc, false, err);
}

static int exit_write(const struct engine *engine, const char *path, const struct status *s,
		      struct error *err)
{
	cleanup(json_cleanup) json_t *doc =
		json_pack("{s:i, s:b}", "exitCode", s->exit_code, "oomKilled", 0);

	set_time(doc, "finishedAt", s->finished_ns);
	return json_save_at(engine->root_fd, path, doc, true, err);
}

/* What is damaged goes first: it may be a directory, which no file takes the place of. */
int status_mend(const struct engine *engine, const char *id, const struct status *s,
		struct error *err)
{
	autofree char *live = xasprintf("containers/%s/live.json", id);
	autofree char *ended = xasprintf("containers/%s/exit.json", id);
	int r = 0;

	if (s->live_is_damaged)
		r = dir_remove_at(engine->run_fd, live, err);
	if (r == 0 && s->live_is_damaged && s->kind == STATUS_RUNNING)
		r = live_write(engine, id, live, s, err);
	if (r == 0 && s->exit_is_damaged)
		r = dir_remove_at(engine->root_fd, ended, err);
	if (r == 0 && s->exit_is_damaged)
		r = exit_write(engine, ended, s, err);
	return r;
}

const char *status_word(const struct status *s)
{
	static const char *const words[] = {
		[STATUS_CREATED] = "created",
		[STATUS_RUNNING] = "running",
		[STATUS_EXITED] = "exited",
	};

	return words[s->kind];
}

void status_text(const struct status *s, char ret[80])
{
	int64_t now = clock_now_ns();
	char age[32], code[16] = "?";

	switch (s->kind) {
	case STATUS_CREATED:
		(void)snprintf(ret, 80, "Created");
		break;
	case STATUS_RUNNING:
		clock_format_age(now - s->started_ns, age);
		(void)snprintf(ret, 80, "Up %s%s", age, s->monitor_pid ? "" : " (unsupervised)");
		break;
	case STATUS_EXITED:
		if (s->exit_code >= 0)
			(void)snprintf(code, sizeof(code), "%d", s->exit_code);
		clock_format_age(now - s->finished_ns, age);
		if (s->finished_ns)
			(void)snprintf(ret, 80, "Exited (%s) %s ago", code, age);
		else
			(void)snprintf(ret, 80, "Exited (%s)", code);
		break;
	}
}
