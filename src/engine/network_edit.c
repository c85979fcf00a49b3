/* src/engine/network_edit.c */
#include "engine/network_edit.h"

#include <string.h>

#include "base/alloc.h"
#include "base/strv.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/event.h"
#include "engine/status.h"
#include "network/attach.h"
#include "network/check.h"
#include "network/member.h"
#include "network/names_edit.h"

static int find_running(struct engine *engine, const char *what, struct container **ret,
			struct error *err)
{
	cleanup(container_cleanup) struct container *c = NULL;
	struct status status = { .pid = 0 };
	int r = container_find(engine, what, &c, err);

	if (r == 0)
		r = status_read(engine, c->id, &status, err);
	if (r < 0)
		return r;
	if (status.kind != STATUS_RUNNING)
		return error_set(err, -EINVAL, "container %s does not run", c->name);
	if (network_is_mode(c->network) && strcmp(c->network, "none") != 0)
		return error_set(err, -EINVAL,
				 "container %s has --network %s, not networks of its own", c->name,
				 c->network);
	*ret = steal_ptr(&c);
	return 0;
}

/* Its definition tells what it has now, for the day that the database is lost; its files in /etc do
 * so at once.
 */
static int note(struct engine *engine, struct container *c, const struct network_lease *before,
		struct error *err)
{
	cleanup(network_lease_done) struct network_lease lease = { .nendpoints = 0 };
	autofree char *dir = container_dir(engine, c->id);
	const struct names_change change = {
		.dir = dir, .name = c->name, .before = before, .after = &lease
	};
	char address[IP_TEXT_LEN] = "";
	int r = network_lease_read(engine->db, c->id, &lease, err);

	if (r == 0)
		r = names_edit(&change, err);
	if (r < 0)
		return r;
	if (lease.nendpoints > 0)
		ip_format(&lease.endpoints[0].ip.ip, address);
	free(c->network);
	c->network = xstrdup(lease.nendpoints > 0 ? lease.endpoints[0].network.name : "none");
	free(c->address);
	c->address = address[0] ? xstrdup(address) : NULL;
	json_decref(c->places);
	c->places = network_note(&lease);
	return container_save(engine, c, err);
}

/* "host" and "none" are ways to have no network: nothing to come to, or to leave. */
static int check_is_network(const char *name, const char *what, struct error *err)
{
	if (!network_is_mode(name))
		return 0;
	return error_set(err, -EINVAL,
			 "'%.80s' is no network that container %.80s could enter or leave: "
			 "'strake run --network %.80s' starts one with it",
			 name, what, name);
}

static bool is_in(const struct network_lease *lease, const char *network)
{
	for (size_t i = 0; i < lease->nendpoints; i++)
		if (strcmp(lease->endpoints[i].network.name, network) == 0)
			return true;
	return false;
}

int network_edit_connect(struct engine *engine, const char *what,
			 const struct endpoint_request *req, struct error *err)
{
	const struct network_site site = engine_network(engine);
	cleanup(container_cleanup) struct container *c = NULL;
	cleanup(network_lease_done) struct network_lease before = { .nendpoints = 0 };
	autofree char *netns = NULL;
	int r = check_is_network(req->network, what, err);

	if (r == 0)
		r = find_running(engine, what, &c, err);
	if (r < 0 || !c)
		return r;
	r = network_lease_read(engine->db, c->id, &before, err);
	if (r < 0)
		return r;
	netns = container_netns(engine, c->id);
	r = network_connect(&site, c->id, c->name, req, netns, err);
	if (r == 0)
		network_event(engine, req->network, "connect", c->id);
	return r < 0 ? r : note(engine, c, &before, err);
}

int network_edit_disconnect(struct engine *engine, const char *what, const char *network,
			    struct error *err)
{
	const struct network_site site = engine_network(engine);
	cleanup(container_cleanup) struct container *c = NULL;
	cleanup(network_lease_done) struct network_lease before = { .nendpoints = 0 };
	autofree char *netns = NULL;
	int r = check_is_network(network, what, err);

	if (r == 0)
		r = find_running(engine, what, &c, err);
	if (r < 0 || !c)
		return r;
	r = network_lease_read(engine->db, c->id, &before, err);
	if (r < 0)
		return r;
	if (!is_in(&before, network))
		return error_set(err, -ENOENT, "container %s is not in network %s", c->name,
				 network);
	netns = container_netns(engine, c->id);
	r = network_disconnect(&site, c->id, network, netns, err);
	if (r == 0)
		network_event(engine, network, "disconnect", c->id);
	return r < 0 ? r : note(engine, c, &before, err);
}

int network_edit_clear(struct engine *engine, const char *name, struct error *err)
{
	cleanup(network_cleanup_value) struct network network = { .id = 0 };
	struct members members = { 0 };
	int r = network_find(engine->db, name, &network, err);

	if (r == 0)
		r = members_list(engine->db, network.id, &members, err);
	for (size_t i = 0; r == 0 && i < members.n; i++)
		r = network_edit_disconnect(engine, members.items[i].id, name, err);
	members_done(&members);
	return r;
}
