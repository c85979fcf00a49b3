/* src/network/detach.c */
#include "network/detach.h"

#include "base/alloc.h"
#include "base/db.h"
#include "base/explain.h"
#include "base/fault.h"
#include "kernel/conntrack.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "kernel/netns.h"
#include "network/attach.h"
#include "network/bridge.h"
#include "network/claim.h"
#include "network/foreign.h"
#include "network/lease.h"
#include "network/name_servers.h"
#include "network/names_port.h"
#include "network/names_server.h"
#include "network/table.h"

/* A client of UDP that never falls silent would not reach who has the port next. */
static void forget_flows(const struct network_lease *lease)
{
	const struct endpoint *gate = network_lease_gate(lease);
	bool udp = false;

	for (size_t i = 0; gate && i < lease->nports; i++)
		udp |= lease->ports[i].protocol == IPPROTO_UDP;
	if (udp && ip_is_set(&gate->ip.ip))
		conntrack_forget_translated(IPPROTO_UDP, &gate->ip.ip);
	if (udp && ip_is_set(&gate->ip6.ip))
		conntrack_forget_translated(IPPROTO_UDP, &gate->ip6.ip);
}

static int unpublish(const struct network_site *site, const struct network_lease *lease,
		     struct error *err)
{
	struct table_elements elements = { 0 };
	int r;

	network_lease_collect(lease, &elements);
	r = table_remove_through(site->nft, lease->table, &elements, err);
	table_elements_done(&elements);
	if (r == 0)
		forget_flows(lease);
	return r;
}

static int drop_names(const struct network_site *site, const struct network *network,
		      const char *table, struct error *err)
{
	struct table_elements elements = { 0 };
	int r;

	names_port_collect(site, network, &elements);
	r = table_remove(table, &elements, err);
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
	int r = drop_names(site, &e->network, table, err);

	if (r == 0)
		r = count_bridge_leases(site->db, &left, err);
	if (r == 0)
		r = link_delete(nl, e->link, err);
	if (r == 0)
		r = foreign_forget(site, &e->network, err);
	if (r == 0)
		r = bridge_remove(nl, site->db, &e->network, table, left == 0, err);
	if (r == 0) /* one that outlived its bridge would pass for that of the next one */
		r = names_server_stop(site, &e->network, err);
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
		return 0;
	r = remove_empty(site, nl, e, table, err);
	return r < 0 ? r : network_forget(site->db, e->network.id, err);
}

int detach_rows(const struct network_site *site, struct nl *nl, const struct network_lease *lease,
		const struct endpoint *endpoint, struct error *err)
{
	int r = db_begin(site->db, err);

	if (r == 0 && !endpoint)
		r = claim_drop(site->db, lease->id, err);
	if (r == 0 && !endpoint)
		r = name_servers_forget(site->db, lease->id, err);
	for (size_t i = 0; r == 0 && i < lease->nendpoints; i++)
		if (!endpoint || endpoint == &lease->endpoints[i])
			r = drop_endpoint(site, nl, lease->id, &lease->endpoints[i], lease->table,
					  err);
	fault_point("detach-links");
	if (r == 0)
		r = db_commit(site->db, err);
	db_rollback(site->db);
	fault_point("detach-rows");
	return r < 0 ? r : names_server_changed(site, lease->id, err);
}

int network_detach(const struct network_site *site, const char *id, const char *netns,
		   struct error *err)
{
	cleanup(network_lease_done) struct network_lease lease = { .nendpoints = 0 };
	struct nl nl = { 0 };
	int r = netns ? netns_remove(netns, err) : 0;

	fault_point("detach-namespace");
	if (r == 0)
		r = network_lease_read(site->db, id, &lease, err);
	if (r < 0)
		return r;
	/* The one before us may have been killed when all was done but this. */
	if (lease.nendpoints == 0 && lease.nports == 0) {
		r = name_servers_forget(site->db, id, err);
		return r < 0 ? r : names_server_changed(site, id, err);
	}
	r = unpublish(site, &lease, err);
	fault_point("detach-ports");
	if (r == 0)
		r = nl_open(&nl, err);
	if (r == 0)
		r = detach_rows(site, &nl, &lease, NULL, err);
	nl_close(&nl);
	return r;
}

int detach_inner(const struct endpoint *e, const char *netns, struct error *err)
{
	autofree char *where = explain_mode() == EXPLAIN_OFF
				       ? xstrdup("")
				       : xasprintf("nsenter --net=%s ", sq(netns));
	struct netns ns = NETNS_INIT;
	int r = netns_open(netns, &ns, err);

	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = link_delete_in(ns.nl, e->interface, where, err);
	netns_close(&ns);
	return r;
}
