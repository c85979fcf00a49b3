/* src/network/network.c */
#include "network/network.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/db.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "network/port.h"
#include "network/schema.h"

#define BRIDGE_PREFIX "strake"
#define BRIDGES       1000
#define SUBNET_FIRST  0x0a780000U /* 10.120.0.0: seldom used by others */
#define SUBNETS       128

static const char *const steps[] = {
	"CREATE TABLE networks ("
	" id INTEGER PRIMARY KEY,"
	" name TEXT NOT NULL UNIQUE,"
	" bridge TEXT NOT NULL UNIQUE,"
	" net INTEGER NOT NULL UNIQUE," /* host order */
	" prefix_len INTEGER NOT NULL);"
	"CREATE TABLE leases ("
	" container TEXT PRIMARY KEY,"
	" network INTEGER NOT NULL REFERENCES networks (id),"
	" ip INTEGER NOT NULL,"
	" link TEXT NOT NULL UNIQUE,"
	" UNIQUE (network, ip));"
	"CREATE TABLE ports ("
	" ip INTEGER NOT NULL," /* of the host; 0: all */
	" protocol INTEGER NOT NULL,"
	" host INTEGER NOT NULL,"
	" count INTEGER NOT NULL,"
	" target INTEGER NOT NULL,"
	" container TEXT NOT NULL,"
	" PRIMARY KEY (protocol, host, ip));"
	"CREATE INDEX ports_container ON ports (container)",
	NULL,
};

const struct db_schema network_schema = { .module = "network", .steps = steps };

static const struct {
	const char *name, *driver;
} builtin[] = { { NETWORK_DEFAULT, "bridge" }, { "host", "host" }, { "none", "null" } };

static int find(struct db *db, const char *name, struct network *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT n.id, n.name, n.bridge, n.net, n.prefix_len,"
			 " (SELECT count(*) FROM leases l WHERE l.network = n.id)"
			 " FROM networks n WHERE n.name = ?1",
			 "s", name);
	bool found = false;

	if (r < 0)
		return r;
	if (db_next(&rows)) {
		found = true;
		ret->id = db_int(&rows, 0);
		(void)snprintf(ret->name, sizeof(ret->name), "%s", db_text(&rows, 1));
		(void)snprintf(ret->bridge, sizeof(ret->bridge), "%s", db_text(&rows, 2));
		ret->net.s_addr = htonl((uint32_t)db_int(&rows, 3));
		ret->prefix_len = (unsigned)db_int(&rows, 4);
		ret->users = db_int(&rows, 5);
	}
	r = db_finish(&rows);
	return r < 0 ? r : found ? 0 : -ENOENT;
}

int network_find(struct db *db, const char *name, struct network *ret, struct error *err)
{
	int r = find(db, name, ret, err);

	if (r != -ENOENT)
		return r;
	return error_set(err, r, "no network '%s'; there are bridge, none and host", name);
}

static int choose_subnet(struct db *db, uint32_t *ret, struct error *err)
{
	struct nl nl = { 0 };
	int r = nl_open(&nl, err);

	for (uint32_t i = 0; r == 0 && i < SUBNETS; i++) {
		uint32_t net = SUBNET_FIRST + (i << (32 - NETWORK_PREFIX_LEN));
		struct subnet subnet = { .net.s_addr = htonl(net),
					 .prefix_len = NETWORK_PREFIX_LEN };
		struct db_rows rows;
		bool taken = false;

		r = route_overlaps(&nl, subnet, &taken, err);
		if (r < 0 || taken)
			continue;
		r = db_query(db, &rows, err, "SELECT 1 FROM networks WHERE net = ?1", "i",
			     (int64_t)net);
		if (r < 0)
			break;
		taken = db_next(&rows);
		r = db_finish(&rows);
		if (r < 0 || taken)
			continue;
		nl_close(&nl);
		*ret = net;
		return 0;
	}
	nl_close(&nl);
	return r < 0 ? r
		     : error_set(err, -ENOSPC, "no free subnet from 10.120.0.0 on for a network");
}

/* Another instance on this host may have the first ones. */
static int choose_bridge(char ret[IF_NAMESIZE], struct error *err)
{
	struct nl nl = { 0 };
	int r = nl_open(&nl, err);

	for (unsigned i = 0; r == 0 && i < BRIDGES; i++) {
		(void)snprintf(ret, IF_NAMESIZE, BRIDGE_PREFIX "%u", i);
		r = link_index(&nl, ret);
		if (r == -ENODEV)
			break;
		r = r < 0 ? error_sys(err, r, "look for link %s", ret) : 0;
	}
	nl_close(&nl);
	return r == -ENODEV ? 0 : r < 0 ? r : error_set(err, -ENOSPC, "too many bridges");
}

