/* src/lab/raise.c - in the order in which things need each other: namespaces, bridges, cables, what
 * stands on cables, then the third layer.
 */
#include "lab/raise.h"

#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/fault.h"
#include "kernel/netlink.h"
#include "kernel/route.h"
#include "lab/layer3.h"

#define LO_INDEX 1

struct wire_place raised_place(const struct raised *raised, size_t node)
{
	return (struct wire_place) { .nl = raised->ns[node].nl,
				     .fd = raised->ns[node].fd,
				     .name = raised->names[node] };
}

char *raised_where(const struct raised *raised, size_t node)
{
	return xasprintf("ip netns exec %s ", sq(raised->names[node]));
}

int raised_put(const struct raised *raised, size_t node, const char *value, struct error *err,
	       const char *path, ...)
{
	autofree char *where = raised_where(raised, node);
	char full[160];
	va_list ap;
	int len = snprintf(full, sizeof(full), "/proc/sys/net/");

	va_start(ap, path);
	(void)vsnprintf(full + len, sizeof(full) - (size_t)len, path, ap);
	va_end(ap);
	return netns_put(&raised->ns[node], where, full, value, err);
}

/* namespaces */

static int make_namespaces(struct raised *raised, struct error *err)
{
	const struct topology *t = raised->topology;
	int r = 0;

	for (size_t i = 0; r == 0 && i < t->n_nodes; i++) {
		r = netns_create_held(raised->names[i], &raised->ns[i], err);
		if (r == 0 && t->nodes[i].kind != NODE_HUB) {
			struct wire_place at = raised_place(raised, i);

			r = wire_set_up(&at, LO_INDEX, "lo", true, err);
		}
		if (i == 0)
			fault_point("lab-namespace");
	}
	return r;
}

/* bridges and cables */

static int make_bridges(const struct raised *raised, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < raised->topology->n_nodes; i++) {
		const struct node *node = &raised->topology->nodes[i];
		struct wire_place at = raised_place(raised, i);
		size_t own = node_find_interface(node, BRIDGE_NAME);
		struct wire_bridge bridge;

		if (!node_is_bridge(node))
			continue;
		bridge = (struct wire_bridge) { .name = BRIDGE_NAME,
						.mac = node->interfaces[own].mac,
						.mtu = node->interfaces[own].mtu,
						.index = interface_index(own),
						.ageing_s = node->ageing_s,
						.stp = node->stp,
						.vlans = node->vlan_aware };
		r = wire_add_bridge(&at, &bridge, err);
	}
	return r;
}

/* A port of the node's bridge, not an interface of its own. */
static bool is_port(const struct node *node, const struct interface *in)
{
	return node_is_bridge(node) && !in->routed &&
	       (in->kind == IF_CABLE || (in->kind == IF_VXLAN && in->n_addresses == 0));
}

static struct wire_end end_of(const struct raised *raised, const struct wire_place *at,
			      const struct link_end *end, bool down)
{
	const struct node *node = &raised->topology->nodes[end->node];
	const struct interface *in = &node->interfaces[end->interface];
	size_t bridge = node_find_interface(node, BRIDGE_NAME);
	bool port = is_port(node, in);

	return (struct wire_end) { .at = at,
				   .name = in->name,
				   .mac = in->mac,
				   .mtu = in->mtu,
				   .index = interface_index(end->interface),
				   .master = port ? interface_index(bridge) : 0,
				   .master_name = BRIDGE_NAME,
				   .up = !in->down && !down };
}

/* The end that is a bridge's port comes first: it is plugged in as it is made. */
static int make_cable(const struct raised *raised, const struct lab_link *link, struct error *err)
{
	const struct topology *t = raised->topology;
	const struct link_end *a = &link->ends[0], *b = &link->ends[1];
	struct wire_place places[2];
	struct wire_end ends[2];
	int r;

	if (!is_port(&t->nodes[a->node], link_end_interface(t, a))) {
		a = &link->ends[1];
		b = &link->ends[0];
	}
	places[0] = raised_place(raised, a->node);
	places[1] = raised_place(raised, b->node);
	ends[0] = end_of(raised, &places[0], a, link->down);
	ends[1] = end_of(raised, &places[1], b, false);
	r = wire_add_cable(ends, err);
	if (r == 0 && ends[1].master)
		r = wire_plug(&places[1], ends[1].index, ends[1].name, ends[1].master, BRIDGE_NAME,
			      err);
	return r;
}

/* An interface without a link is there, and has no carrier: its cable leads nowhere. */
static int make_loose(struct raised *raised, size_t node_index, size_t i, struct error *err)
{
	const struct interface *in = &raised->topology->nodes[node_index].interfaces[i];
	const struct link_end end = { .node = node_index, .interface = i };
	char name[32];
	struct wire_place places[2];
	struct wire_end ends[2];
	int r = 0;

	if (!raised->nowhere_name) {
		raised->nowhere_name = xasprintf("%s--nowhere", raised->topology->name);
		r = netns_create_held(raised->nowhere_name, &raised->nowhere, err);
	}
	if (r < 0)
		return r;
	(void)snprintf(name, sizeof(name), "n%u-%u", (unsigned)node_index, (unsigned)i);
	places[0] = raised_place(raised, node_index);
	places[1] = (struct wire_place) { .nl = raised->nowhere.nl,
					  .fd = raised->nowhere.fd,
					  .name = raised->nowhere_name };
	ends[0] = end_of(raised, &places[0], &end, false);
	ends[1] = (struct wire_end) { .at = &places[1], .name = name, .mac = in->mac };
	return wire_add_cable(ends, err);
}

