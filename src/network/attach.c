/* src/network/attach.c */
#include "network/attach.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/strv.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "kernel/netns.h"
#include "network/network.h"
#include "network/table.h"

#define EPHEMERAL_FROM 32768 /* where host ports are chosen that the user left open */
#define EPHEMERAL_TO   60999
#define BRIDGE_NF      "/proc/sys/net/bridge/bridge-nf-call-iptables"
#define PEER_NAME      "eth0"

void network_lease_done(struct network_lease *lease)
{
	free(lease->ports);
	lease->ports = NULL;
	lease->nports = 0;
}

/* ports */

/* A foreign listener would be covered by our rule, or cover it: neither is what was asked for. */
static int port_is_bound(const struct port *port, uint16_t number)
{
	const struct sockaddr_in addr = { .sin_family = AF_INET,
					  .sin_port = htons(number),
					  .sin_addr = port->ip };
	int type = port->protocol == IPPROTO_UDP ? SOCK_DGRAM : SOCK_STREAM;
	autoclose int fd = socket(AF_INET, type | SOCK_CLOEXEC, port->protocol);
	int on = 1;

	if (fd < 0)
		return 0; /* no such protocol here, no listener */
	if (type == SOCK_STREAM)
		(void)setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)&addr, sizeof(addr)) == 0)
		return 0;
	return -errno;
}

/* The container that has one of these ports, or "". */
static int port_owner(struct db *db, const struct port *p, char ret[128], struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT coalesce(c.name, p.container) FROM ports p"
			 " LEFT JOIN containers c ON c.id = p.container"
			 " WHERE p.protocol = ?1 AND p.host < ?2 + ?3 AND ?2 < p.host + p.count"
			 " AND (p.ip = 0 OR ?4 = 0 OR p.ip = ?4) LIMIT 1",
			 "iiii", (int64_t)p->protocol, (int64_t)p->host, (int64_t)p->count,
			 (int64_t)ntohl(p->ip.s_addr));

	ret[0] = '\0';
	if (r < 0)
		return r;
	if (db_next(&rows))
		(void)snprintf(ret, 128, "%s", db_text(&rows, 0));
	return db_finish(&rows);
}

static int port_check(struct db *db, const struct port *p, struct error *err)
{
	autofree char *text = port_format(p);
	char owner[128];
	int r = port_owner(db, p, owner, err);

	if (r < 0)
		return r;
	if (owner[0])
		return error_set(err, -EADDRINUSE, "port %s is published by container %s", text,
				 owner);
	for (uint16_t i = 0; i < p->count; i++) {
		r = port_is_bound(p, (uint16_t)(p->host + i));
		if (r == -EADDRINUSE)
			return error_set(
				err, r,
				"port %u of %s is taken by a program on this host; 'ss -lntup' "
				"names it",
				p->host + i, text);
		if (r == -EADDRNOTAVAIL)
			return error_set(err, r, "port %s: this host has no such address", text);
	}
	return 0;
}

static int port_choose(struct db *db, struct port *p, struct error *err)
{
	for (unsigned n = EPHEMERAL_FROM; n + p->count <= EPHEMERAL_TO; n++) {
		int r;

		p->host = (uint16_t)n;
		r = port_check(db, p, NULL);
		if (r == 0)
			return 0;
		if (r != -EADDRINUSE)
			return port_check(db, p, err);
	}
	return error_set(err, -EADDRINUSE, "no free port on this host to publish port %u",
			 p->container);
}

static int port_claim(struct db *db, const char *id, struct port *p, struct error *err)
{
	int r = p->host ? port_check(db, p, err) : port_choose(db, p, err);

	if (r < 0)
		return r;
	return db_run(db, err,
		      "INSERT INTO ports (ip, protocol, host, count, target, container)"
		      " VALUES (?1, ?2, ?3, ?4, ?5, ?6)",
		      "iiiiis", (int64_t)ntohl(p->ip.s_addr), (int64_t)p->protocol,
		      (int64_t)p->host, (int64_t)p->count, (int64_t)p->container, id);
}

