/* src/network/restore.c - rows made again from what a container's definition notes. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/json.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "network/attach.h"
#include "network/check.h"
#include "network/claim.h"
#include "network/definition.h"
#include "network/lease.h"
#include "network/name_servers.h"

static json_t *note_subnets(const struct network *n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n->nsubnets; i++) {
		char net[IP_NET_TEXT_LEN], gateway[IP_TEXT_LEN], first[IP_TEXT_LEN];
		char last[IP_TEXT_LEN];

		ip_net_format(&n->subnets[i].net, net);
		ip_format(&n->subnets[i].gateway, gateway);
		ip_format(&n->subnets[i].first, first);
		ip_format(&n->subnets[i].last, last);
		(void)json_array_append_new(list,
					    json_pack("{s:s, s:s, s:s, s:s}", "net", net, "gateway",
						      gateway, "first", first, "last", last));
	}
	return list;
}

json_t *network_note_one(const struct network *n)
{
	return json_pack("{s:s, s:i, s:s, s:b, s:b, s:I, s:o, s:o}", "network", n->name, "driver",
			 (int)n->driver, "bridge", n->link, "managed", n->managed, "kept", n->kept,
			 "created", (json_int_t)n->created_ns, "definition", definition_format(n),
			 "subnets", note_subnets(n));
}

static json_t *note_endpoint(const struct endpoint *e)
{
	cleanup(json_cleanup) json_t *network = network_note_one(&e->network);
	char ip[IP_TEXT_LEN], ip6[IP_TEXT_LEN];
	char mac[18];
	json_t *doc;

	ip_format(&e->ip.ip, ip);
	ip_format(&e->ip6.ip, ip6);
	(void)snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", e->mac[0], e->mac[1],
		       e->mac[2], e->mac[3], e->mac[4], e->mac[5]);
	doc = json_pack("{s:s, s:s, s:s, s:s, s:s, s:o}", "link", e->link, "interface",
			e->interface, "mac", mac, "ip", ip, "ip6", ip6, "aliases",
			json_from_strv(&e->aliases));
	(void)json_object_update(doc, network);
	return doc;
}

json_t *network_note(const struct network_lease *lease)
{
	json_t *doc =
		json_pack("{s:s, s:I, s:I}", "table", lease->table, "rateUp",
			  (json_int_t)lease->rate_up, "rateDown", (json_int_t)lease->rate_down);
	json_t *list = json_array();

	for (size_t i = 0; i < lease->nendpoints; i++)
		(void)json_array_append_new(list, note_endpoint(&lease->endpoints[i]));
	(void)json_object_set_new(doc, "endpoints", list);
	(void)json_object_set_new(doc, "dns", json_from_strv(&lease->dns));
	return doc;
}

/* back */

static void read_subnet(struct json_reader *rd, const json_t *item, struct network_subnet *subnet)
{
	const char *gateway = json_read_string(rd, item, "gateway", "");

	if (ip_net_parse(json_need_string(rd, item, "net"), &subnet->net) < 0)
		json_fail(rd, "net", "is not a subnet");
	if (gateway[0] && ip_parse(gateway, &subnet->gateway) < 0)
		json_fail(rd, "gateway", "is not an address");
	if (ip_parse(json_need_string(rd, item, "first"), &subnet->first) < 0 ||
	    ip_parse(json_need_string(rd, item, "last"), &subnet->last) < 0)
		json_fail(rd, "first", "or last is not an address");
}

static int read_network(struct json_reader *rd, const json_t *item, struct network *n,
			struct error *err)
{
	const json_t *subnets = json_read_array(rd, item, "subnets"), *subnet;
	size_t i;

	(void)snprintf(n->name, sizeof(n->name), "%s", json_need_string(rd, item, "network"));
	(void)snprintf(n->link, sizeof(n->link), "%s", json_need_string(rd, item, "bridge"));
	n->driver = (enum network_driver)json_read_int(rd, item, "driver", 0, NETWORK_IPVLAN, 0);
	n->managed = json_read_bool(rd, item, "managed", true);
	n->kept = json_read_bool(rd, item, "kept", false);
	n->created_ns = json_read_int(rd, item, "created", 0, INT64_MAX, 0);
	if (json_array_size(subnets) > 0)
		n->subnets = xcalloc(json_array_size(subnets), sizeof(*n->subnets));
	json_array_foreach (subnets, i, subnet)
		read_subnet(rd, subnet, &n->subnets[n->nsubnets++]);
	if (rd->r < 0)
		return rd->r;
	return definition_parse(json_object_get(item, "definition"), n->name, n, err);
}

/* The network's row, made if it is not there. */
static int restore_network(struct db *db, struct network *n, struct error *err)
{
	cleanup(network_cleanup_value) struct network have = { .id = 0 };
	struct error none = { 0 };
	int r = network_find(db, n->name, &have, &none);

	if (r == -ENOENT) {
		r = network_insert(db, n, err);
		if (r == 0)
			r = network_find(db, n->name, &have, err);
	}
	if (r == 0)
		n->id = have.id;
	/* The network's file is from before it had a bridge. */
	if (r == 0 && !have.link[0] && n->link[0])
		r = network_set_link(db, n->id, n->link, err);
	return r;
}

