/* src/lab/read_node.c - what a node has beside its interfaces, and may name them by: gateways,
 * routes, NAT, published ports; a switch's habits; a container's root; commands.
 */
#include <ctype.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "lab/read.h"

#define AGEING_MAX_S   1000000
#define RUN_MAX        256
#define LIST_MAX       1024
#define RESOLVERS_MAX  3 /* as libc */
#define NAME_MAX_LEN   253
#define NAME_LABEL_MAX 63

static struct interface *need_interface(struct reading *g, struct node *node, const struct yaml *at,
					const char *name)
{
	size_t i = node_find_interface(node, name);

	if (i != NO_INDEX)
		return &node->interfaces[i];
	yaml_fail(&g->rd, at, "%s has no interface '%.20s'", node->name, name);
	return NULL;
}

static void read_dev(struct reading *g, struct node *node, const struct yaml *at, const char *name,
		     size_t *ret)
{
	const struct interface *in = need_interface(g, node, at, name);

	*ret = in ? (size_t)(in - node->interfaces) : NO_INDEX;
}

/* routes */

static void read_gateways(struct reading *g, struct node *node, const struct yaml *list)
{
	for (size_t i = 0; i < yaml_count(&g->rd, list, "gateway"); i++) {
		struct lab_route *route = VEC_ADD(node->routes, node->n_routes);

		route->dev = NO_INDEX;
		read_ip(g, yaml_item(list, i), "gateway", &route->via);
		route->to.ip.family = route->via.family;
	}
}

static void read_target(struct reading *g, const struct yaml *at, const char *text,
			struct lab_route *route)
{
	if (strcmp(text, "default") == 0) {
		route->to = (struct ip_net) { 0 };
		return;
	}
	if (ip_net_parse(text, &route->to) < 0) {
		yaml_fail(&g->rd, at, "a route leads to a subnet or 'default', not '%.60s'", text);
		return;
	}
	if (!ip_equal(&(struct ip) { 0 }, &route->to.ip)) {
		struct ip first = ip_net_first(&route->to);

		if (!ip_equal(&first, &route->to.ip))
			yaml_fail(&g->rd, at, "%s has bits behind its length", text);
	}
}

static void conclude_route(struct reading *g, const struct yaml *at, struct lab_route *route)
{
	if (!route->to.ip.family) {
		route->to.ip.family = route->via.family ? route->via.family : AF_INET;
		return;
	}
	if (route->via.family && route->via.family != route->to.ip.family)
		yaml_fail(&g->rd, at, "a route's target and gateway are of one family");
	if (!route->via.family && route->dev == NO_INDEX)
		yaml_fail(&g->rd, at, "a route leads via an address, or out of a dev");
}

static void take_word(struct reading *g, struct node *node, const struct yaml *at,
		      struct lab_route *route, const char *key, const char *value)
{
	uint64_t metric = 0;

	if (strcmp(key, "via") == 0) {
		if (ip_parse(value, &route->via) < 0)
			yaml_fail(&g->rd, at, "via wants an address, not '%.60s'", value);
	} else if (strcmp(key, "dev") == 0) {
		read_dev(g, node, at, value, &route->dev);
	} else if (strcmp(key, "metric") == 0 && number_parse(value, UINT32_MAX, &metric) == 0) {
		route->metric = (unsigned)metric;
	} else {
		yaml_fail(
			&g->rd, at,
			"a route is 'SUBNET via ADDRESS', with 'dev' and 'metric' if wanted, not '%.60s'",
			key);
	}
}

