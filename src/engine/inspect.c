/* src/engine/inspect.c */
#include "engine/inspect.h"

#include <fcntl.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/status.h"
#include "engine/volume_store.h"
#include "image/image.h"
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
	set_text(doc, "Error", s->damage.text);
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

/* The runtime's own view, which holds all the rest: config.json, but for the hundreds of system
 * calls of its filter, which are where BundlePath says.
 */
static json_t *spec_read(const struct engine *engine, const char *id)
{
	autofree char *path = xasprintf("containers/%s/config.json", id);
	json_t *doc = NULL;

	if (json_load_at(engine->root_fd, path, &doc, NULL) < 0)
		return json_null();
	(void)json_object_del(json_object_get(json_object_get(doc, "linux"), "seccomp"),
			      "syscalls");
	return doc;
}

/* "NAME=VALUE" to a member; the last of a name counts. */
static json_t *labels(const struct strv *texts)
{
	json_t *doc = json_object();

	for (size_t i = 0; i < texts->n; i++) {
		const char *text = texts->items[i], *equals = strchr(text, '=');
		autofree char *name = equals ? xstrndup(text, (size_t)(equals - text)) : NULL;

		set_text(doc, name ? name : text, equals ? equals + 1 : NULL);
	}
	return doc;
}

/* Where its image says that data is kept.  Nothing is mounted there: it is in the container's own
 * layer, as long as it lives.
 */
static json_t *volumes(const struct engine *engine, const struct container *c)
{
	cleanup(image_cleanup) struct image *image = NULL;
	json_t *set = json_object();

	if (!c->image_id || image_load(engine->db, engine->root_fd, c->image_id, &image, NULL) < 0)
		return set;
	for (size_t i = 0; i < image->config.volumes.n; i++)
		(void)json_object_set_new(set, image->config.volumes.items[i], json_object());
	return set;
}

/* What the user asked for, in Docker's words. */
static json_t *config(const struct engine *engine, const struct container *c, const json_t *spec)
{
	const json_t *process = json_object_get(spec, "process");
	const json_t *user = json_object_get(process, "user");
	json_t *doc = json_object();
	autofree char *who =
		xasprintf("%lld:%lld", (long long)json_integer_value(json_object_get(user, "uid")),
			  (long long)json_integer_value(json_object_get(user, "gid")));

	set_text(doc, "Hostname", json_string_value(json_object_get(spec, "hostname")));
	set_text(doc, "User", who);
	set_text(doc, "Image", c->source);
	(void)json_object_set(doc, "Env", json_object_get(process, "env"));
	(void)json_object_set_new(doc, "Cmd", json_from_strv(&c->command));
	(void)json_object_set_new(doc, "Volumes", volumes(engine, c));
	set_text(doc, "WorkingDir", json_string_value(json_object_get(process, "cwd")));
	(void)json_object_set_new(doc, "Labels", labels(&c->labels));
	(void)json_object_set_new(doc, "Tty", json_boolean(c->tty));
	(void)json_object_set_new(doc, "OpenStdin", json_boolean(c->open_stdin));
	set_text(doc, "StopSignal", c->stop_signal ? c->stop_signal : "TERM");
	(void)json_object_set_new(doc, "StopTimeout", json_integer(c->stop_timeout));
	return doc;
}

static bool has_option(const json_t *mount, const char *wanted)
{
	const json_t *option;
	size_t i;

	json_array_foreach (json_object_get(mount, "options"), i, option)
		if (strcmp(json_string_value(option), wanted) == 0)
			return true;
	return false;
}

/* The files that a root without an image is put together of, see root.c. */
static bool is_root_part(const json_t *mount)
{
	return has_option(mount, "bind") && has_option(mount, "ro") &&
	       has_option(mount, "nosuid") && has_option(mount, "nodev");
}

/* Those that the user asked for; what every container has is left out. */
static json_t *mounts(const struct engine *engine, const char *dir, const json_t *spec)
{
	json_t *all = json_array();
	const json_t *mount;
	size_t i;

	json_array_foreach (json_object_get(spec, "mounts"), i, mount) {
		const char *source = json_string_value(json_object_get(mount, "source"));
		const char *type = json_string_value(json_object_get(mount, "type"));
		autofree char *name = source ? volume_of_source(engine, source) : NULL;
		bool own = source && strncmp(source, dir, strlen(dir)) == 0;
		json_t *doc;

		if (!type || strcmp(type, "bind") != 0 || !source || own || is_root_part(mount))
			continue;
		doc = json_object();
		set_text(doc, "Type", name ? "volume" : "bind");
		if (name)
			set_text(doc, "Name", name);
		set_text(doc, "Source", source);
		set_text(doc, "Destination",
			 json_string_value(json_object_get(mount, "destination")));
		(void)json_object_set_new(doc, "RW", json_boolean(!has_option(mount, "ro")));
		(void)json_array_append_new(all, doc);
	}
	return all;
}

int container_inspect(struct engine *engine, const struct container *c, json_t **ret,
		      struct error *ret_damage, struct error *err)
{
	autofree char *dir = container_dir(engine, c->id), *log = container_log(engine, c->id);
	cleanup(json_cleanup) json_t *spec = NULL;
	struct status s;
	json_t *doc;
	int r = status_read(engine, c->id, &s, err);

	if (r < 0)
		return r;
	if (s.damage.code)
		status_advise(&s, c->name, ret_damage);
	spec = spec_read(engine, c->id);
	doc = json_object();
	set_text(doc, "Id", c->id);
	set_text(doc, "Name", c->name);
	set_time(doc, "Created", c->created_ns);
	set_text(doc, "Source", c->source);
	set_text(doc, "Image", c->image_id);
	(void)json_object_set_new(doc, "Command", json_from_strv(&c->command));
	(void)json_object_set_new(doc, "Labels", labels(&c->labels));
	(void)json_object_set_new(doc, "State", state(&s));
	(void)json_object_set_new(doc, "NetworkSettings", network(engine, c, &s));
	(void)json_object_set_new(doc, "AutoRemove", json_boolean(c->auto_remove));
	(void)json_object_set_new(doc, "Tty", json_boolean(c->tty));
	(void)json_object_set_new(doc, "OpenStdin", json_boolean(c->open_stdin));
	set_text(doc, "StopSignal", c->stop_signal ? c->stop_signal : "TERM");
	(void)json_object_set_new(doc, "StopTimeout", json_integer(c->stop_timeout));
	set_text(doc, "BundlePath", dir);
	set_text(doc, "LogPath", log);
	(void)json_object_set_new(doc, "Mounts", mounts(engine, dir, spec));
	(void)json_object_set_new(doc, "Config", config(engine, c, spec));
	(void)json_object_set(doc, "Spec", spec);
	*ret = doc;
	return 0;
}