static int claim_ports(struct db *db, const struct network_request *req,
		       struct network_lease *lease, struct error *err)
{
	int r = 0;

	if (req->publish->n > 0)
		lease->ports = xcalloc(req->publish->n, sizeof(*lease->ports));
	for (size_t i = 0; r == 0 && i < req->publish->n; i++) {
		struct port *p = &lease->ports[lease->nports++];

		r = port_parse(req->publish->items[i], p, err);
		if (r == 0)
			r = port_claim(db, req->id, p, err);
	}
	return r;
}

/* addresses */

/* The lowest free one behind the gateway. */
static int choose_address(struct db *db, const struct network *network, uint32_t *ret,
			  struct error *err)
{
	uint32_t next = ntohl(network->net.s_addr) + 2;
	uint32_t last = (ntohl(network->net.s_addr) | UINT32_MAX >> network->prefix_len) - 1;
	struct db_rows rows;
	int r = db_query(db, &rows, err, "SELECT ip FROM leases WHERE network = ?1 ORDER BY ip",
			 "i", network->id);

	if (r < 0)
		return r;
	while (db_next(&rows) && (uint32_t)db_int(&rows, 0) == next)
		next++;
	r = db_finish(&rows);
	if (r < 0)
		return r;
	if (next > last)
		return error_set(err, -ENOSPC, "network %s has no free address", network->name);
	*ret = next;
	return 0;
}

static void fill_lease(const struct network *network, const char *id, uint32_t ip,
		       struct network_lease *lease)
{
	(void)snprintf(lease->id, sizeof(lease->id), "%s", id);
	(void)snprintf(lease->network, sizeof(lease->network), "%s", network->name);
	(void)snprintf(lease->bridge, sizeof(lease->bridge), "%s", network->bridge);
	table_name(network->bridge, lease->table);
	(void)snprintf(lease->link, sizeof(lease->link), NETWORK_LINK_PREFIX "%.12s", id);
	lease->ip.s_addr = htonl(ip);
	lease->gateway_ip = network_gateway(network);
	lease->prefix_len = network->prefix_len;
	(void)inet_ntop(AF_INET, &lease->ip, lease->address, sizeof(lease->address));
	(void)inet_ntop(AF_INET, &lease->gateway_ip, lease->gateway, sizeof(lease->gateway));
}

int network_reserve(struct db *db, const struct network_request *req, struct network_lease *ret,
		    struct error *err)
{
	struct network_lease lease = { .nports = 0 };
	struct network network = { .id = 0 };
	uint32_t ip = 0;
	int r;

	if (strcmp(req->network, NETWORK_DEFAULT) == 0)
		r = network_find_default(db, &network, err);
	else
		r = network_find(db, req->network, &network, err);
	if (r == 0)
		r = choose_address(db, &network, &ip, err);
	if (r < 0)
		return r;
	fill_lease(&network, req->id, ip, &lease);
	r = db_run(db, err,
		   "INSERT INTO leases (container, network, ip, link) VALUES (?1, ?2, ?3, ?4)",
		   "siis", lease.id, network.id, (int64_t)ip, lease.link);
	if (r == 0)
		r = claim_ports(db, req, &lease, err);
	if (r < 0) {
		network_lease_done(&lease);
		return r;
	}
	*ret = lease;
	return 0;
}

/* the kernel's side */

static int put_sysctl(const char *path, const char *why, struct error *err)
{
	if (explain(why, "echo 1 > %s", path))
		return 0;
	return file_put_at(AT_FDCWD, path, "1", err);
}

static struct table_network table_network(const struct network_lease *lease)
{
	uint32_t hosts = UINT32_MAX >> lease->prefix_len;

	return (struct table_network) {
		.table = lease->table,
		.bridge = lease->bridge,
		.net.s_addr = lease->ip.s_addr & htonl(~hosts),
		.prefix_len = lease->prefix_len,
	};
}

