/* src/engine/event.c */
#include "engine/event.h"

#include <string.h>

#include "base/alloc.h"
#include "base/event.h"
#include "base/explain.h"
#include "base/json.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "network/attach.h"

void container_event(const struct engine *engine, const struct container *c, const char *action,
		     const char *name, const char *value)
{
	const char **list = xcalloc(2 * c->labels.n + 7, sizeof(*list));
	struct strv names = { 0 };
	size_t n = 0;

	/* A label may be called like one of ours, which then comes last. */
	for (size_t i = 0; i < c->labels.n; i++) {
		size_t len = strcspn(c->labels.items[i], "=");

		strv_take(&names, xstrndup(c->labels.items[i], len));
		list[n++] = names.items[i];
		list[n++] = c->labels.items[i][len] ? c->labels.items[i] + len + 1 : "";
	}
	list[n++] = "image";
	list[n++] = c->source;
	list[n++] = "name";
	list[n++] = c->name;
	if (name) {
		list[n++] = name;
		list[n++] = value;
	}
	event_tell(engine->root_fd, "container", action, c->id, list);
	free(list);
	strv_done(&names);
}

void container_event_end(const struct engine *engine, const char *id)
{
	cleanup(container_cleanup) struct container *c = NULL;
	autofree char *path = xasprintf("containers/%s/exit.json", id), *code = NULL;
	cleanup(json_cleanup) json_t *doc = NULL;

	if (explain_dry() || !container_was_started(engine, id) ||
	    container_load(engine, id, &c, NULL) < 0)
		return;
	if (json_load_at(engine->root_fd, path, &doc, NULL) == 0)
		code = xasprintf("%lld",
				 (long long)json_integer_value(json_object_get(doc, "exitCode")));
	if (json_is_true(json_object_get(doc, "oomKilled")))
		container_event(engine, c, "oom", NULL, NULL);
	container_event(engine, c, "die", "exitCode", code ? code : "-1");
}

void network_event(const struct engine *engine, const char *network, const char *action,
		   const char *id)
{
	const char *const list[] = { "container", id, "name", network, NULL };

	event_tell(engine->root_fd, "network", action, network, list);
}

void network_events(const struct engine *engine, const char *action, const char *id)
{
	cleanup(network_lease_done) struct network_lease lease = { .nendpoints = 0 };

	if (explain_dry() || network_lease_read(engine->db, id, &lease, NULL) < 0)
		return;
	for (size_t i = 0; i < lease.nendpoints; i++)
		network_event(engine, lease.endpoints[i].network.name, action, id);
}
