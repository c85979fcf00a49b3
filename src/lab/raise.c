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
#include "kernel/netem.h"
#include "kernel/netlink.h"
#include "kernel/route.h"
#include "lab/layer3.h"
#include "lab/nat.h"
#include "lab/relay.h"
#include "lab/vlan.h"

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

/* Where bridge netfilter is there, frames that a switch passes on would go through its rules for
 * packets, as if it were a router.
 */
static int leave_frames_alone(const struct raised *raised, size_t node, struct error *err)
{
	static const char *const kinds[] = { "iptables", "ip6tables", "arptables" };
	int r = 0;

	if (access("/proc/sys/net/bridge", F_OK) < 0)
		return 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(kinds); i++)
		r = raised_put(raised, node, "0", err, "bridge/bridge-nf-call-%s", kinds[i]);
	return r;
}

static int make_namespaces(struct raised *raised, struct error *err)
{
	const struct topology *t = raised->topology;
	autoclose int proc = netns_open_proc();
	int r = 0;

	for (size_t i = 0; r == 0 && i < t->n_nodes; i++) {
		r = netns_create_held(raised->names[i], proc, &raised->ns[i], err);
		if (r == 0 && t->nodes[i].kind != NODE_HUB) {
			struct wire_place at = raised_place(raised, i);

			r = wire_set_up(&at, LO_INDEX, "lo", true, err);
		}
		if (r == 0 && (t->nodes[i].n_nat || t->nodes[i].n_publish) &&
		    node_is_bridge(&t->nodes[i]))
			r = leave_frames_alone(raised, i, err);
		if (i == 0)
			fault_point("lab-namespace");
	}
	return r;
}

/* bridges and cables */

static int make_bridges(const struct raised *raised, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < raised->topology->n_nodes; i++)
		if (node_is_bridge(&raised->topology->nodes[i]))
			r = vlan_make_bridges(raised, i, err);
	return r;
}

/* A port of the node's bridge, not an interface of its own. */
static bool is_port(const struct node *node, const struct interface *in)
{
	return node_is_bridge(node) && !in->routed &&
	       (in->kind == IF_CABLE || (in->kind == IF_VXLAN && in->n_addresses == 0));
}

/* An end, and the bridge that it is plugged into. */
struct plug {
	struct wire_place at;
	struct wire_end end;
	char bridge[IF_NAMESIZE];
};

static void plug_init(const struct raised *raised, const struct link_end *end, bool down,
		      struct plug *ret)
{
	const struct node *node = &raised->topology->nodes[end->node];
	const struct interface *in = &node->interfaces[end->interface];

	ret->at = raised_place(raised, end->node);
	ret->end = (struct wire_end) { .at = &ret->at,
				       .name = in->name,
				       .mac = in->mac,
				       .mtu = in->mtu,
				       .index = interface_index(end->interface),
				       .master_name = ret->bridge,
				       .up = !in->down && !down };
	if (is_port(node, in))
		vlan_master(raised, end->node, in, ret->bridge, &ret->end.master);
}

static int need_behind(struct raised *raised, struct wire_place *ret, struct error *err)
{
	int r = 0;

	if (!raised->behind_name) {
		raised->behind_name = xasprintf("%s--behind", raised->topology->name);
		r = netns_create_held(raised->behind_name, -1, &raised->behind, err);
	}
	*ret = (struct wire_place) { .nl = raised->behind.nl,
				     .fd = raised->behind.fd,
				     .name = raised->behind_name };
	return r;
}

static int worsen(const struct plug *plug, const struct impairment *im, struct error *err)
{
	const struct netem netem = { .delay_us = im->delay_us,
				     .jitter_us = im->jitter_us,
				     .loss_ppm = im->loss_ppm,
				     .rate_bps = im->rate_bps };

	return netem_add(&plug->at, plug->end.index, plug->end.name, &netem, err);
}

static int relay_cable(struct raised *raised, size_t link, const struct plug plugs[2],
		       struct error *err)
{
	struct wire_place behind;
	int r = need_behind(raised, &behind, err);