/* The switch with its address, forwarding, and its place in the table. */
static int make_bridge(struct nl *nl, const struct network_lease *lease, struct error *err)
{
	autofree char *localnet =
		xasprintf("/proc/sys/net/ipv4/conf/%s/route_localnet", lease->bridge);
	const struct table_network network = table_network(lease);
	int index = 0, r = link_add_bridge(nl, lease->bridge, err);

	if (r == 0 && !explain_dry()) {
		index = link_index(nl, lease->bridge);
		r = index < 0 ? error_sys(err, index, "find bridge %s", lease->bridge) : 0;
	}
	if (r == 0)
		r = address_add(nl, index, lease->bridge, lease->gateway_ip, lease->prefix_len, "",
				err);
	if (r == 0)
		r = put_sysctl("/proc/sys/net/ipv4/ip_forward",
			       "this host routes between its links", err);
	if (r == 0)
		r = put_sysctl(localnet, "a port published here is reached as 127.0.0.1, too", err);
	if (r == 0)
		r = table_add_network(&network, err);
	return r < 0 ? r : index;
}

static int find_bridge(struct nl *nl, const struct network_lease *lease, struct error *err)
{
	int index = explain_dry() && !nl->sock ? -ENODEV : link_index(nl, lease->bridge);

	if (index >= 0)
		return index;
	if (index != -ENODEV)
		return error_sys(err, index, "find bridge %s", lease->bridge);
	return make_bridge(nl, lease, err);
}

/* 02: locally administered; the rest follows from the address, so that a restarted container with
 * the same address is the same neighbour.
 */
static void choose_mac(const struct network_lease *lease, unsigned char mac[6])
{
	mac[0] = 0x02;
	mac[1] = 0x53; /* 'S' */
	memcpy(mac + 2, &lease->ip, 4);
}

static int configure_inside(const struct network_lease *lease, const struct netns *ns,
			    const char *netns, struct error *err)
{
	autofree char *where = explain_mode() == EXPLAIN_OFF
				       ? xstrdup("")
				       : xasprintf("nsenter --net=%s ", sq(netns));
	int r = link_set_up(ns->nl, 1, "lo", where, err);

	if (r == 0)
		r = address_add(ns->nl, LINK_PEER_INDEX, PEER_NAME, lease->ip, lease->prefix_len,
				where, err);
	if (r == 0)
		r = link_set_up(ns->nl, LINK_PEER_INDEX, PEER_NAME, where, err);
	return r < 0 ? r : route_add_default(ns->nl, lease->gateway_ip, where, err);
}

static bool bridge_netfilter_is_on(void)
{
	autofree char *text = NULL;

	return file_read_at(AT_FDCWD, BRIDGE_NF, 16, &text, NULL, NULL) == 0 && text[0] == '1';
}

static int plug_in(struct nl *nl, const struct network_lease *lease, int bridge, const char *netns,
		   struct error *err)
{
	struct veth veth = { .name = lease->link,
			     .peer = PEER_NAME,
			     .bridge = lease->bridge,
			     .bridge_index = bridge,
			     .netns = netns };
	struct netns ns = NETNS_INIT;
	int r = netns_create(netns, &ns, err);

	veth.netns_fd = ns.fd;
	choose_mac(lease, veth.mac);
	if (r == 0)
		r = link_add_veth(nl, &veth, err);
	if (r == 0 && bridge_netfilter_is_on())
		r = link_set_hairpin(nl, lease->link, err);
	if (r == 0)
		r = configure_inside(lease, &ns, netns, err);
	netns_close(&ns);
	return r;
}

int network_attach(struct db *db, const struct network_lease *lease, const char *netns,
		   struct error *err)
{
	struct nl nl = { 0 };
	int bridge, r = nl_open(&nl, err);

	(void)db;
	if (r < 0)
		return r;
	bridge = find_bridge(&nl, lease, err);
	r = bridge < 0 ? bridge : plug_in(&nl, lease, bridge, netns, err);
	if (r == 0)
		r = table_add_ports(lease->table, lease->ports, lease->nports, lease->ip, err);
	nl_close(&nl);
	return r < 0 ? error_wrap(err, r, "connect to network %s", lease->network) : 0;
}