static int make_cables(struct raised *raised, struct error *err)
{
	const struct topology *t = raised->topology;
	int r = 0;

	for (size_t n = 0; n < t->n_nodes; n++)
		for (size_t i = 0; r == 0 && i < t->nodes[n].n_interfaces; i++)
			if (t->nodes[n].interfaces[i].kind == IF_CABLE &&
			    t->nodes[n].interfaces[i].link == NO_INDEX)
				r = make_loose(raised, n, i, err);

	for (size_t i = 0; r == 0 && i < raised->topology->n_links; i++) {
		r = make_cable(raised, &raised->topology->links[i], err);
		if (i == 0)
			fault_point("lab-cable");
	}
	return r;
}

/* what stands on cables */

static int make_vxlan(const struct wire_place *at, const struct node *node, size_t i,
		      struct error *err)
{
	const struct interface *in = &node->interfaces[i];
	const struct vxlan *v = &in->vxlan;
	bool has_dev = v->dev != NO_INDEX;
	const struct wire_vxlan vxlan = { .name = in->name,
					  .mac = in->mac,
					  .mtu = in->mtu,
					  .index = interface_index(i),
					  .dev = has_dev ? interface_index(v->dev) : 0,
					  .dev_name = has_dev ? node->interfaces[v->dev].name : "",
					  .vni = v->vni,
					  .port = v->port,
					  .local = v->local,
					  .group = v->group };
	int r = wire_add_vxlan(at, &vxlan, err);

	for (size_t k = 0; r == 0 && k < v->n_remotes; k++)
		r = wire_add_flood(at, vxlan.index, in->name, &v->remotes[k], err);
	if (r == 0 && is_port(node, in))
		r = wire_plug(at, vxlan.index, in->name,
			      interface_index(node_find_interface(node, BRIDGE_NAME)), BRIDGE_NAME,
			      err);
	return r;
}

static int make_upper(const struct raised *raised, size_t node_index, struct error *err)
{
	const struct node *node = &raised->topology->nodes[node_index];
	struct wire_place at = raised_place(raised, node_index);
	int r = 0;

	for (size_t i = 0; r == 0 && i < node->n_interfaces; i++) {
		const struct interface *in = &node->interfaces[i];

		if (in->kind == IF_VXLAN)
			r = make_vxlan(&at, node, i, err);
		if (in->kind == IF_VLAN)
			r = wire_add_vlan(&at, in->name, interface_index(in->parent),
					  node->interfaces[in->parent].name, in->vlan,
					  interface_index(i), err);
	}
	return r;
}

static int set_ports(const struct raised *raised, size_t node_index, struct error *err)
{
	const struct node *node = &raised->topology->nodes[node_index];
	struct wire_place at = raised_place(raised, node_index);
	bool is_hub = node->ageing_s == 0;
	int r = 0;

	for (size_t i = 0; r == 0 && i < node->n_interfaces; i++) {
		const struct interface *in = &node->interfaces[i];
		const struct wire_port port = { .index = interface_index(i),
						.name = in->name,
						.learns = !is_hub,
						.isolated = in->isolated };

		if (is_port(node, in) && (is_hub || in->isolated))
			r = wire_set_port(&at, &port, err);
	}
	return r;
}

static int raise_all(struct raised *raised, struct error *err)
{
	int r = make_namespaces(raised, err);

	if (r == 0)
		r = make_bridges(raised, err);
	if (r == 0)
		r = make_cables(raised, err);
	for (size_t i = 0; r == 0 && i < raised->topology->n_nodes; i++) {
		r = make_upper(raised, i, err);
		if (r == 0 && node_is_bridge(&raised->topology->nodes[i]))
			r = set_ports(raised, i, err);
		if (r == 0)
			r = layer3_set(raised, i, err);
	}
	return r;
}

int raise_lab(const struct topology *t, struct raised *ret, struct error *err)
{
	struct raised raised = { .topology = t,
				 .nowhere = NETNS_INIT,
				 .ns = xcalloc(t->n_nodes, sizeof(*raised.ns)),
				 .names = xcalloc(t->n_nodes, sizeof(*raised.names)) };
	int r;

	for (size_t i = 0; i < t->n_nodes; i++) {
		raised.ns[i] = NETNS_INIT;
		raised.names[i] = xasprintf("%s-%s", t->name, t->nodes[i].name);
	}
	r = raise_all(&raised, err);
	if (r < 0) {
		raised_done(&raised);
		return r;
	}
	*ret = raised;
	return 0;
}

void raised_done(struct raised *raised)
{
	for (size_t i = 0; raised->ns && i < raised->topology->n_nodes; i++) {
		netns_close(&raised->ns[i]);
		free(raised->names[i]);
	}
	if (raised->nowhere_name)
		netns_close(&raised->nowhere);
	free(raised->nowhere_name);
	free(raised->ns);
	free(raised->names);
	*raised = (struct raised) { .ns = NULL };
}