/* As ip-route(8) has it: "10.9.1.0/24 via 10.9.0.254", "10.9.1.0/24 dev eth0". */
static void read_route_text(struct reading *g, struct node *node, const struct yaml *y)
{
	autofree char *text = xstrdup(y->text);
	struct lab_route route = { .dev = NO_INDEX };
	char *rest = NULL, *word = strtok_r(text, " ", &rest);

	if (!word) {
		yaml_fail(&g->rd, y, "an empty route");
		return;
	}
	read_target(g, y, word, &route);
	while (g->rd.r == 0 && (word = strtok_r(NULL, " ", &rest))) {
		const char *value = strtok_r(NULL, " ", &rest);

		take_word(g, node, y, &route, word, value ? value : "");
	}
	conclude_route(g, y, &route);
	*VEC_ADD(node->routes, node->n_routes) = route;
}

static void read_route_map(struct reading *g, struct node *node, const struct yaml *map)
{
	static const char *const keys[] = { "to", "via", "dev", "metric", NULL };
	struct lab_route route = { .dev = NO_INDEX };
	const char *to = yaml_text(&g->rd, yaml_get(map, "to"), "to");

	yaml_check_keys(&g->rd, map, keys, "a route");
	if (!to) {
		yaml_fail(&g->rd, map, "a route leads 'to' a subnet or default");
		return;
	}
	read_target(g, map, to, &route);
	for (size_t i = 1; g->rd.r == 0 && keys[i]; i++) {
		const char *value = yaml_text(&g->rd, yaml_get(map, keys[i]), keys[i]);

		if (value)
			take_word(g, node, yaml_get(map, keys[i]), &route, keys[i], value);
	}
	conclude_route(g, map, &route);
	*VEC_ADD(node->routes, node->n_routes) = route;
}

static void read_routes(struct reading *g, struct node *node, const struct yaml *list)
{
	for (size_t i = 0; g->rd.r == 0 && i < yaml_count(&g->rd, list, "routes"); i++) {
		const struct yaml *y = yaml_item(list, i);

		if (i == LIST_MAX)
			yaml_fail(&g->rd, y, "more than %d routes", LIST_MAX);
		else if (y->kind == YAML_SCALAR)
			read_route_text(g, node, y);
		else
			read_route_map(g, node, y);
	}
}

/* NAT */

/* "nat: eth1": what leaves there gets its address. */
static void read_nat(struct reading *g, struct node *node, const struct yaml *list)
{
	for (size_t i = 0; i < yaml_count(&g->rd, list, "nat"); i++) {
		const char *name = yaml_text(&g->rd, yaml_item(list, i), "nat");
		size_t dev;

		if (!name)
			return;
		read_dev(g, node, yaml_item(list, i), name, &dev);
		if (g->rd.r == 0)
			*VEC_ADD(node->nat, node->n_nat) = dev;
	}
}

/* "10.9.0.2:80", "[fd00::2]:80", ":80", "80" */
static void read_address_port(struct reading *g, const struct yaml *y, const char *name,
			      struct ip *ret_ip, uint16_t *ret_port)
{
	const char *text = yaml_text(&g->rd, y, name);
	const char *colon = text ? strrchr(text, ':') : NULL;
	const char *digits = colon ? colon + 1 : text;
	autofree char *address = colon ? xstrndup(text, (size_t)(colon - text)) : NULL;
	char *plain = address;
	uint64_t port = 0;

	if (!text) {
		yaml_fail(&g->rd, y,
			  "what is published has 'port' and 'to', such as to: 10.9.0.2:80");
		return;
	}
	if (plain && plain[0] == '[' && plain[strlen(plain) - 1] == ']') {
		plain[strlen(plain) - 1] = '\0';
		plain++;
	}
	if (number_parse(digits, 65535, &port) < 0 || port == 0 ||
	    (plain && plain[0] && ip_parse(plain, ret_ip) < 0))
		yaml_fail(&g->rd, y, "%s is ADDRESS:PORT or PORT, not '%.60s'", name, text);
	*ret_port = (uint16_t)port;
}

