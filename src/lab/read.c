/* src/lab/read.c - a lab's file: its nodes, and what is worked out when all is read. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/id.h"
#include "lab/range.h"
#include "lab/read.h"

#define AGEING_DEFAULT_S 300 /* the kernel's */

void *vec_add(void *items, size_t *n, size_t size)
{
	if ((*n & (*n - 1)) == 0) /* 0 or a power of two: full */
		items = xrealloc(items, *n ? *n * 2 : 1, size);
	memset((char *)items + *n * size, 0, size);
	(*n)++;
	return items;
}

static bool is_name(const char *name, size_t max)
{
	return name_is_valid(name) && strlen(name) <= max && !strchr(name, '+');
}

/* nodes */

static const struct {
	const char *word;
	enum node_kind kind;
} kinds[] = {
	{ "host", NODE_HOST },     { "hub", NODE_HUB },       { "switch", NODE_SWITCH },
	{ "bridge", NODE_SWITCH }, { "router", NODE_ROUTER }, { "container", NODE_CONTAINER },
};

static enum node_kind read_kind(struct reading *g, const struct yaml *map)
{
	const struct yaml *y = yaml_get(map, "kind");
	const char *text = yaml_text(&g->rd, y, "kind");

	if (!text)
		return NODE_HOST;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
		if (strcmp(kinds[i].word, text) == 0)
			return kinds[i].kind;
	yaml_fail(&g->rd, y,
		  "a node is a host, hub, switch, bridge, router or container, not '%.40s'", text);
	return NODE_HOST;
}

static void check_node_keys(struct reading *g, const struct node *node, const struct yaml *map)
{
	static const char *const all[] = {
		"kind",   "addresses", "gateway",   "interfaces", "routes",    "forwarding",
		"nat",    "publish",   "run",       "proxy_arp",  "rp_filter", "stp",
		"ageing", "image",     "directory", "bare",       "command",   "mtu",
		"dns",    "resolver",  NULL,
	};
	static const struct {
		const char *key;
		enum node_kind a, b;
	} owned[] = {
		{ "stp", NODE_SWITCH, NODE_SWITCH },
		{ "ageing", NODE_SWITCH, NODE_SWITCH },
		{ "image", NODE_CONTAINER, NODE_CONTAINER },
		{ "directory", NODE_CONTAINER, NODE_CONTAINER },
		{ "bare", NODE_CONTAINER, NODE_CONTAINER },
		{ "command", NODE_CONTAINER, NODE_CONTAINER },
		{ "mtu", NODE_SWITCH, NODE_HUB },
	};
	char whose[LAB_NODE_NAME_MAX + 16];

	(void)snprintf(whose, sizeof(whose), "node %s", node->name);
	yaml_check_keys(&g->rd, map, all, whose);
	for (size_t i = 0; i < ARRAY_SIZE(owned); i++)
		if (yaml_get(map, owned[i].key) && node->kind != owned[i].a &&
		    node->kind != owned[i].b)
			yaml_fail(&g->rd, yaml_get(map, owned[i].key),
				  "'%s' is for a %s; %s is a %s", owned[i].key,
				  node_kind_name(owned[i].a), node->name,
				  node_kind_name(node->kind));
	if (node->kind == NODE_CONTAINER && yaml_get(map, "dns"))
		yaml_fail(&g->rd, yaml_get(map, "dns"),
			  "container %s runs what is in it; 'dns' is for hosts, switches and "
			  "routers",
			  node->name);
	if (node->kind == NODE_HUB &&
	    (yaml_get(map, "addresses") || yaml_get(map, "routes") || yaml_get(map, "dns")))
		yaml_fail(&g->rd, map,
			  "hub %s is a piece of wire: it has no addresses and no routes",
			  node->name);
}