int network_none(const char *netns, struct error *err)
{
	autofree char *where = explain_mode() == EXPLAIN_OFF
				       ? xstrdup("")
				       : xasprintf("nsenter --net=%s ", sq(netns));
	struct netns ns = NETNS_INIT;
	int r = netns_create(netns, &ns, err);

	if (r == 0)
		r = link_set_up(ns.nl, 1, "lo", where, err);
	netns_close(&ns);
	return r;
}

/* back again */

static int read_ports(struct db *db, const char *id, struct network_lease *lease, struct error *err)
{
	size_t room = 0;
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT ip, protocol, host, count, target FROM ports WHERE container = ?1",
			 "s", id);

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		VEC_GROW(lease->ports, lease->nports, room);
		lease->ports[lease->nports++] = (struct port) {
			.ip.s_addr = htonl((uint32_t)db_int(&rows, 0)),
			.protocol = (uint8_t)db_int(&rows, 1),
			.host = (uint16_t)db_int(&rows, 2),
			.count = (uint16_t)db_int(&rows, 3),
			.container = (uint16_t)db_int(&rows, 4),
		};
	}
	return db_finish(&rows);
}

/* 1 if there is one. */
static int read_lease(struct db *db, const char *id, struct network *network,
		      struct network_lease *lease, struct error *err)
{
	char name[64] = "";
	struct db_rows rows;
	uint32_t ip = 0;
	int r = db_query(db, &rows, err,
			 "SELECT n.name, l.ip FROM leases l JOIN networks n ON n.id = l.network"
			 " WHERE l.container = ?1",
			 "s", id);

	if (r < 0)
		return r;
	if (db_next(&rows)) {
		(void)snprintf(name, sizeof(name), "%s", db_text(&rows, 0));
		ip = (uint32_t)db_int(&rows, 1);
	}
	r = db_finish(&rows);
	if (r < 0 || !name[0])
		return r;
	r = network_find(db, name, network, err);
	if (r < 0)
		return r;
	fill_lease(network, id, ip, lease);
	r = read_ports(db, id, lease, err);
	return r < 0 ? r : 1;
}

/* The bridge and the table go with the last container, inside the transaction that finds that it is
 * the last, so that none can be added meanwhile.
 */
static int delete_rows(struct db *db, const char *id, const struct network *network, struct nl *nl,
		       const struct network_lease *lease, struct error *err)
{
	const struct table_network place = table_network(lease);
	bool last = network->users <= 1;
	int r = db_begin(db, err);

	if (r == 0)
		r = db_run(db, err, "DELETE FROM ports WHERE container = ?1", "s", id);
	if (r == 0)
		r = db_run(db, err, "DELETE FROM leases WHERE container = ?1", "s", id);
	if (r == 0)
		r = network_delete(db, network->id, err);
	last = r == 0 && db_changes(db) > 0;
	if (last)
		r = link_delete(nl, lease->bridge, err);
	if (r == 0 && last) {
		struct strv others = { 0 };

		r = network_names(db, &others, err);
		if (r == 0)
			r = table_del_network(&place, others.n == 0, err);
		strv_done(&others);
	}
	if (r == 0)
		r = db_commit(db, err);
	db_rollback(db);
	return r;
}

static int detach_lease(struct db *db, const char *id, const struct network *network,
			const struct network_lease *lease, struct error *err)
{
	struct nl nl = { 0 };
	int r = table_del_ports(lease->table, lease->ports, lease->nports, lease->ip, err);

	if (r == 0)
		r = nl_open(&nl, err);
	if (r == 0)
		r = link_delete(&nl, lease->link, err);
	if (r == 0)
		r = delete_rows(db, id, network, &nl, lease, err);
	nl_close(&nl);
	return r;
}

int network_detach(struct db *db, const char *id, const char *netns, struct error *err)
{
	struct network_lease lease = { .nports = 0 };
	struct network network = { .id = 0 };
	int r = netns_remove(netns, err), found;

	if (r < 0)
		return r;
	found = read_lease(db, id, &network, &lease, err);
	if (found > 0)
		r = detach_lease(db, id, &network, &lease, err);
	network_lease_done(&lease);
	return found < 0 ? found : r;
}