int network_find_default(struct db *db, struct network *ret, struct error *err)
{
	char bridge[IF_NAMESIZE];
	uint32_t net = 0;
	int r = find(db, NETWORK_DEFAULT, ret, err);

	if (r != -ENOENT)
		return r;
	r = choose_subnet(db, &net, err);
	if (r == 0)
		r = choose_bridge(bridge, err);
	if (r == 0)
		r = db_run(db, err,
			   "INSERT INTO networks (name, bridge, net, prefix_len)"
			   " VALUES (?1, ?2, ?3, ?4)",
			   "ssii", NETWORK_DEFAULT, bridge, (int64_t)net,
			   (int64_t)NETWORK_PREFIX_LEN);
	return r < 0 ? r : find(db, NETWORK_DEFAULT, ret, err);
}

int network_names(struct db *db, struct strv *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, "SELECT name FROM networks ORDER BY name", "");

	if (r < 0)
		return r;
	while (db_next(&rows))
		strv_add(ret, db_text(&rows, 0));
	return db_finish(&rows);
}

int network_delete(struct db *db, int64_t id, struct error *err)
{
	return db_run(db, err,
		      "DELETE FROM networks WHERE id = ?1"
		      " AND NOT EXISTS (SELECT 1 FROM leases WHERE network = ?1)",
		      "i", id);
}

struct in_addr network_gateway(const struct network *network)
{
	return (struct in_addr) { .s_addr = htonl(ntohl(network->net.s_addr) + 1) };
}

static json_t *address_text(uint32_t host_order)
{
	const struct in_addr ip = { .s_addr = htonl(host_order) };
	char text[INET_ADDRSTRLEN];

	(void)inet_ntop(AF_INET, &ip, text, sizeof(text));
	return json_string(text);
}

static int add_containers(struct db *db, int64_t id, json_t *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(
		db, &rows, err,
		"SELECT l.container, l.ip, l.link, c.name FROM leases l"
		" LEFT JOIN containers c ON c.id = l.container WHERE l.network = ?1 ORDER BY l.ip",
		"i", id);

	if (r < 0)
		return r;
	while (db_next(&rows))
		(void)json_object_set_new(ret, db_text(&rows, 0),
					  json_pack("{s:s?, s:o, s:s}", "Name", db_text(&rows, 3),
						    "IPv4Address",
						    address_text((uint32_t)db_int(&rows, 1)),
						    "Link", db_text(&rows, 2)));
	return db_finish(&rows);
}

static int add_ports(struct db *db, json_t *containers, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT container, ip, protocol, host, count, target FROM ports"
			 " ORDER BY protocol, host",
			 "");

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		json_t *container = json_object_get(containers, db_text(&rows, 0)), *list;
		const struct port port = {
			.ip.s_addr = htonl((uint32_t)db_int(&rows, 1)),
			.protocol = (uint8_t)db_int(&rows, 2),
			.host = (uint16_t)db_int(&rows, 3),
			.count = (uint16_t)db_int(&rows, 4),
			.container = (uint16_t)db_int(&rows, 5),
		};
		autofree char *text = port_format(&port);

		if (!container)
			continue;
		list = json_object_get(container, "Ports");
		if (!list) {
			list = json_array();
			(void)json_object_set_new(container, "Ports", list);
		}
		(void)json_array_append_new(list, json_string(text));
	}
	return db_finish(&rows);
}

int network_list(struct db *db, struct strv *ret, struct error *err)
{
	struct strv made = { 0 };
	int r = network_names(db, &made, err);

	for (size_t i = 0; i < ARRAY_SIZE(builtin); i++)
		strv_add(ret, builtin[i].name);
	for (size_t i = 0; i < made.n; i++)
		if (strcmp(made.items[i], NETWORK_DEFAULT) != 0)
			strv_add(ret, made.items[i]);
	strv_done(&made);
	return r;
}

/* One without anything of its own in the kernel, for now or ever. */
static json_t *inspect_builtin(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(builtin); i++)
		if (strcmp(builtin[i].name, name) == 0)
			return json_pack("{s:s, s:s, s:n, s:n, s:n, s:{}}", "Name", name, "Driver",
					 builtin[i].driver, "Bridge", "Subnet", "Gateway",
					 "Containers");
	return NULL;
}

int network_inspect(struct db *db, const char *name, json_t **ret, struct error *err)
{
	struct network network = { .id = 0 };
	char net[INET_ADDRSTRLEN], subnet[INET_ADDRSTRLEN + 4];
	json_t *doc, *containers;
	int r = network_find(db, name, &network, err);

	if (r == -ENOENT && (doc = inspect_builtin(name)) != NULL) {
		*ret = doc;
		return 0;
	}
	if (r < 0)
		return r;
	(void)inet_ntop(AF_INET, &network.net, net, sizeof(net));
	(void)snprintf(subnet, sizeof(subnet), "%s/%u", net, network.prefix_len);
	containers = json_object();
	doc = json_pack("{s:s, s:s, s:s, s:s, s:o, s:o}", "Name", network.name, "Driver", "bridge",
			"Bridge", network.bridge, "Subnet", subnet, "Gateway",
			address_text(ntohl(network_gateway(&network).s_addr)), "Containers",
			containers);
	r = add_containers(db, network.id, containers, err);
	if (r == 0)
		r = add_ports(db, containers, err);
	if (r < 0)
		json_decref(doc);
	else
		*ret = doc;
	return r;
}
