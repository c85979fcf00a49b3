/* src/engine/inspect.c */
#include "engine/inspect.h"

#include <fcntl.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/status.h"
#include "network/inspect.h"

static void set_text(json_t *doc, const char *key, const char *text)
{
	(void)json_object_set_new(doc, key, json_string(text ? text : ""));
}

static void set_time(json_t *doc, const char *key, int64_t ns)
{
	char text[CLOCK_TEXT_LEN];

	clock_format(ns, text);
	set_text(doc, key,
		 ns ? text : "0001-01-01T00:00:00Z"); /* Go's zero, which scripts test for */
}

static json_t *state(const struct status *s)
{
	json_t *doc = json_object();

	set_text(doc, "Status", status_word(s));
	(void)json_object_set_new(doc, "Running", json_boolean(s->kind == STATUS_RUNNING));
	(void)json_object_set_new(doc, "Pid", json_integer(s->pid));
	(void)json_object_set_new(doc, "MonitorPid", json_integer(s->monitor_pid));
	(void)json_object_set_new(doc, "ExitCode", json_integer(s->exit_code));
	(void)json_object_set_new(doc, "OOMKilled", json_boolean(s->oom_killed));
	set_time(doc, "StartedAt", s->started_ns);
	set_time(doc, "FinishedAt", s->finished_ns);
	return doc;
}

static json_t *network(const struct engine *engine, const struct container *c,
		       const struct status *s)
{
	autofree char *netns = container_netns(engine, c->id);
	json_t *doc = NULL;

	if (s->kind != STATUS_RUNNING ||
	    network_inspect_container(engine->db, c->id, &doc, NULL) < 0)
		doc = json_pack("{s:s, s:{}, s:{}}", "IPAddress", "", "Networks", "Ports");
	set_text(doc, "Mode", c->network);
	set_text(doc, "SandboxKey", s->kind == STATUS_RUNNING ? netns : NULL);
	return doc;
}

/* The runtime's own view, which holds all the rest: config.json as it is. */
static json_t *config_read(const struct engine *engine, const char *id)
{
	autofree char *path = xasprintf("containers/%s/config.json", id);
	json_t *doc = NULL;

	if (json_load_at(engine->root_fd, path, &doc, NULL) < 0)
		return json_null();
	return doc;
}

int container_inspect(struct engine *engine, const struct container *c, json_t **ret,
		      struct error *err)
{
	autofree char *dir = container_dir(engine, c->id), *log = container_log(engine, c->id);
	struct status s;
	json_t *doc;
	int r = status_read(engine, c->id, &s, err);

	if (r < 0)
		return r;
	doc = json_object();
	set_text(doc, "Id", c->id);
	set_text(doc, "Name", c->name);
	set_time(doc, "Created", c->created_ns);
	set_text(doc, "Source", c->source);
	set_text(doc, "Image", c->image_id);
	(void)json_object_set_new(doc, "Command", json_from_strv(&c->command));
	(void)json_object_set_new(doc, "Labels", json_from_strv(&c->labels));
	(void)json_object_set_new(doc, "State", state(&s));
	(void)json_object_set_new(doc, "NetworkSettings", network(engine, c, &s));
	(void)json_object_set_new(doc, "AutoRemove", json_boolean(c->auto_remove));
	(void)json_object_set_new(doc, "Tty", json_boolean(c->tty));
	(void)json_object_set_new(doc, "OpenStdin", json_boolean(c->open_stdin));
	set_text(doc, "StopSignal", c->stop_signal ? c->stop_signal : "TERM");
	(void)json_object_set_new(doc, "StopTimeout", json_integer(c->stop_timeout));
	set_text(doc, "BundlePath", dir);
	set_text(doc, "LogPath", log);
	(void)json_object_set_new(doc, "Config", config_read(engine, c->id));
	*ret = doc;
	return 0;
}
