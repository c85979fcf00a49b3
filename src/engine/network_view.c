/* src/engine/network_view.c */
#include "engine/network_view.h"

#include <string.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/strv.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/status.h"
#include "network/network.h"
#include "network/picture.h"
#include "network/scene.h"
#include "network/table.h"

/* What a struct scene points to. */
struct names {
	struct scene_container *containers;
	struct scene_network *networks;
	size_t ncontainers, nnetworks;
	struct strv texts; /* whose strings the entries use */
	char table[NETWORK_TABLE_LEN];
};

static const char *keep(struct names *n, const char *text)
{
	strv_add(&n->texts, text);
	return n->texts.items[n->texts.n - 1];
}

static void names_done(struct names *n)
{
	free(n->containers);
	free(n->networks);
	strv_done(&n->texts);
}

static int add_container(struct engine *engine, const char *id, struct names *n, struct error *err)
{
	struct scene_container *place = &n->containers[n->ncontainers];
	autofree char *netns = NULL;
	cleanup(container_cleanup) struct container *c = NULL;
	struct status s = { .kind = STATUS_CREATED };
	int r = container_load(engine, id, &c, err);

	if (r == -ENOENT)
		return 0; /* being made, or gone meanwhile */
	if (r == 0)
		r = status_read(engine, id, &s, err);
	if (r < 0 || s.kind != STATUS_RUNNING)
		return r;
	netns = xasprintf("/proc/%d/ns/net", (int)s.pid);
	place->name = keep(n, c->name);
	place->netns = keep(n, netns);
	place->pid = s.pid;
	n->ncontainers++;
	return 0;
}

/* Oldest first. */
static int add_containers(struct engine *engine, struct names *n, struct error *err)
{
	struct strv ids = { 0 };
	int r = container_ids(engine, &ids, err);

	n->containers = xcalloc(ids.n + 1, sizeof(*n->containers));
	for (size_t i = ids.n; r == 0 && i > 0; i--)
		r = add_container(engine, ids.items[i - 1], n, err);
	strv_done(&ids);
	return r;
}

static int add_networks(struct engine *engine, struct names *n, struct error *err)
{
	struct strv names = { 0 };
	int r = network_names(engine_db(engine), false, &names, err);

	n->networks = xcalloc(names.n + 1, sizeof(*n->networks));
	for (size_t i = 0; r == 0 && i < names.n; i++) {
		struct scene_network *place = &n->networks[n->nnetworks];
		struct network network = { .id = 0 };

		r = network_find(engine_db(engine), names.items[i], &network, err);
		if (r < 0)
			break;
		place->name = keep(n, network.name);
		place->link = keep(n, network.link);
		network_done(&network);
		n->nnetworks++;
	}
	if (r == 0)
		r = network_table(engine_db(engine), n->table, err);
	strv_done(&names);
	return r;
}

int network_view_picture(struct engine *engine, struct picture *ret, struct error *err)
{
	struct names n = { .ncontainers = 0 };
	int r = add_containers(engine, &n, err);

	if (r == 0)
		r = add_networks(engine, &n, err);
	if (r == 0) {
		const struct scene scene = { .containers = n.containers,
					     .ncontainers = n.ncontainers,
					     .networks = n.networks,
					     .nnetworks = n.nnetworks,
					     .table = n.table[0] ? n.table : NULL };

		r = scene_read(&scene, ret, err);
	}
	names_done(&n);
	return r;
}

int network_view_find(struct engine *engine, const char *what, char **ret_path, pid_t *ret_pid,
		      struct error *err)
{
	cleanup(container_cleanup) struct container *c = NULL;
	struct status s = { .pid = 0 };
	int r;

	*ret_pid = 0;
	if (strchr(what, '/')) {
		*ret_path = xstrdup(what);
		return 0;
	}
	r = container_find(engine, what, &c, strcmp(what, "host") == 0 ? NULL : err);
	if (r == -ENOENT && strcmp(what, "host") == 0) {
		*ret_path = xstrdup("/proc/thread-self/ns/net");
		return 0;
	}
	if (r == 0)
		r = status_read(engine, c->id, &s, err);
	if (r < 0)
		return r;
	if (s.kind != STATUS_RUNNING)
		return error_set(err, -ESRCH, "container %s does not run: it has no network now",
				 c->name);
	*ret_pid = s.pid;
	*ret_path = container_netns(engine, c->id);
	if (access(*ret_path, F_OK) < 0) { /* the host's, or that of another container */
		free(*ret_path);
		*ret_path = xasprintf("/proc/%d/ns/net", (int)s.pid);
	}
	return 0;
}