static void read_hooks(struct reading *g, struct lab_publish *p, const struct yaml *list)
{
	p->from_outside = p->from_itself = !list;
	for (size_t i = 0; i < yaml_count(&g->rd, list, "hooks"); i++) {
		const char *word = yaml_text(&g->rd, yaml_item(list, i), "hooks");

		if (word && strcmp(word, "prerouting") == 0)
			p->from_outside = true;
		else if (word && strcmp(word, "output") == 0)
			p->from_itself = true;
		else
			yaml_fail(
				&g->rd, yaml_item(list, i),
				"hooks are prerouting (from outside) and output (from the node itself)");
	}
}

static void read_publish(struct reading *g, struct node *node, const struct yaml *list)
{
	static const char *const keys[] = { "port", "protocol", "to", "hooks", NULL };

	for (size_t i = 0; g->rd.r == 0 && i < yaml_count(&g->rd, list, "publish"); i++) {
		const struct yaml *map = yaml_item(list, i);
		struct lab_publish *p = VEC_ADD(node->publish, node->n_publish);
		const char *protocol = yaml_text(&g->rd, yaml_get(map, "protocol"), "protocol");

		yaml_check_keys(&g->rd, map, keys, "a published port");
		read_address_port(g, yaml_get(map, "port"), "port", &p->address, &p->port);
		read_address_port(g, yaml_get(map, "to"), "to", &p->to, &p->to_port);
		if (g->rd.r == 0 && !ip_is_set(&p->to))
			yaml_fail(&g->rd, yaml_get(map, "to"), "to wants an address and a port");
		p->protocol = protocol && strcmp(protocol, "udp") == 0 ? IPPROTO_UDP : IPPROTO_TCP;
		if (protocol && strcmp(protocol, "udp") != 0 && strcmp(protocol, "tcp") != 0)
			yaml_fail(&g->rd, yaml_get(map, "protocol"), "protocol is tcp or udp");
		read_hooks(g, p, yaml_get(map, "hooks"));
	}
}

/* names */

/* As it is written in a hosts file: labels of letters, digits, '-' and '_'. */
static bool is_domain_name(const char *name)
{
	size_t len = strlen(name), label = 0;

	for (size_t i = 0; i < len; i++) {
		label = name[i] == '.' ? 0 : label + 1;
		if (label > NAME_LABEL_MAX || (name[i] == '.' && (i == 0 || name[i - 1] == '.')) ||
		    (name[i] != '.' && !isalnum((unsigned char)name[i]) && name[i] != '-' &&
		     name[i] != '_'))
			return false;
	}
	return len > 0 && len <= NAME_MAX_LEN && label > 0;
}

static char *lower(const char *text)
{
	char *ret = xstrdup(text);

	for (char *c = ret; *c; c++)
		if (*c >= 'A' && *c <= 'Z')
			*c = (char)(*c - 'A' + 'a');
	return ret;
}

static void read_record(struct reading *g, struct node *node, const struct yaml *key,
			const struct yaml *list)
{
	if (!is_domain_name(key->text))
		yaml_fail(&g->rd, key, "'%.60s' is no name for a host, such as www.example.net",
			  key->text);
	if (yaml_count(&g->rd, list, "dns") == 0)
		yaml_fail(&g->rd, key, "%.60s wants an address", key->text);
	for (size_t i = 0; g->rd.r == 0 && i < yaml_count(&g->rd, list, "dns"); i++) {
		struct lab_record *record;

		if (node->n_records == LIST_MAX) {
			yaml_fail(&g->rd, key, "more than %d names", LIST_MAX);
			return;
		}
		record = VEC_ADD(node->records, node->n_records);
		record->name = lower(key->text);
		read_ip(g, yaml_item(list, i), "dns", &record->ip);
	}
}

/* "dns: true", or a map of further names to addresses. */
static void read_dns(struct reading *g, struct node *node, const struct yaml *y)
{
	if (!y || y->kind != YAML_MAP) {
		node->dns = yaml_bool(&g->rd, y, "dns", false);
		return;
	}
	node->dns = true;
	for (size_t i = 0; g->rd.r == 0 && i < y->n; i++)
		read_record(g, node, y->keys[i], y->items[i]);
}