	for (int side = 0; r == 0 && side < 2; side++) {
		const struct wire_end *end = &plugs[side].end;
		char name[IF_NAMESIZE];
		struct wire_end inner = {
			.at = &behind, .name = name, .mac = end->mac, .mtu = end->mtu, .up = true
		};

		relay_end(link, side, name, &inner.index);
		r = wire_add_cable((const struct wire_end[]) { *end, inner }, err);
	}
	return r;
}

/* The second end is plugged in by a step of its own, see wire_add_cable(). */
static int join(struct raised *raised, size_t link, const struct plug plugs[2], struct error *err)
{
	const struct lab_link *l = &raised->topology->links[link];
	bool worse = link_is_impaired(l);
	int r;

	if (worse && raised->impair == MEANS_BUILT)
		return relay_cable(raised, link, plugs, err);
	r = wire_add_cable((const struct wire_end[]) { plugs[0].end, plugs[1].end }, err);
	if (r == 0 && plugs[1].end.master)
		r = wire_plug(&plugs[1].at, plugs[1].end.index, plugs[1].end.name,
			      plugs[1].end.master, plugs[1].bridge, err);
	for (int side = 0; r == 0 && worse && side < 2; side++)
		r = worsen(&plugs[side], &l->impair, err);
	return r;
}

/* The end that is a bridge's port comes first: it is plugged in as it is made, and it is the one
 * that is down when the cable is.
 */
static int make_cable(struct raised *raised, size_t link, struct error *err)
{
	const struct topology *t = raised->topology;
	const struct lab_link *l = &t->links[link];
	const struct link_end *a = &l->ends[0], *b = &l->ends[1];
	bool relayed = raised->impair == MEANS_BUILT && link_is_impaired(l);
	struct plug plugs[2];

	if (!is_port(&t->nodes[a->node], link_end_interface(t, a))) {
		a = &l->ends[1];
		b = &l->ends[0];
	}
	plug_init(raised, a, l->down, &plugs[0]);
	plug_init(raised, b, l->down && relayed, &plugs[1]);
	return join(raised, link, plugs, err);
}

/* An interface without a link is there, and has no carrier: its cable leads nowhere. */
static int make_loose(struct raised *raised, size_t node_index, size_t i, struct error *err)
{
	const struct interface *in = &raised->topology->nodes[node_index].interfaces[i];
	const struct link_end end = { .node = node_index, .interface = i };
	char name[32];
	struct wire_place behind;
	struct plug plug;
	int r = need_behind(raised, &behind, err);

	if (r < 0)
		return r;
	(void)snprintf(name, sizeof(name), "n%u-%u", (unsigned)node_index, (unsigned)i);
	plug_init(raised, &end, false, &plug);
	return wire_add_cable(
		(const struct wire_end[]) { plug.end,
					    { .at = &behind, .name = name, .mac = in->mac } },
		err);
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
		r = make_cable(raised, i, err);
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
			r = vlan_make_link(raised, node_index, i, err);
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
	int r;

	raised->vlan = vlan_means(raised->topology);
	raised->impair = relay_means(raised->topology);
	r = make_namespaces(raised, err);
	if (r == 0)
		r = make_bridges(raised, err);
	if (r == 0)
		r = make_cables(raised, err);
	for (size_t i = 0; r == 0 && i < raised->topology->n_nodes; i++) {
		r = make_upper(raised, i, err);
		if (r == 0 && node_is_bridge(&raised->topology->nodes[i]))
			r = set_ports(raised, i, err);
		if (r == 0)
			r = vlan_set_ports(raised, i, err);
		if (r == 0)
			r = layer3_set(raised, i, err);
		if (r == 0)
			r = nat_set(raised, i, err);
	}
	return r;
}

int raise_lab(const struct topology *t, struct raised *ret, struct error *err)
{
	struct raised raised = { .topology = t,
				 .behind = NETNS_INIT,
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
	if (raised->behind_name)
		netns_close(&raised->behind);
	free(raised->behind_name);
	free(raised->ns);
	free(raised->names);
	*raised = (struct raised) { .ns = NULL };
}
