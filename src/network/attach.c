/* src/network/attach.c */
#include "network/attach.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/explain.h"
#include "base/file.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "kernel/netns.h"
#include "kernel/route.h"
#include "network/bridge.h"
#include "network/claim.h"
#include "network/lease.h"
#include "network/names_server.h"
#include "network/plug.h"
#include "network/table.h"

void network_lease_done(struct network_lease *lease)
{
	for (size_t i = 0; i < lease->nendpoints; i++)
		endpoint_done(&lease->endpoints[i]);
	free(lease->endpoints);
	free(lease->ports);
	*lease = (struct network_lease) { .nendpoints = 0 };
}

const struct endpoint *network_lease_gate(const struct network_lease *lease)
{
	for (size_t i = 0; i < lease->nendpoints; i++) {
		const struct network *n = &lease->endpoints[i].network;

		if (n->driver == NETWORK_BRIDGE && !n->internal)
			return &lease->endpoints[i];
	}
	return NULL;
}

/* reserving */

static int reserve_ports(struct db *db, const struct network_request *req,
			 struct network_lease *lease, struct error *err)
{
	size_t n = req->publish ? req->publish->n : 0;
	int r = 0;

	if (n == 0)
		return 0;
	if (!network_lease_gate(lease))
		return error_set(err, -EINVAL,
				 "--publish needs a bridge network that is not internal");
	lease->ports = xcalloc(n, sizeof(*lease->ports));
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct port *p = &lease->ports[lease->nports++];

		r = port_parse(req->publish->items[i], p, err);
		if (r == 0)
			r = claim_port(db, req->id, p, err);
	}
	return r;
}

static int check_families(const struct network_lease *lease, struct error *err)
{
	const struct endpoint *gate = network_lease_gate(lease);

	for (size_t i = 0; i < lease->nports; i++) {
		const struct port *p = &lease->ports[i];
		autofree char *text = port_format(p);

		if (p->ip.family == AF_INET6 && !ip_is_set(&gate->ip6.ip))
			return error_set(err, -EINVAL,
					 "port %s: network %s has no IPv6; 'strake network create "
					 "--ipv6' makes one that has",
					 text, gate->network.name);
		if (p->ip.family == AF_INET && !ip_is_set(&gate->ip.ip))
			return error_set(err, -EINVAL, "port %s: network %s has no IPv4", text,
					 gate->network.name);
	}
	return 0;
}

int network_reserve(const struct network_site *site, const struct network_request *req,
		    struct network_lease *ret, struct error *err)
{
	struct network_lease lease = { .rate_up = req->rate_up, .rate_down = req->rate_down };
	int r = 0;

	(void)snprintf(lease.id, sizeof(lease.id), "%s", req->id);
	if (req->nendpoints > 0)
		lease.endpoints = xcalloc(req->nendpoints, sizeof(*lease.endpoints));
	for (size_t i = 0; r == 0 && i < req->nendpoints; i++) {
		r = lease_add(site->db, req, &req->endpoints[i], &lease.endpoints[i], err);
		if (r == 0)
			lease.nendpoints++;
	}
	if (r == 0)
		r = reserve_ports(site->db, req, &lease, err);
	if (r == 0)
		r = check_families(&lease, err);
	if (r == 0)
		r = network_table(site->db, lease.table, err);
	if (r < 0)
		network_lease_done(&lease);
	else
		*ret = lease;
	return r;
}

/* the kernel's side */

/* A cable that had this address is gone, or goes now: two must not answer for it. */
static int pull_leftovers(const struct network_site *site, struct nl *nl, const struct endpoint *e,
			  struct error *err)
{
	struct strv links = { 0 };
	int r = lease_take_leftovers(site->db, e, &links, err);

	for (size_t i = 0; r == 0 && i < links.n; i++)
		if (explain_dry() || link_index(nl, links.items[i]) >= 0)
			r = link_delete(nl, links.items[i], err);
	strv_done(&links);
	return r;
}

static int attach_endpoint(const struct network_site *site, struct nl *nl,
			   const struct network_lease *lease, const struct endpoint *e,
			   struct plug *plug, struct error *err)
{
	struct link bridge = { .index = 0 };
	int r = 0;

	if (e->network.driver == NETWORK_BRIDGE) {
		r = pull_leftovers(site, nl, e, err);
		if (r == 0)
			r = bridge_ensure(nl, site->db, &e->network, lease->table, &bridge, err);
	}
	if (r == 0)
		r = plug_in(nl, plug, e, &bridge, err);
	if (r == 0 && e->network.driver == NETWORK_BRIDGE && !e->network.dns_off)
		r = names_server_start(site, &e->network, err);
	if (r == 0 && e->network.driver == NETWORK_BRIDGE && !e->network.dns_off)
		r = names_server_changed(site, &e->network, err);
	return r < 0 ? error_wrap(err, r, "connect to network %s", e->network.name) : 0;
}

