/* src/lab/read_interface.c - "interfaces:" of a node, and what a port may have. */
#include <arpa/inet.h>
#include <netinet/ether.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "lab/read.h"

#define ADDRESSES_MAX 64 /* of one interface */
#define MTU_MIN       68
#define MTU_MAX       65535
#define VXLAN_PORT    4789
#define VNI_MAX       0xffffff

static struct interface *interface_new(struct node *node, const char *name)
{
	struct interface *in = VEC_ADD(node->interfaces, node->n_interfaces);

	(void)snprintf(in->name, sizeof(in->name), "%s", name);
	in->link = in->parent = in->vxlan.dev = NO_INDEX;
	in->proxy_arp = in->proxy_ndp = in->rp_filter_set = in->forwarding = UNSET;
	in->kind = strcmp(name, "lo") == 0                                  ? IF_LOCAL
		   : node_is_bridge(node) && strcmp(name, BRIDGE_NAME) == 0 ? IF_BRIDGE
									    : IF_CABLE;
	return in;
}

/* "eth0.10": VLAN 10 on eth0, which is made if need be. */
static struct interface *vlan_new(struct reading *g, struct node *node, const char *name,
				  const struct yaml *at)
{
	const char *dot = strrchr(name, '.');
	autofree char *below = xstrndup(name, (size_t)(dot - name));
	struct interface *in;
	uint64_t id = 0;
	size_t parent;

	if (number_parse(dot + 1, 99999, &id) < 0 || id < 1 || id > LAB_VLAN_MAX) {
		yaml_fail(&g->rd, at,
			  "%s: VLAN ids are 1 to %d; 802.1Q keeps 0 and 4095 for itself", name,
			  LAB_VLAN_MAX);
		return NULL;
	}
	in = read_interface_named(g, node, below, at);
	if (!in)
		return NULL;
	if (in->kind != IF_CABLE && in->kind != IF_BRIDGE) {
		yaml_fail(&g->rd, at, "%s: %s is no interface that could carry a tag", name, below);
		return NULL;
	}
	parent = (size_t)(in - node->interfaces);
	in = interface_new(node, name);
	in->kind = IF_VLAN;
	in->vlan = (uint16_t)id;
	in->parent = parent;
	return in;
}

/* The kernel has "all" and "default" beside its interfaces, and makes a number of "%d". */
static bool is_interface_name(const char *name)
{
	static const char *const taken[] = { "", ".", "..", "all", "default" };

	for (size_t i = 0; i < ARRAY_SIZE(taken); i++)
		if (strcmp(name, taken[i]) == 0)
			return false;
	for (const char *c = name; *c; c++)
		if ((unsigned char)*c <= ' ' || strchr("/:%\x7f", *c))
			return false;
	return strlen(name) < IF_NAMESIZE;
}

/* NOLINTNEXTLINE(misc-no-recursion) of a name with one dot less each time */
struct interface *read_interface_named(struct reading *g, struct node *node, const char *name,
				       const struct yaml *at)
{
	size_t i = node_find_interface(node, name);

	if (i != NO_INDEX)
		return &node->interfaces[i];
	if (!is_interface_name(name)) {
		yaml_fail(
			&g->rd, at,
			"'%.40s' is no name for an interface: at most %d characters, no '/', ':', '%%' or blank, "
			"and not 'all' or 'default'",
			name, IF_NAMESIZE - 1);
		return NULL;
	}
	if (node->n_interfaces >= LAB_PORTS_MAX) {
		yaml_fail(&g->rd, at, "%s has more than %d interfaces", node->name, LAB_PORTS_MAX);
		return NULL;
	}
	return strchr(name, '.') ? vlan_new(g, node, name, at) : interface_new(node, name);
}

void read_ip(struct reading *g, const struct yaml *y, const char *name, struct ip *ret)
{
	const char *text = yaml_text(&g->rd, y, name);

	if (text && ip_parse(text, ret) < 0)
		yaml_fail(&g->rd, y, "%s is an address, not '%.60s'", name, text);
}

/* One that an interface can have. */
static bool is_unicast(const struct ip *ip)
{
	static const unsigned char all[4] = { 255, 255, 255, 255 };

	if (ip_is_any(ip))
		return false;
	if (ip->family == AF_INET6)
		return ip->bytes[0] != 0xff;
	return (ip->bytes[0] & 0xf0) != 0xe0 && memcmp(ip->bytes, all, sizeof(all)) != 0;
}

