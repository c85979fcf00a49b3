/* src/engine/status.c */
#include "engine/status.h"

#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/process.h"
#include "engine/engine.h"

static int64_t read_time(struct json_reader *rd, const json_t *doc, const char *key)
{
	const char *text = json_read_string(rd, doc, key, NULL);
	int64_t ns = 0;

	if (text && clock_parse(text, &ns) < 0)
		json_fail(rd, key, "is not a time");
	return ns;
}

/* Nobody but us writes these two files, whole; a damaged one is an error and not a state. */
static int live_read(const struct engine *engine, const char *id, struct status *s,
		     struct error *err)
{
	autofree char *path = xasprintf("containers/%s/live.json", id);
	cleanup(json_cleanup) json_t *doc = NULL;
	char boot[BOOT_ID_LEN + 1];
	struct json_reader rd;
	int r = json_load_at(engine->run_fd, path, &doc, NULL);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = boot_id(boot, err);
	if (r < 0)
		return error_sys(err, r, "read the live record of container %.12s", id);
	json_reader_init(&rd, path, err);
	if (strcmp(json_need_string(&rd, doc, "bootId"), boot) != 0)
		return rd.r;
	s->pid = (pid_t)json_read_int(&rd, doc, "pid", 0, INT_MAX, 0);
	s->start_time = (uint64_t)json_read_int(&rd, doc, "startTime", 0, INT64_MAX, 0);
	s->monitor_pid = (pid_t)json_read_int(&rd, doc, "monitorPid", 0, INT_MAX, 0);
	s->monitor_start = (uint64_t)json_read_int(&rd, doc, "monitorStartTime", 0, INT64_MAX, 0);
	s->started_ns = read_time(&rd, doc, "startedAt");
	return rd.r;
}

static int exit_read(const struct engine *engine, const char *id, struct status *s,
		     struct error *err)
{
	autofree char *path = xasprintf("containers/%s/exit.json", id);
	cleanup(json_cleanup) json_t *doc = NULL;
	struct json_reader rd;
	int r = json_load_at(engine->root_fd, path, &doc, NULL);

	if (r == -ENOENT)
		return 0;
	if (r < 0)
		return error_sys(err, r, "read the exit record of container %.12s", id);
	json_reader_init(&rd, path, err);
	s->kind = STATUS_EXITED;
	s->exit_code = (int)json_read_int(&rd, doc, "exitCode", -1, 255, -1);
	s->oom_killed = json_read_bool(&rd, doc, "oomKilled", false);
	s->finished_ns = read_time(&rd, doc, "finishedAt");
	if (!s->started_ns)
		s->started_ns = read_time(&rd, doc, "startedAt");
	return rd.r;
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
	if (s.pid && !s.monitor_pid) {
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
