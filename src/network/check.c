/* src/network/check.c */
#include "network/check.h"

#include <arpa/inet.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/db.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "network/attach.h"
#include "network/network.h"
#include "network/table.h"

struct check {
	struct db *db;
	bool repair;
	void (*report)(void *data, const char *text);
	void *data;
	int found;
};

static void found(struct check *check, char *text)
{
	check->report(check->data, text);
	check->found++;
	free(text);
}

/* links */

/* A cable of ours hangs in one of our bridges, or in none any more; another instance's does not. */
static int link_is_ours(struct db *db, struct nl *nl, const char *name, bool *ret,
			struct error *err)
{
	int master = link_master(nl, name), r;
	struct db_rows rows;

	*ret = master == 0;
	r = db_query(db, &rows, err, "SELECT bridge FROM networks", "");
	if (r < 0)
		return r;
	while (db_next(&rows))
		*ret = *ret || (master > 0 && link_index(nl, db_text(&rows, 0)) == master);
	return db_finish(&rows);
}

static int check_link(struct db *db, struct nl *nl, const char *name, bool *ret_orphan,
		      struct error *err)
{
	struct db_rows rows;
	bool known, ours = false;
	int r = db_query(db, &rows, err, "SELECT 1 FROM leases WHERE link = ?1", "s", name);

	if (r < 0)
		return r;
	known = db_next(&rows);
	r = db_finish(&rows);
	if (r == 0 && !known)
		r = link_is_ours(db, nl, name, &ours, err);
	*ret_orphan = r == 0 && !known && ours;
	return r;
}

static int check_links(struct check *check, struct error *err)
{
	struct strv links = { 0 };
	struct nl nl = { 0 };
	int r = nl_open(&nl, err);

	if (r == 0)
		r = link_names(&nl, NETWORK_LINK_PREFIX, &links, err);
	for (size_t i = 0; r == 0 && i < links.n; i++) {
		bool orphan;

		r = check_link(check->db, &nl, links.items[i], &orphan, err);
		if (r < 0 || !orphan)
			continue;
		found(check, xasprintf("link %s belongs to no container", links.items[i]));
		if (check->repair)
			r = link_delete(&nl, links.items[i], err);
	}
	strv_done(&links);
	nl_close(&nl);
	return r;
}

/* published ports */

struct published {
	struct port port; /* count 1 */
	struct in_addr to;
	bool seen;
};

struct ports {
	struct published *items;
	size_t n, room;
};

static void take_port(void *data, const struct port *port, struct in_addr to)
{
	struct ports *ports = data;

	VEC_GROW(ports->items, ports->n, ports->room);
	ports->items[ports->n++] = (struct published) { .port = *port, .to = to };
}

static struct published *find_port(const struct ports *ports, const struct published *p)
{
	for (size_t i = 0; i < ports->n; i++) {
		struct published *q = &ports->items[i];

		if (q->port.host == p->port.host && q->port.protocol == p->port.protocol &&
		    q->port.ip.s_addr == p->port.ip.s_addr)
			return q;
	}
	return NULL;
}

static int wanted_ports(struct db *db, const struct network *network, struct ports *ret,
			struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT p.ip, p.protocol, p.host, p.count, p.target, l.ip FROM ports p"
			 " JOIN leases l ON l.container = p.container WHERE l.network = ?1",
			 "i", network->id);

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		const struct in_addr to = { htonl((uint32_t)db_int(&rows, 5)) };
		struct port port = { .ip.s_addr = htonl((uint32_t)db_int(&rows, 0)),
				     .protocol = (uint8_t)db_int(&rows, 1),
				     .count = 1 };

		for (int64_t i = 0; i < db_int(&rows, 3); i++) {
			port.host = (uint16_t)(db_int(&rows, 2) + i);
			port.container = (uint16_t)(db_int(&rows, 4) + i);
			take_port(ret, &port, to);
		}
	}
	return db_finish(&rows);
}

static int publish_again(const struct network *network, const char *table,
			 const struct published *p, struct error *err)
{
	const struct table_network place = { .table = table,
					     .bridge = network->bridge,
					     .net = network->net,
					     .prefix_len = network->prefix_len };
	int r = table_add_network(&place, err);

	return r < 0 ? r : table_add_ports(table, &p->port, 1, p->to, err);
}