/* The one for the shift'th name of a range, counted on from what stands in the file. */
static void shift_address(struct reading *g, const struct yaml *at, size_t shift,
			  struct ip_net *net)
{
	const struct ip_net first = *net;
	char text[IP_NET_TEXT_LEN];

	net->ip = ip_plus(&first.ip, shift);
	ip_net_format(&first, text);
	if (shift > 0 && first.prefix_len + 1U < ip_len(&first.ip) * 8 &&
	    (!ip_net_has(&first, &net->ip) || ip_net_is_edge(&first, &net->ip)))
		yaml_fail(&g->rd, at, "counted from %s on, the subnet ends after %zu", text, shift);
	else if (!is_unicast(&net->ip))
		yaml_fail(&g->rd, at, "%s is no address that an interface can have", text);
}

void read_addresses(struct reading *g, struct interface *in, const struct yaml *list, size_t shift)
{
	for (size_t i = 0; i < yaml_count(&g->rd, list, "addresses"); i++) {
		const struct yaml *item = yaml_item(list, i);
		const char *text = yaml_text(&g->rd, item, "an address");
		struct ip_net net;

		if (!text)
			return;
		if (!strchr(text, '/') || ip_net_parse(text, &net) < 0) {
			yaml_fail(
				&g->rd, item,
				"an address has its subnet's length, such as 10.9.0.1/24, not '%.60s'",
				text);
			return;
		}
		if (in->n_addresses >= ADDRESSES_MAX) {
			yaml_fail(&g->rd, item, "%s has more than %d addresses", in->name,
				  ADDRESSES_MAX);
			return;
		}
		shift_address(g, item, shift, &net);
		*VEC_ADD(in->addresses, in->n_addresses) = net;
	}
}

void read_mac(struct reading *g, const struct yaml *y, unsigned char ret[6])
{
	static const unsigned char none[6] = { 0 };
	const char *text = yaml_text(&g->rd, y, "mac");
	struct ether_addr mac;

	if (!text)
		return;
	if (!ether_aton_r(text, &mac) || (mac.ether_addr_octet[0] & 1) ||
	    memcmp(mac.ether_addr_octet, none, sizeof(none)) == 0) {
		yaml_fail(
			&g->rd, y,
			"mac is the address of one interface, such as 02:00:00:00:00:01, not '%.40s'",
			text);
		return;
	}
	memcpy(ret, mac.ether_addr_octet, 6);
}

static uint16_t read_vlan(struct reading *g, const struct yaml *y, const char *name)
{
	const char *text = yaml_text(&g->rd, y, name);
	uint64_t id;

	if (!text)
		return 0;
	if (number_parse(text, 99999, &id) < 0 || id < 1 || id > LAB_VLAN_MAX) {
		yaml_fail(&g->rd, y,
			  "%s: VLAN ids are 1 to %d, not %.20s; 802.1Q keeps 0 and 4095 for itself",
			  name, LAB_VLAN_MAX, text);
		return 0;
	}
	return (uint16_t)id;
}

void read_port(struct reading *g, struct interface *in, const struct yaml *map)
{
	const struct yaml *vlan = yaml_get(map, "vlan"), *trunk = yaml_get(map, "trunk"),
			  *native = yaml_get(map, "native");

	if (in->kind == IF_CABLE && vlan)
		in->vlan = read_vlan(g, vlan, "vlan");
	for (size_t i = 0; i < yaml_count(&g->rd, trunk, "trunk"); i++)
		*VEC_ADD(in->trunk, in->n_trunk) = read_vlan(g, yaml_item(trunk, i), "trunk");
	if (native)
		in->native = read_vlan(g, native, "native");
	if (vlan && trunk)
		yaml_fail(
			&g->rd, vlan,
			"a port has one vlan without tags, or is a trunk; 'native' is a trunk's VLAN without tags");
	if (native && !trunk)
		yaml_fail(&g->rd, native, "native is for a trunk: which VLANs has it?");
	if (yaml_get(map, "isolated"))
		in->isolated = yaml_bool(&g->rd, yaml_get(map, "isolated"), "isolated", false);
}