int network_restore_one(const struct network_site *site, const json_t *note, const char *what,
			struct error *err)
{
	cleanup(network_cleanup_value) struct network network = { .id = 0 };
	struct json_reader rd;
	int r;

	json_reader_init(&rd, what, err);
	r = read_network(&rd, note, &network, err);
	return r < 0 ? r : restore_network(site->db, &network, err);
}

static int restore_address(struct db *db, const char *id, int64_t network, const char *text,
			   struct error *err)
{
	cleanup(network_cleanup_value) struct network n = { .id = 0 };
	struct ip ip;
	int r;

	if (!text[0] || ip_parse(text, &ip) < 0)
		return 0;
	r = network_find_id(db, network, &n, err);
	for (size_t i = 0; r == 0 && i < n.nsubnets; i++) {
		const struct ip first = ip_net_first(&n.subnets[i].net);

		if (!ip_net_has(&n.subnets[i].net, &ip))
			continue;
		r = db_run(db, err,
			   "INSERT OR IGNORE INTO addresses (network, address, subnet, slot,"
			   " container) VALUES (?1, ?2, ?3, ?4, ?5)",
			   "isiis", network, text, n.subnets[i].id,
			   (int64_t)ip_distance(&first, &ip), id);
	}
	return r;
}

static int restore_endpoint(struct db *db, const char *id, const json_t *note, const json_t *item,
			    struct error *err)
{
	cleanup(network_cleanup_value) struct network network = { .id = 0 };
	struct strv aliases = { 0 };
	struct json_reader rd;
	int r;

	json_reader_init(&rd, "container.json", err);
	r = read_network(&rd, item, &network, err);
	if (r == 0)
		r = restore_network(db, &network, err);
	if (r == 0)
		r = db_run(db, err,
			   "INSERT OR IGNORE INTO leases (container, network, link, interface, mac,"
			   " rate_up, rate_down) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
			   "sisssii", id, network.id, json_need_string(&rd, item, "link"),
			   json_need_string(&rd, item, "interface"),
			   json_need_string(&rd, item, "mac"),
			   json_read_int(&rd, note, "rateUp", 0, INT64_MAX, 0),
			   json_read_int(&rd, note, "rateDown", 0, INT64_MAX, 0));
	if (r == 0)
		r = restore_address(db, id, network.id, json_read_string(&rd, item, "ip", ""), err);
	if (r == 0)
		r = restore_address(db, id, network.id, json_read_string(&rd, item, "ip6", ""),
				    err);
	json_read_strings(&rd, item, "aliases", &aliases);
	for (size_t i = 0; r == 0 && i < aliases.n; i++)
		r = db_run(db, err,
			   "INSERT OR IGNORE INTO aliases (network, name, container)"
			   " VALUES (?1, ?2, ?3)",
			   "iss", network.id, aliases.items[i], id);
	strv_done(&aliases);
	return r < 0 ? r : rd.r;
}

static int restore_servers(struct db *db, const char *id, const json_t *note, struct error *err)
{
	struct strv dns = { 0 };
	struct json_reader rd;
	int r;

	json_reader_init(&rd, "container.json", err);
	json_read_strings(&rd, note, "dns", &dns);
	r = rd.r < 0 ? rd.r : name_servers_note(db, id, &dns, err);
	strv_done(&dns);
	return r;
}

static int restore_port(struct db *db, const char *id, const char *text, struct error *err)
{
	char ip[IP_TEXT_LEN];
	struct port port;
	int r = port_parse_formatted(text, &port, err);

	if (r < 0)
		return r;
	ip_format(&port.ip, ip);
	return db_run(db, err,
		      "INSERT OR IGNORE INTO ports (family, ip, protocol, host, count, target,"
		      " container) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		      "isiiiis", (int64_t)port.ip.family, ip, (int64_t)port.protocol,
		      (int64_t)port.host, (int64_t)port.count, (int64_t)port.container, id);
}

int network_restore(const struct network_site *site, const char *id, const json_t *note,
		    const struct strv *ports, struct error *err)
{
	const json_t *list = json_object_get(note, "endpoints"), *item;
	const char *table = json_string_value(json_object_get(note, "table"));
	size_t i;
	int r = 0;

	if (json_array_size(list) == 0)
		return 0;
	if (table && table[0])
		r = db_run(site->db, err,
			   "INSERT INTO instance (table_name) SELECT ?1"
			   " WHERE NOT EXISTS (SELECT 1 FROM instance)",
			   "s", table);
	json_array_foreach (list, i, item) {
		if (r == 0)
			r = restore_endpoint(site->db, id, note, item, err);
	}
	if (r == 0)
		r = restore_servers(site->db, id, note, err);
	for (i = 0; r == 0 && i < ports->n; i++)
		r = restore_port(site->db, id, ports->items[i], err);
	return r;
}