static void read_resolvers(struct reading *g, struct node *node, const struct yaml *list)
{
	for (size_t i = 0; i < yaml_count(&g->rd, list, "resolver"); i++) {
		if (i == RESOLVERS_MAX) {
			yaml_fail(&g->rd, list, "more than %d name servers: nobody asks the rest",
				  RESOLVERS_MAX);
			return;
		}
		read_ip(g, yaml_item(list, i), "resolver",
			VEC_ADD(node->resolvers, node->n_resolvers));
	}
}

/* the rest */

static void read_strings(struct reading *g, const struct yaml *list, const char *name,
			 struct strv *ret)
{
	for (size_t i = 0; i < yaml_count(&g->rd, list, name); i++) {
		const char *text = yaml_text(&g->rd, yaml_item(list, i), name);

		if (i == RUN_MAX)
			yaml_fail(&g->rd, list, "more than %d entries in %s", RUN_MAX, name);
		if (text && i < RUN_MAX)
			strv_add(ret, text);
	}
}

static void read_root(struct reading *g, struct node *node, const struct yaml *map)
{
	static const char *const keys[] = { "image", "directory", "bare" };
	char **const targets[] = { &node->image, &node->directory, &node->bare };
	int n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(keys); i++) {
		const char *text = yaml_text(&g->rd, yaml_get(map, keys[i]), keys[i]);

		*targets[i] = xstrdup_or_null(text);
		n += text != NULL;
	}
	if (n != 1)
		yaml_fail(&g->rd, map, "container %s wants one of image, directory and bare",
			  node->name);
	read_strings(g, yaml_get(map, "command"), "command", &node->command);
}

/* A setting of the node is one of each of its interfaces that says nothing itself. */
static void spread(struct reading *g, struct node *node, const struct yaml *map)
{
	const struct yaml *arp = yaml_get(map, "proxy_arp"), *filter = yaml_get(map, "rp_filter"),
			  *mtu = yaml_get(map, "mtu");
	bool answers = yaml_bool(&g->rd, arp, "proxy_arp", false);
	int level = (int)yaml_number(&g->rd, filter, "rp_filter", 0, 2, 0);
	unsigned size = (unsigned)yaml_number(&g->rd, mtu, "mtu", 68, 65535, 0);

	for (size_t i = 0; i < node->n_interfaces; i++) {
		struct interface *in = &node->interfaces[i];

		if (arp && in->proxy_arp == UNSET)
			in->proxy_arp = answers ? ON : OFF;
		if (filter && in->rp_filter_set == UNSET) {
			in->rp_filter_set = ON;
			in->rp_filter = level;
		}
		if (in->kind == IF_BRIDGE)
			in->mtu = size;
	}
}

void read_node_rest(struct reading *g, struct node *node, const struct yaml *map)
{
	if (!map || map->kind != YAML_MAP) {
		if (node->kind == NODE_CONTAINER)
			read_root(g, node, map);
		return;
	}
	read_gateways(g, node, yaml_get(map, "gateway"));
	read_routes(g, node, yaml_get(map, "routes"));
	node->forwarding =
		yaml_bool(&g->rd, yaml_get(map, "forwarding"), "forwarding", node->forwarding);
	read_nat(g, node, yaml_get(map, "nat"));
	read_publish(g, node, yaml_get(map, "publish"));
	read_dns(g, node, yaml_get(map, "dns"));
	read_resolvers(g, node, yaml_get(map, "resolver"));
	read_strings(g, yaml_get(map, "run"), "run", &node->run);
	if (node->kind == NODE_SWITCH) {
		node->stp = yaml_bool(&g->rd, yaml_get(map, "stp"), "stp", false);
		node->ageing_s = (unsigned)yaml_number(&g->rd, yaml_get(map, "ageing"), "ageing", 0,
						       AGEING_MAX_S, node->ageing_s);
	}
	if (node->kind == NODE_CONTAINER)
		read_root(g, node, map);
	spread(g, node, map);
}
