/* src/network/mend.c */
#include "network/mend.h"

#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/explain.h"
#include "base/strv.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "network/attach.h"
#include "network/bridge.h"
#include "network/check.h"
#include "network/foreign.h"
#include "network/names_port.h"
#include "network/names_server.h"
#include "network/plug.h"
#include "network/table.h"

int mend_endpoint(const struct network_site *site, struct nl *nl, const struct network_lease *lease,
		  const struct endpoint *e, struct error *err)
{
	autofree char *netns = xasprintf("%s/containers/%s/netns", site->run_root, lease->id);
	struct link link = { .index = 0 }, bridge = { .index = 0 };
	int r = link_read(nl, e->link, &link);

	if (r == -ENODEV)
		return access(netns, F_OK) < 0 ? 0
					       : network_attach_again(site, lease, e->network.name,
								      netns, ATTACH_MENDED, err);
	if (r == 0)
		r = link_read(nl, e->network.link, &bridge);
	if (r == -ENODEV && explain_dry()) /* a line of the script has made it */
		r = 0;
	if (r < 0)
		return error_sys(err, r, "look at links %s and %s", e->link, e->network.link);
	if (link.master != bridge.index || bridge.index == 0) {
		r = link_set_master(nl, e->link, e->network.link, bridge.index, err);
		link.hairpin = link.isolated = false;
	}
	return r < 0 ? r : plug_set_port(nl, e, &link, err);
}

/* everything */

static int select_texts(struct db *db, const char *sql, struct strv *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, sql, "");

	if (r < 0)
		return r;
	while (db_next(&rows))
		strv_add(ret, db_text(&rows, 0));
	return db_finish(&rows);
}

static int reload_network(const struct network_site *site, struct nl *nl, const char *name,
			  const char *table, struct table_elements *want, struct error *err)
{
	cleanup(network_cleanup_value) struct network network = { .id = 0 };
	int r = network_find(site->db, name, &network, err);

	if (r == 0)
		r = bridge_mend(site, nl, &network, table, err);
	if (r == 0)
		names_port_collect(site, &network, want);
	return r < 0 ? r : bridge_collect(site->db, &network, want, err);
}

static int reload_container(const struct network_site *site, struct nl *nl, const char *id,
			    struct table_elements *want, struct error *err)
{
	cleanup(network_lease_done) struct network_lease lease = { .nendpoints = 0 };
	int r = network_lease_read(site->db, id, &lease, err);

	for (size_t i = 0; r == 0 && i < lease.nendpoints; i++)
		if (lease.endpoints[i].link[0])
			r = mend_endpoint(site, nl, &lease, &lease.endpoints[i], err);
	if (r == 0)
		network_lease_collect(&lease, want);
	return r;
}

/* What other firewalls need, and those that answer names. */
static int reload_around(const struct network_site *site, const struct strv *networks,
			 struct error *err)
{
	int r = names_server_check(site, true, NULL, NULL, err);

	for (size_t i = 0; r >= 0 && i < networks->n; i++) {
		cleanup(network_cleanup_value) struct network network = { .id = 0 };

		r = network_find(site->db, networks->items[i], &network, err);
		if (r == 0)
			r = foreign_allow(site, &network, err);
	}
	return MIN(r, 0);
}

static int reload(const struct network_site *site, struct nl *nl, const struct strv *networks,
		  const struct strv *containers, struct error *err)
{
	struct table_elements want = { 0 };
	char table[NETWORK_TABLE_LEN] = "";
	int r = network_table(site->db, table, err);

	for (size_t i = 0; r == 0 && i < networks->n; i++)
		r = reload_network(site, nl, networks->items[i], table, &want, err);
	if (r == 0 && table[0] && !explain_dry()) /* links that are made again extend it */
		r = table_replace(table, &want, err);
	for (size_t i = 0; r == 0 && i < containers->n; i++)
		r = reload_container(site, nl, containers->items[i], &want, err);
	if (r == 0 && table[0])
		r = table_replace(table, &want, err);
	table_elements_done(&want);
	return r < 0 ? r : reload_around(site, networks, err);
}

int network_reload(const struct network_site *site, struct error *err)
{
	struct strv networks = { 0 }, containers = { 0 };
	struct nl nl = { 0 };
	int r = nl_open(&nl, err);

	if (r == 0)
		r = select_texts(site->db,
				 "SELECT DISTINCT n.name FROM networks n JOIN leases l"
				 " ON l.network = n.id WHERE n.driver = 0",
				 &networks, err);
	if (r == 0)
		r = select_texts(site->db, "SELECT DISTINCT container FROM leases", &containers,
				 err);
	if (r == 0)
		r = reload(site, &nl, &networks, &containers, err);
	strv_done(&networks);
	strv_done(&containers);
	nl_close(&nl);
	return r;
}