static int compare_ports(struct check *check, const struct network *network, const char *table,
			 struct ports *want, const struct ports *have, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < have->n; i++) {
		const struct published *p = &have->items[i];
		struct published *wanted = find_port(want, p);

		if (wanted && wanted->to.s_addr == p->to.s_addr &&
		    wanted->port.container == p->port.container) {
			wanted->seen = true;
			continue;
		}
		found(check, xasprintf("port %u/%s leads to no container", p->port.host,
				       port_protocol_name(p->port.protocol)));
		if (check->repair)
			r = table_del_ports(table, &p->port, 1, p->to, err);
	}
	for (size_t i = 0; r == 0 && i < want->n; i++) {
		const struct published *p = &want->items[i];
		autofree char *text = p->seen ? NULL : port_format(&p->port);

		if (p->seen)
			continue;
		found(check, xasprintf("port %s is not published", text));
		if (check->repair)
			r = publish_again(network, table, p, err);
	}
	return r;
}

static int check_ports(struct check *check, const char *name, struct error *err)
{
	struct ports want = { 0 }, have = { 0 };
	struct network network = { .id = 0 };
	char table[TABLE_NAME_LEN];
	int r = network_find(check->db, name, &network, err);

	if (r < 0)
		return r;
	table_name(network.bridge, table);
	r = wanted_ports(check->db, &network, &want, err);
	if (r == 0) {
		r = table_list_ports(table, take_port, &have);
		r = r == -ENOENT ? 0 : r;
		if (r < 0)
			(void)error_sys(err, r, "list nftables table inet %s", table);
	}
	if (r == 0)
		r = compare_ports(check, &network, table, &want, &have, err);
	free(want.items);
	free(have.items);
	return r;
}

int network_check(struct db *db, bool repair, void (*report)(void *data, const char *text),
		  void *data, struct error *err)
{
	struct check check = { db, repair, report, data, 0 };
	struct strv names = { 0 };
	int r = check_links(&check, err);

	if (r == 0)
		r = network_names(db, &names, err);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = check_ports(&check, names.items[i], err);
	strv_done(&names);
	return r < 0 ? r : check.found;
}

/* restoring */

/* The bridge that its cable hangs in; "" if there is none. */
static int bridge_of(const char *id, char ret[IF_NAMESIZE], struct error *err)
{
	char link[IF_NAMESIZE];
	struct nl nl = { 0 };
	int r = nl_open(&nl, err), master;

	if (r < 0)
		return r;
	(void)snprintf(link, sizeof(link), NETWORK_LINK_PREFIX "%.12s", id);
	master = link_master(&nl, link);
	nl_close(&nl);
	if (master <= 0 || !if_indextoname((unsigned)master, ret))
		ret[0] = '\0';
	return 0;
}

/* "0.0.0.0:8080->80/tcp" to what port_parse() takes. */
static int restore_port(struct db *db, const char *id, const char *text, struct error *err)
{
	autofree char *option = xstrdup(text);
	char *arrow = strstr(option, "->");
	struct port port;
	int r;

	if (arrow) {
		*arrow = ':';
		memmove(arrow + 1, arrow + 2, strlen(arrow + 2) + 1);
	}
	r = port_parse(option, &port, err);
	if (r < 0)
		return r;
	return db_run(db, err,
		      "INSERT OR IGNORE INTO ports (ip, protocol, host, count, target, container)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		      "iiiiis", (int64_t)ntohl(port.ip.s_addr), (int64_t)port.protocol,
		      (int64_t)port.host, (int64_t)port.count, (int64_t)port.container, id);
}

int network_restore(struct db *db, const char *id, const char *network, const char *address,
		    const struct strv *ports, struct error *err)
{
	char bridge[IF_NAMESIZE], link[IF_NAMESIZE];
	struct in_addr ip;
	int r = bridge_of(id, bridge, err);

	if (r < 0 || !bridge[0] || !address || inet_pton(AF_INET, address, &ip) != 1)
		return r;
	(void)snprintf(link, sizeof(link), NETWORK_LINK_PREFIX "%.12s", id);
	r = db_run(db, err,
		   "INSERT OR IGNORE INTO networks (name, bridge, net, prefix_len)"
		   " VALUES (?1, ?2, ?3, ?4)",
		   "ssii", network, bridge,
		   (int64_t)(ntohl(ip.s_addr) >> (32 - NETWORK_PREFIX_LEN)
							 << (32 - NETWORK_PREFIX_LEN)),
		   (int64_t)NETWORK_PREFIX_LEN);
	if (r == 0)
		r = db_run(db, err,
			   "INSERT OR IGNORE INTO leases (container, network, ip, link)"
			   " SELECT ?1, id, ?2, ?3 FROM networks WHERE bridge = ?4",
			   "siss", id, (int64_t)ntohl(ip.s_addr), link, bridge);
	for (size_t i = 0; r == 0 && i < ports->n; i++)
		r = restore_port(db, id, ports->items[i], err);
	return r;
}
