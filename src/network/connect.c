/* src/network/connect.c - one network more or less for a container that runs. */
#include <string.h>

#include "base/db.h"
#include "base/explain.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "network/attach.h"
#include "network/bridge.h"
#include "network/detach.h"
#include "network/lease.h"
#include "network/plug.h"
#include "network/table.h"

static int reserve(const struct network_site *site, const struct network_lease *before,
		   const char *name, const struct endpoint_request *wanted, struct endpoint *ret,
		   struct error *err)
{
	const struct network_request req = { .id = before->id,
					     .name = name,
					     .rate_up = before->rate_up,
					     .rate_down = before->rate_down };
	int r = db_begin(site->db, err);

	if (r == 0)
		r = lease_add(site->db, &req, wanted, ret, err);
	if (r == 0)
		r = db_commit(site->db, err);
	db_rollback(site->db);
	return r;
}

/* Published ports lead to the first network that can have them: that may be another one now. */
static int publish_anew(const struct network_lease *before, const struct network_lease *after,
			struct error *err)
{
	struct table_elements old = { 0 }, new = { 0 };
	int r = 0;

	network_lease_collect(before, &old);
	network_lease_collect(after, &new);
	if (old.n != new.n || (new.n > 0 && !table_element_equal(&old.items[0], &new.items[0]))) {
		r = table_remove(before->table, &old, err);
		if (r == 0)
			r = table_extend(after->table, &new, err);
	}
	table_elements_done(&old);
	table_elements_done(&new);
	return r;
}

static int attach_one(const struct network_site *site, const char *id, const char *network,
		      const struct network_lease *before, const char *netns, struct error *err)
{
	cleanup(network_lease_done) struct network_lease after = { .nendpoints = 0 };
	int r = network_lease_read(site->db, id, &after, err);

	if (r == 0)
		r = network_attach_again(site, &after, network, netns, ATTACH_NEW, err);
	return r < 0 ? r : publish_anew(before, &after, err);
}

int network_connect(const struct network_site *site, const char *id, const char *name,
		    const struct endpoint_request *req, const char *netns, struct error *err)
{
	cleanup(network_lease_done) struct network_lease before = { .nendpoints = 0 };
	struct endpoint e = { .link = "" };
	int r = network_lease_read(site->db, id, &before, err);

	if (r == 0)
		r = reserve(site, &before, name, req, &e, err);
	if (r < 0)
		return r;
	r = attach_one(site, id, e.network.name, &before, netns, err);
	if (r < 0)
		ignore_result(network_disconnect(site, id, e.network.name, netns, NULL));
	endpoint_done(&e);
	return r;
}

/* The container runs on, so its namespace does not take the link along. */
static int unplug(struct nl *nl, const struct endpoint *e, const char *netns, struct error *err)
{
	return e->link[0] ? link_delete(nl, e->link, err) : detach_inner(e, netns, err);
}

static const struct endpoint *endpoint_in(const struct network_lease *lease, const char *network)
{
	for (size_t i = 0; i < lease->nendpoints; i++)
		if (strcmp(lease->endpoints[i].network.name, network) == 0)
			return &lease->endpoints[i];
	return NULL;
}

/* The default route went with the link that had it. */
static int route_anew(const struct network_lease *after, const char *netns, struct error *err)
{
	struct plug plug = PLUG_INIT;
	int r = plug_open(&plug, netns, true, err);

	if (r == 0)
		r = plug_defaults(&plug, after, err);
	plug_close(&plug);
	return r == -ENOENT ? 0 : r;
}

int network_disconnect(const struct network_site *site, const char *id, const char *network,
		       const char *netns, struct error *err)
{
	cleanup(network_lease_done) struct network_lease before = { .nendpoints = 0 };
	cleanup(network_lease_done) struct network_lease after = { .nendpoints = 0 };
	const struct endpoint *e;
	struct nl nl = { 0 };
	int r = network_lease_read(site->db, id, &before, err);

	if (r < 0)
		return r;
	e = endpoint_in(&before, network);
	if (!e)
		return error_set(err, -ENOENT, "the container is not in network %s", network);
	r = nl_open(&nl, err);
	if (r == 0)
		r = unplug(&nl, e, netns, err);
	if (r == 0)
		r = detach_rows(site, &nl, &before, e, err);
	if (r == 0)
		r = network_lease_read(site->db, id, &after, err);
	if (r == 0)
		r = route_anew(&after, netns, err);
	if (r == 0)
		r = publish_anew(&before, &after, err);
	nl_close(&nl);
	return r;
}