static void read_node(struct reading *g, const char *name, const struct yaml *at,
		      const struct yaml *map, size_t shift)
{
	struct node *node;
	struct interface *own;

	if (!is_name(name, LAB_NODE_NAME_MAX))
		yaml_fail(
			&g->rd, at,
			"'%.70s' is no name for a node: letters, digits, '-', '_' and '.', at most %d",
			name, LAB_NODE_NAME_MAX);
	if (topology_find_node(g->t, name) != NO_INDEX)
		yaml_fail(&g->rd, at, "there is a node %s already, in line %u", name,
			  g->t->nodes[topology_find_node(g->t, name)].line);
	if (g->t->n_nodes == LAB_NODES_MAX)
		yaml_fail(&g->rd, at, "more than %d nodes", LAB_NODES_MAX);
	if (g->rd.r < 0)
		return;
	node = VEC_ADD(g->t->nodes, g->t->n_nodes);
	(void)snprintf(node->name, sizeof(node->name), "%s", name);
	node->kind = read_kind(g, map);
	node->line = at->line;
	node->ageing_s = node->kind == NODE_HUB ? 0 : AGEING_DEFAULT_S;
	node->forwarding = node->kind == NODE_ROUTER;
	check_node_keys(g, node, map);
	if (node_is_bridge(node))
		(void)read_interface_named(g, node, BRIDGE_NAME, at);
	read_interfaces(g, node, yaml_get(map, "interfaces"), shift);
	if (!yaml_get(map, "addresses"))
		return;
	own = read_interface_named(g, node, node_is_bridge(node) ? BRIDGE_NAME : "eth0", at);
	if (own)
		read_addresses(g, own, yaml_get(map, "addresses"), shift);
}

static void read_node_range(struct reading *g, const struct yaml *key, const struct yaml *map)
{
	char name[RANGE_TEXT_MAX * 2 + 16];
	struct range range;
	int r = range_parse(key->text, LAB_NODES_MAX, &range);

	if (r < 0)
		yaml_fail(&g->rd, key,
			  "'%.70s' is neither a name nor a range such as h[1-200] of at most %d",
			  key->text, LAB_NODES_MAX);
	for (size_t i = 0; g->rd.r == 0 && i < range.n; i++) {
		range_name(&range, i, name);
		read_node(g, name, key, map, i);
	}
}

static void read_nodes(struct reading *g, const struct yaml *map)
{
	if (map && map->kind != YAML_MAP)
		yaml_fail(&g->rd, map, "nodes is a map of names, such as 'h1: {kind: host}'");
	for (size_t i = 0; g->rd.r == 0 && map && i < map->n; i++)
		read_node_range(g, map->keys[i], map->items[i]);
}

/* "hosts: h[1-200]", a list of such, or a map as nodes has. */
static void read_hosts(struct reading *g, const struct yaml *y)
{
	if (y && y->kind == YAML_MAP) {
		read_nodes(g, y);
		return;
	}
	for (size_t i = 0; g->rd.r == 0 && i < yaml_count(&g->rd, y, "hosts"); i++) {
		const struct yaml *item = yaml_item(y, i);

		if (yaml_text(&g->rd, item, "a host"))
			read_node_range(g, item, NULL);
	}
}

/* What names interfaces is read when links have made them. */
static void read_rest_of(struct reading *g, const struct yaml *map)
{
	char name[RANGE_TEXT_MAX * 2 + 16];
	struct range range;

	for (size_t i = 0; g->rd.r == 0 && map && map->kind == YAML_MAP && i < map->n; i++) {
		if (range_parse(map->keys[i]->text, LAB_NODES_MAX, &range) < 0)
			continue;
		for (size_t k = 0; g->rd.r == 0 && k < range.n; k++) {
			range_name(&range, k, name);
			read_node_rest(g, &g->t->nodes[topology_find_node(g->t, name)],
				       map->items[i]);
		}
	}
}

/* what follows from the rest */

static void set_macs(struct topology *t)
{
	uint64_t hash = hash_bytes(t->name, strlen(t->name));
	static const unsigned char none[6];

	for (size_t i = 0; i < t->n_nodes; i++)
		for (size_t k = 0; k < t->nodes[i].n_interfaces; k++) {
			unsigned char *mac = t->nodes[i].interfaces[k].mac;
			const unsigned char own[] = { 0x02,
						      (unsigned char)hash,
						      (unsigned char)((i + 1) >> 8),
						      (unsigned char)(i + 1),
						      (unsigned char)(k >> 8),
						      (unsigned char)k };

			if (memcmp(mac, none, sizeof(none)) == 0)
				memcpy(mac, own, sizeof(own));
		}
}

/* A tag has its parent's address, as the kernel's own VLAN links have. */
static void share_macs(struct node *node)
{
	for (size_t i = 0; i < node->n_interfaces; i++)
		if (node->interfaces[i].kind == IF_VLAN)
			memcpy(node->interfaces[i].mac,
			       node->interfaces[node->interfaces[i].parent].mac, 6);
}