static void read_vxlan(struct reading *g, struct node *node, struct interface *in,
		       const struct yaml *map)
{
	static const char *const keys[] = { "id",    "vni",  "local", "remotes", "remote",
					    "group", "port", "dev",   NULL };
	const struct yaml *id = yaml_get(map, "id") ? yaml_get(map, "id") : yaml_get(map, "vni");
	const struct yaml *remotes =
		yaml_get(map, "remotes") ? yaml_get(map, "remotes") : yaml_get(map, "remote");
	const char *dev = yaml_text(&g->rd, yaml_get(map, "dev"), "dev");
	struct vxlan *vxlan = &in->vxlan;

	yaml_check_keys(&g->rd, map, keys, "vxlan");
	if (!id)
		yaml_fail(&g->rd, map, "vxlan wants an id, 1 to %u", VNI_MAX);
	in->kind = IF_VXLAN;
	vxlan->vni = (uint32_t)yaml_number(&g->rd, id, "id", 1, VNI_MAX, 1);
	vxlan->port =
		(uint16_t)yaml_number(&g->rd, yaml_get(map, "port"), "port", 1, 65535, VXLAN_PORT);
	read_ip(g, yaml_get(map, "local"), "local", &vxlan->local);
	read_ip(g, yaml_get(map, "group"), "group", &vxlan->group);
	for (size_t i = 0; i < yaml_count(&g->rd, remotes, "remotes"); i++)
		read_ip(g, yaml_item(remotes, i), "remotes",
			VEC_ADD(vxlan->remotes, vxlan->n_remotes));
	if (dev) {
		size_t self = (size_t)(in - node->interfaces);
		const struct interface *below =
			read_interface_named(g, node, dev, yaml_get(map, "dev"));

		in = &node->interfaces[self]; /* they may have moved */
		in->vxlan.dev = below ? (size_t)(below - node->interfaces) : NO_INDEX;
	}
	if (ip_is_set(&in->vxlan.group) && in->vxlan.dev == NO_INDEX)
		yaml_fail(&g->rd, map, "a group is joined on an interface: dev says which");
}

static enum tristate read_tristate(struct reading *g, const struct yaml *map, const char *key)
{
	return yaml_get(map, key) ? (yaml_bool(&g->rd, yaml_get(map, key), key, false) ? ON : OFF)
				  : UNSET;
}

static void read_layer3(struct reading *g, struct interface *in, const struct yaml *map)
{
	const struct yaml *filter = yaml_get(map, "rp_filter"), *ndp = yaml_get(map, "proxy_ndp");

	in->proxy_arp = read_tristate(g, map, "proxy_arp");
	in->forwarding = read_tristate(g, map, "forwarding");
	if (filter) {
		in->rp_filter_set = ON;
		in->rp_filter = (int)yaml_number(&g->rd, filter, "rp_filter", 0, 2, 0);
	}
	for (size_t i = 0; i < yaml_count(&g->rd, ndp, "proxy_ndp"); i++)
		read_ip(g, yaml_item(ndp, i), "proxy_ndp", VEC_ADD(in->proxied, in->n_proxied));
}

static void read_one(struct reading *g, struct node *node, const struct yaml *key,
		     const struct yaml *map, size_t shift)
{
	static const char *const keys[] = { "addresses", "mac",       "mtu",        "proxy_arp",
					    "proxy_ndp", "rp_filter", "forwarding", "vlan",
					    "trunk",     "native",    "isolated",   "routed",
					    "down",      "vxlan",     NULL };
	struct interface *in = read_interface_named(g, node, key->text, key);
	char whose[LAB_NODE_NAME_MAX + IF_NAMESIZE + 16];
	size_t self;

	if (!in)
		return;
	(void)snprintf(whose, sizeof(whose), "interface %s:%s", node->name, in->name);
	yaml_check_keys(&g->rd, map, keys, whose);
	self = (size_t)(in - node->interfaces);
	read_addresses(g, in, yaml_get(map, "addresses"), shift);
	read_mac(g, yaml_get(map, "mac"), in->mac);
	in->mtu = (unsigned)yaml_number(&g->rd, yaml_get(map, "mtu"), "mtu", MTU_MIN, MTU_MAX, 0);
	in->routed = yaml_bool(&g->rd, yaml_get(map, "routed"), "routed", false);
	in->down = yaml_bool(&g->rd, yaml_get(map, "down"), "down", false);
	read_port(g, in, map);
	read_layer3(g, in, map);
	if (yaml_get(map, "vxlan"))
		read_vxlan(g, node, &node->interfaces[self], yaml_get(map, "vxlan"));
}

void read_interfaces(struct reading *g, struct node *node, const struct yaml *map, size_t shift)
{
	if (map && map->kind != YAML_MAP)
		yaml_fail(&g->rd, map, "interfaces is a map of names, such as 'eth0: {mtu: 1400}'");
	for (size_t i = 0; g->rd.r == 0 && map && i < map->n; i++)
		read_one(g, node, map->keys[i], map->items[i], shift);
}
