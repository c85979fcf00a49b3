/* src/network/inspect.c */
#include "network/inspect.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/json.h"
#include "network/attach.h"
#include "network/definition.h"
#include "network/driver.h"
#include "network/member.h"

static json_t *ip_text(const struct ip *ip)
{
	char text[IP_TEXT_LEN];

	ip_format(ip, text);
	return json_string(text);
}

static json_t *net_text(const struct ip_net *net)
{
	char text[IP_NET_TEXT_LEN];

	ip_net_format(net, text);
	return json_string(text);
}

/* "NAME=VALUE" items to an object. */
static json_t *pairs(const struct strv *v)
{
	json_t *doc = json_object();

	for (size_t i = 0; i < v->n; i++) {
		autofree char *name = xstrdup(v->items[i]);
		char *value = strchr(name, '=');

		if (value)
			*value++ = '\0';
		(void)json_object_set_new(doc, name, json_string(value ? value : ""));
	}
	return doc;
}

/* networks */

static json_t *ipam(const struct network *n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n->nsubnets; i++) {
		const struct network_subnet *s = &n->subnets[i];
		char first[IP_TEXT_LEN], last[IP_TEXT_LEN];
		autofree char *range = NULL;

		ip_format(&s->first, first);
		ip_format(&s->last, last);
		range = xasprintf("%s-%s", first, last);
		(void)json_array_append_new(
			list, json_pack("{s:o, s:o, s:s}", "Subnet", net_text(&s->net), "Gateway",
					ip_text(&s->gateway), "IPRange", range));
	}
	return json_pack("{s:s, s:o}", "Driver", "default", "Config", list);
}

static json_t *routes(const struct network *n)
{
	json_t *list = json_array();

	for (size_t i = 0; i < n->nroutes; i++)
		(void)json_array_append_new(list, json_pack("{s:o, s:o, s:i}", "Destination",
							    net_text(&n->routes[i].to), "Gateway",
							    ip_text(&n->routes[i].via), "Metric",
							    (int)n->routes[i].metric));
	return list;
}

static json_t *member_json(const struct member *m)
{
	return json_pack("{s:s?, s:s, s:o, s:o, s:s, s:o}", "Name", m->name, "MacAddress", m->mac,
			 "IPv4Address", ip_text(&m->ip), "IPv6Address", ip_text(&m->ip6), "Link",
			 m->link, "Aliases", json_from_strv(&m->aliases));
}

static int add_ports(struct db *db, const struct network *n, json_t *containers, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT container, ip, protocol, host, count, target FROM ports"
			 " ORDER BY protocol, host",
			 "");

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		json_t *doc = json_object_get(containers, db_text(&rows, 0));
		json_t *ports = json_object_get(doc, "Ports");
		struct port port = { .protocol = (uint8_t)db_int(&rows, 2),
				     .host = (uint16_t)db_int(&rows, 3),
				     .count = (uint16_t)db_int(&rows, 4),
				     .container = (uint16_t)db_int(&rows, 5) };
		autofree char *text = NULL;

		if (!doc)
			continue;
		if (db_text(&rows, 1)[0])
			ignore_result(ip_parse(db_text(&rows, 1), &port.ip));
		else if (!network_subnet(n, AF_INET))
			port.ip.family = AF_INET6;
		text = port_format(&port);
		if (!ports) {
			ports = json_array();
			(void)json_object_set_new(doc, "Ports", ports);
		}
		(void)json_array_append_new(ports, json_string(text));
	}
	return db_finish(&rows);
}

static json_t *containers(struct db *db, const struct network *n, struct error *err)
{
	struct members members = { 0 };
	json_t *doc = json_object();
	int r = members_list(db, n->id, &members, err);

	for (size_t i = 0; r == 0 && i < members.n; i++)
		(void)json_object_set_new(doc, members.items[i].id, member_json(&members.items[i]));
	members_done(&members);
	if (r == 0)
		r = add_ports(db, n, doc, err);
	if (r == 0)
		return doc;
	json_decref(doc);
	return NULL;
}

/* "host" and "none" have no row, nor has "bridge" while nobody uses it. */
static json_t *inspect_builtin(const char *name)
{
	static const struct {
		const char *name, *driver;
	} builtin[] = { { NETWORK_DEFAULT, "bridge" }, { "host", "host" }, { "none", "null" } };

	for (size_t i = 0; i < ARRAY_SIZE(builtin); i++)
		if (strcmp(builtin[i].name, name) == 0)
			return json_pack("{s:s, s:s, s:s, s:{}, s:{}}", "Name", name, "Driver",
					 builtin[i].driver, "Scope", "local", "Containers",
					 "Labels");
	return NULL;
}