static void conclude_node(struct reading *g, struct node *node)
{
	for (size_t i = 0; i < node->n_interfaces; i++) {
		struct interface *in = &node->interfaces[i];
		bool is_port = node_is_bridge(node) && in->kind == IF_CABLE;

		in->routed |= is_port && in->n_addresses > 0;
		if ((in->vlan || in->n_trunk) && !in->routed && is_port)
			node->vlan_aware = true;
		if (node->kind == NODE_HUB && (in->vlan || in->n_trunk || in->routed) && is_port)
			yaml_fail(&g->rd, g->t->document, "hub %s knows no VLANs and no addresses",
				  node->name);
		if (in->kind == IF_VLAN && in->parent != NO_INDEX &&
		    node->interfaces[in->parent].kind == IF_BRIDGE)
			node->vlan_aware = true;
		for (size_t k = 0; k < in->n_addresses; k++)
			node->has_v6 |= in->addresses[k].ip.family == AF_INET6;
	}
	share_macs(node);
}

/* Beside the directory of lab a is its lock, "a.lock". */
static bool is_lab_name(const char *name)
{
	size_t len = strlen(name), ending = sizeof(LAB_LOCK_ENDING) - 1;

	return is_name(name, LAB_NAME_MAX) &&
	       !(len > ending && strcmp(name + len - ending, LAB_LOCK_ENDING) == 0);
}

static void read_name(struct reading *g, const struct yaml *root)
{
	const char *name = yaml_text(&g->rd, yaml_get(root, "name"), "name");
	const char *slash = strrchr(g->t->what, '/');
	static const char *const endings[] = { ".yaml", ".yml" };
	autofree char *of_file = xstrdup(slash ? slash + 1 : g->t->what);

	for (size_t i = 0; i < ARRAY_SIZE(endings); i++) {
		char *end = strstr(of_file, endings[i]);

		if (end && !end[strlen(endings[i])])
			*end = '\0';
	}
	if (!name && !is_lab_name(of_file))
		yaml_fail(
			&g->rd, root,
			"the file's name, '%.70s', cannot be the lab's: letters, digits, '-', '_' and '.', at most %d; "
			"give it one with 'name:'",
			of_file, LAB_NAME_MAX);
	else if (name && !is_lab_name(name))
		yaml_fail(
			&g->rd, yaml_get(root, "name"),
			"'%.70s' is no name for a lab: letters, digits, '-', '_' and '.', at most %d",
			name, LAB_NAME_MAX);
	name = name ? name : of_file;
	(void)snprintf(g->t->name, sizeof(g->t->name), "%s", name);
}

static void read_all(struct reading *g, const struct yaml *root)
{
	static const char *const keys[] = { "name",  "description", "nodes", "hosts",
					    "links", "checks",      NULL };
	const struct yaml *checks = yaml_get(root, "checks");

	yaml_check_keys(&g->rd, root, keys, "a lab");
	read_name(g, root);
	g->t->description =
		xstrdup_or_null(yaml_text(&g->rd, yaml_get(root, "description"), "description"));
	read_nodes(g, yaml_get(root, "nodes"));
	read_hosts(g, yaml_get(root, "hosts"));
	if (g->rd.r == 0 && g->t->n_nodes == 0)
		yaml_fail(&g->rd, root, "a lab without nodes");
	read_links(g, yaml_get(root, "links"));
	if (g->rd.r < 0)
		return;
	read_rest_of(g, yaml_get(root, "nodes"));
	read_rest_of(g, yaml_get(root, "hosts"));
	for (size_t i = 0; g->rd.r == 0 && i < yaml_count(&g->rd, checks, "checks"); i++)
		read_check(g, yaml_item(checks, i));
	set_macs(g->t);
	for (size_t i = 0; i < g->t->n_nodes; i++)
		conclude_node(g, &g->t->nodes[i]);
}

int topology_parse(const char *bytes, size_t len, const char *what, struct topology **ret,
		   struct error *err)
{
	cleanup(topology_cleanup) struct topology *t = xnew(struct topology);
	struct reading g = { .rd = { .what = what, .err = err }, .t = t };
	int r;

	t->what = xstrdup(what);
	r = yaml_parse(bytes, len, what, &t->document, err);
	if (r < 0)
		return r;
	read_all(&g, t->document);
	if (g.rd.r < 0)
		return g.rd.r;
	*ret = steal_ptr(&t);
	return 0;
}