void network_lease_collect(const struct network_lease *lease, struct table_elements *ret)
{
	const struct endpoint *gate = network_lease_gate(lease);
	char comment[16];

	(void)snprintf(comment, sizeof(comment), "%.12s", lease->id);
	for (size_t i = 0; gate && i < lease->nports; i++)
		table_collect_port(ret, &lease->ports[i], &gate->ip.ip, &gate->ip6.ip, comment);
}

static int publish(const struct network_lease *lease, struct error *err)
{
	struct table_elements elements = { 0 };
	int r;

	network_lease_collect(lease, &elements);
	r = table_extend(lease->table, &elements, err);
	table_elements_done(&elements);
	return r;
}

int network_attach(const struct network_site *site, const struct network_lease *lease,
		   const char *netns, enum attach_flags flags, struct error *err)
{
	struct plug plug = PLUG_INIT;
	struct nl nl = { 0 };
	int r = nl_open(&nl, err);

	if (r == 0)
		r = plug_open(&plug, netns, flags & ATTACH_EXISTING, err);
	for (size_t i = 0; r == 0 && i < lease->nendpoints; i++)
		r = attach_endpoint(site, &nl, lease, &lease->endpoints[i], &plug, err);
	if (r == 0)
		r = publish(lease, err);
	plug_close(&plug);
	nl_close(&nl);
	return r;
}

int network_none(const char *netns, struct error *err)
{
	struct plug plug = PLUG_INIT;
	int r = plug_open(&plug, netns, false, err);

	plug_close(&plug);
	return r;
}

/* back again */

static int unpublish(const struct network_lease *lease, struct error *err)
{
	struct table_elements elements = { 0 };
	int r;

	network_lease_collect(lease, &elements);
	r = table_remove(lease->table, &elements, err);
	table_elements_done(&elements);
	return r;
}

static int count_bridge_leases(struct db *db, int64_t *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT count(*) FROM leases l JOIN networks n ON n.id = l.network"
			 " WHERE n.driver = 0",
			 "");

	if (r < 0)
		return r;
	*ret = db_next(&rows) ? db_int(&rows, 0) : 0;
	return db_finish(&rows);
}

/* The bridge goes with its last container, the table with the last bridge: inside the transaction
 * that finds that it is the last, so that none can be added meanwhile.
 */
static int remove_empty(const struct network_site *site, struct nl *nl, const struct endpoint *e,
			const char *table, struct error *err)
{
	int64_t left = 0;
	int r = e->network.dns_off ? 0 : names_server_stop(site, &e->network, err);

	if (r == 0)
		r = count_bridge_leases(site->db, &left, err);
	if (r == 0)
		r = link_delete(nl, e->link, err);
	if (r == 0)
		r = bridge_remove(nl, site->db, &e->network, table, left == 0, err);
	if (r == 0 && left == 0)
		r = db_run(site->db, err, "DELETE FROM instance", "");
	return r;
}

static int count_users(struct db *db, int64_t network, int64_t *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, "SELECT count(*) FROM leases WHERE network = ?1", "i",
			 network);

	if (r < 0)
		return r;
	*ret = db_next(&rows) ? db_int(&rows, 0) : 0;
	return db_finish(&rows);
}

static int drop_endpoint(const struct network_site *site, struct nl *nl, const char *id,
			 const struct endpoint *e, const char *table, struct error *err)
{
	int64_t users = 0;
	int r = lease_drop(site->db, id, e->network.id, err);

	if (r == 0)
		r = count_users(site->db, e->network.id, &users, err);
	if (r < 0 || e->network.driver != NETWORK_BRIDGE)
		return r;
	if (users > 0)
		return e->network.dns_off ? 0 : names_server_changed(site, &e->network, err);
	r = remove_empty(site, nl, e, table, err);
	return r < 0 ? r : network_forget(site->db, e->network.id, err);
}

static int drop_all(const struct network_site *site, struct nl *nl,
		    const struct network_lease *lease, struct error *err)
{
	int r = db_begin(site->db, err);

	if (r == 0)
		r = claim_drop(site->db, lease->id, err);
	for (size_t i = 0; r == 0 && i < lease->nendpoints; i++)
		r = drop_endpoint(site, nl, lease->id, &lease->endpoints[i], lease->table, err);
	if (r == 0)
		r = db_commit(site->db, err);
	db_rollback(site->db);
	return r;
}

int network_detach(const struct network_site *site, const char *id, const char *netns,
		   struct error *err)
{
	cleanup(network_lease_done) struct network_lease lease = { .nendpoints = 0 };
	struct nl nl = { 0 };
	int r = netns ? netns_remove(netns, err) : 0;

	if (r == 0)
		r = network_lease_read(site->db, id, &lease, err);
	if (r < 0 || (lease.nendpoints == 0 && lease.nports == 0))
		return r;
	r = unpublish(&lease, err);
	if (r == 0)
		r = nl_open(&nl, err);
	if (r == 0)
		r = drop_all(site, &nl, &lease, err);
	nl_close(&nl);
	return r;
}