static json_t *describe(const struct network *n)
{
	const struct network_subnet *first = n->nsubnets > 0 ? &n->subnets[0] : NULL;
	char created[CLOCK_TEXT_LEN] = "";
	json_t *doc = json_pack("{s:s, s:s, s:s, s:s}", "Name", n->name, "Driver",
				driver_name(n->driver), "Scope", "local",
				n->driver == NETWORK_BRIDGE ? "Bridge" : "Parent", n->link);

	if (n->created_ns) {
		clock_format(n->created_ns, created);
		(void)json_object_set_new(doc, "Created", json_string(created));
	}
	(void)json_object_set_new(doc, "Subnet", first ? net_text(&first->net) : json_string(""));
	(void)json_object_set_new(doc, "Gateway",
				  first ? ip_text(&first->gateway) : json_string(""));
	(void)json_object_set_new(doc, "EnableIPv6",
				  json_boolean(network_subnet(n, AF_INET6) != NULL));
	(void)json_object_set_new(doc, "IPAM", ipam(n));
	(void)json_object_set_new(doc, "Internal", json_boolean(n->internal));
	(void)json_object_set_new(doc, "ICC", json_boolean(!n->icc_off));
	(void)json_object_set_new(doc, "Isolate", json_string(isolation_name((int)n->isolation)));
	(void)json_object_set_new(doc, "Routed", json_boolean(n->routed));
	(void)json_object_set_new(doc, "DNSEnabled", json_boolean(!n->dns_off));
	(void)json_object_set_new(doc, "MTU", json_integer(n->mtu));
	if (n->driver != NETWORK_BRIDGE)
		(void)json_object_set_new(doc, "Mode",
					  json_string(driver_mode_name(n->driver, n->mode)));
	(void)json_object_set_new(doc, "Peers", json_from_strv(&n->peers));
	(void)json_object_set_new(doc, "DNS", json_from_strv(&n->dns));
	(void)json_object_set_new(doc, "Routes", routes(n));
	(void)json_object_set_new(doc, "Options", pairs(&n->opts));
	(void)json_object_set_new(doc, "Labels", pairs(&n->labels));
	return doc;
}

int network_inspect(struct db *db, const char *name, json_t **ret, struct error *err)
{
	cleanup(network_cleanup_value) struct network network = { .id = 0 };
	json_t *doc, *members;
	int r = network_find(db, name, &network, err);

	if (r == -ENOENT && (doc = inspect_builtin(name)) != NULL) {
		*ret = doc;
		return 0;
	}
	if (r < 0)
		return r;
	members = containers(db, &network, err);
	if (!members)
		return err && err->code < 0 ? err->code : -EIO;
	doc = describe(&network);
	(void)json_object_set_new(doc, "Containers", members);
	*ret = doc;
	return 0;
}

/* a container */

static json_t *endpoint_json(const struct endpoint *e)
{
	char mac[18];

	(void)snprintf(mac, sizeof(mac), "%02x:%02x:%02x:%02x:%02x:%02x", e->mac[0], e->mac[1],
		       e->mac[2], e->mac[3], e->mac[4], e->mac[5]);
	return json_pack("{s:o, s:o, s:i, s:o, s:o, s:i, s:s, s:s, s:s, s:o}", "IPAddress",
			 ip_text(&e->ip.ip), "Gateway", ip_text(&e->gateway), "IPPrefixLen",
			 (int)e->ip.prefix_len, "GlobalIPv6Address", ip_text(&e->ip6.ip),
			 "IPv6Gateway", ip_text(&e->gateway6), "GlobalIPv6PrefixLen",
			 (int)e->ip6.prefix_len, "MacAddress", mac, "Interface", e->interface,
			 "Link", e->link, "Aliases", json_from_strv(&e->aliases));
}

static void add_binding(json_t *ports, const char *key, const char *ip, unsigned host)
{
	json_t *list = json_object_get(ports, key);
	char number[8];

	if (!list) {
		list = json_array();
		(void)json_object_set_new(ports, key, list);
	}
	(void)snprintf(number, sizeof(number), "%u", host);
	(void)json_array_append_new(list,
				    json_pack("{s:s, s:s}", "HostIp", ip, "HostPort", number));
}

static json_t *bindings(const struct network_lease *lease)
{
	const struct endpoint *gate = network_lease_gate(lease);
	json_t *ports = json_object();

	for (size_t i = 0; i < lease->nports; i++) {
		const struct port *p = &lease->ports[i];
		char ip[IP_TEXT_LEN];

		ip_format(&p->ip, ip);
		for (unsigned k = 0; k < p->count; k++) {
			autofree char *key = xasprintf("%u/%s", p->container + k,
						       port_protocol_name(p->protocol));

			if (ip[0] || !gate || ip_is_set(&gate->ip.ip))
				add_binding(ports, key, ip[0] ? ip : "0.0.0.0", p->host + k);
			if (!ip[0] && gate && ip_is_set(&gate->ip6.ip))
				add_binding(ports, key, "::", p->host + k);
		}
	}
	return ports;
}

int network_inspect_container(struct db *db, const char *id, json_t **ret, struct error *err)
{
	cleanup(network_lease_done) struct network_lease lease = { .nendpoints = 0 };
	json_t *doc, *networks;
	int r = network_lease_read(db, id, &lease, err);

	if (r < 0)
		return r;
	doc = json_object();
	networks = json_object();
	for (size_t i = 0; i < lease.nendpoints; i++)
		(void)json_object_set_new(networks, lease.endpoints[i].network.name,
					  endpoint_json(&lease.endpoints[i]));
	/* Where scripts of old look: the first network's. */
	if (lease.nendpoints > 0) {
		json_t *first = endpoint_json(&lease.endpoints[0]);

		(void)json_object_update(doc, first);
		(void)json_object_del(doc, "Aliases");
		json_decref(first);
	} else {
		(void)json_object_set_new(doc, "IPAddress", json_string(""));
	}
	(void)json_object_set_new(doc, "Networks", networks);
	(void)json_object_set_new(doc, "Ports", bindings(&lease));
	*ret = doc;
	return 0;
}
