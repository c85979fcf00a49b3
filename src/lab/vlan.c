/* src/lab/vlan.c */
#include "lab/vlan.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "kernel/tag.h"

#define DEFAULT_VLAN 1 /* of a port that says nothing, as everywhere */

enum lab_means vlan_means(const struct topology *t)
{
	bool needed = false;

	for (size_t n = 0; n < t->n_nodes; n++) {
		needed |= t->nodes[n].vlan_aware;
		for (size_t i = 0; i < t->nodes[n].n_interfaces; i++)
			needed |= t->nodes[n].interfaces[i].kind == IF_VLAN;
	}
	if (!needed)
		return MEANS_NOT_NEEDED;
	if (wire_knows_vlans())
		return MEANS_KERNEL;
	if (!explain_dry())
		return MEANS_BUILT;
	(void)explain_note(
		"this kernel cannot filter VLANs, and no stock tool puts tags on with BPF as "
		"'lab up' does here: this script needs a kernel that can");
	return MEANS_KERNEL;
}

static bool is_built(const struct raised *raised, const struct node *node)
{
	return node->vlan_aware && raised->vlan == MEANS_BUILT;
}

static bool is_port(const struct interface *in)
{
	return in->kind == IF_CABLE && !in->routed;
}

static uint16_t access_vlan(const struct interface *in)
{
	return in->n_trunk ? 0 : in->vlan ? in->vlan : DEFAULT_VLAN;
}

/* The bridge's own interface in a VLAN ("br0.10"), or NO_INDEX. */
static size_t own_interface(const struct node *node, uint16_t vlan)
{
	for (size_t i = 0; i < node->n_interfaces; i++) {
		const struct interface *in = &node->interfaces[i];

		if (in->kind == IF_VLAN && in->vlan == vlan &&
		    node->interfaces[in->parent].kind == IF_BRIDGE)
			return i;
	}
	return NO_INDEX;
}

static void bridge_of(const struct node *node, uint16_t vlan, char ret_name[IF_NAMESIZE],
		      int *ret_index)
{
	size_t own = own_interface(node, vlan);

	(void)snprintf(ret_name, IF_NAMESIZE,
		       vlan == DEFAULT_VLAN ? BRIDGE_NAME : BRIDGE_NAME ".%u", vlan);
	*ret_index = vlan == DEFAULT_VLAN ? interface_index(node_find_interface(node, BRIDGE_NAME))
		     : own != NO_INDEX    ? interface_index(own)
					  : VLAN_BRIDGE_INDEX + vlan;
}

void vlan_master(const struct raised *raised, size_t n, const struct interface *in,
		 char ret_name[IF_NAMESIZE], int *ret_index)
{
	const struct node *node = &raised->topology->nodes[n];
	bool built = is_built(raised, node);

	if (built && in->n_trunk) {
		ret_name[0] = '\0';
		*ret_index = 0;
		return;
	}
	bridge_of(node, built ? access_vlan(in) : DEFAULT_VLAN, ret_name, ret_index);
}

/* bridges */

/* In ascending order, each once. */
static size_t collect_vlans(const struct node *node, bool ret[LAB_VLAN_MAX + 1])
{
	size_t n = 0;

	memset(ret, 0, LAB_VLAN_MAX + 1);
	for (size_t i = 0; i < node->n_interfaces; i++) {
		const struct interface *in = &node->interfaces[i];

		if (in->kind == IF_VLAN && node->interfaces[in->parent].kind == IF_BRIDGE)
			ret[in->vlan] = true;
		if (!is_port(in))
			continue;
		ret[in->n_trunk ? in->native : access_vlan(in)] = true;
		for (size_t k = 0; k < in->n_trunk; k++)
			ret[in->trunk[k]] = true;
	}
	ret[0] = false;
	for (size_t v = 1; v <= LAB_VLAN_MAX; v++)
		n += ret[v];
	return n;
}

int vlan_make_bridges(const struct raised *raised, size_t n, struct error *err)
{
	const struct node *node = &raised->topology->nodes[n];
	struct wire_place at = raised_place(raised, n);
	size_t own = node_find_interface(node, BRIDGE_NAME);
	struct wire_bridge bridge = { .name = BRIDGE_NAME,
				      .mac = node->interfaces[own].mac,
				      .mtu = node->interfaces[own].mtu,
				      .index = interface_index(own),
				      .ageing_s = node->ageing_s,
				      .stp = node->stp,
				      .vlans = node->vlan_aware && !is_built(raised, node) };
	bool vlans[LAB_VLAN_MAX + 1];
	char name[IF_NAMESIZE];
	int r = wire_add_bridge(&at, &bridge, err);

	if (!is_built(raised, node))
		return r;
	(void)collect_vlans(node, vlans);
	bridge.name = name;
	for (uint16_t v = DEFAULT_VLAN + 1; r == 0 && v <= LAB_VLAN_MAX; v++) {
		if (!vlans[v])
			continue;
		bridge_of(node, v, name, &bridge.index);
		r = wire_add_bridge(&at, &bridge, err);
	}
	return r;
}

/* legs */

/* port is the index of an interface of the node; k counts its legs. */
static void leg_names(const struct node *node, size_t port, uint16_t vlan, char inner[IF_NAMESIZE],
		      char outer[IF_NAMESIZE])
{
	const char *name = node->interfaces[port].name;

	if (strlen(name) + 5 < IF_NAMESIZE) {
		(void)snprintf(inner, IF_NAMESIZE, "%.9s.%u", name, vlan);
		(void)snprintf(outer, IF_NAMESIZE, "%.9s+%u", name, vlan);
	} else {
		(void)snprintf(inner, IF_NAMESIZE, "i%u.%u", (unsigned)port % 1000, vlan);
		(void)snprintf(outer, IF_NAMESIZE, "i%u+%u", (unsigned)port % 1000, vlan);
	}
}

static int leg_index(const struct node *node, size_t port, size_t k)
{
	int before = 0;

	for (size_t i = 0; i < port; i++)
		before += (int)node->interfaces[i].n_trunk + 1;
	return VLAN_LEG_INDEX + 2 * (before + (int)k);
}

static int make_leg(const struct raised *raised, size_t n, size_t port, size_t k,
		    struct tag_leg *leg, struct error *err)
{
	const struct node *node = &raised->topology->nodes[n];
	const struct interface *in = &node->interfaces[port];
	struct wire_place at = raised_place(raised, n);
	char inner[IF_NAMESIZE], outer[IF_NAMESIZE], bridge[IF_NAMESIZE];
	struct wire_end ends[2] = { { .at = &at, .name = inner, .mac = in->mac, .up = true },
				    { .at = &at, .name = outer, .mac = in->mac, .up = true } };
	struct wire_port setting = { .name = inner, .learns = true, .isolated = in->isolated };
	int r;

	leg_names(node, port, leg->vlan, inner, outer);
	bridge_of(node, leg->vlan, bridge, &ends[0].master);
	ends[0].master_name = bridge;
	ends[0].index = setting.index = leg_index(node, port, k);
	ends[1].index = leg->index = ends[0].index + 1;
	ends[0].mtu = ends[1].mtu = in->mtu;
	r = wire_add_cable(ends, err);
	if (r == 0 && in->isolated)
		r = wire_set_port(&at, &setting, err);
	if (r == 0)
		r = tag_join(&at, leg, interface_index(port), outer, err);
	return r;
}

static int make_trunk(const struct raised *raised, size_t n, size_t port, struct error *err)
{
	const struct interface *in = &raised->topology->nodes[n].interfaces[port];
	struct wire_place at = raised_place(raised, n);
	struct tag_leg *legs = xcalloc(in->n_trunk + 1, sizeof(*legs));
	bool has_native = in->native != 0;
	size_t n_legs = 0;
	int r = 0;

	for (size_t k = 0; k < in->n_trunk; k++) {
		legs[n_legs++] = (struct tag_leg) { .vlan = in->trunk[k],
						    .untagged = in->trunk[k] == in->native };
		has_native &= in->trunk[k] != in->native;
	}
	if (has_native)
		legs[n_legs++] = (struct tag_leg) { .vlan = in->native, .untagged = true };
	for (size_t k = 0; r == 0 && k < n_legs; k++)
		r = make_leg(raised, n, port, k, &legs[k], err);
	if (r == 0)
		r = tag_split(&at, interface_index(port), in->name, legs, n_legs, false, err);
	free(legs);
	return r;
}

static int build_ports(const struct raised *raised, size_t n, struct error *err)
{
	const struct node *node = &raised->topology->nodes[n];
	struct wire_place at = raised_place(raised, n);
	int r = 0;

	for (size_t i = 0; r == 0 && i < node->n_interfaces; i++) {
		const struct interface *in = &node->interfaces[i];

		if (!is_port(in))
			continue;
		r = in->n_trunk
			    ? make_trunk(raised, n, i, err)
			    : tag_guard(&at, interface_index(i), in->name, access_vlan(in), err);
	}
	return r;
}

/* the kernel's own */

static int filter_port(const struct wire_place *at, const struct interface *in, int index,
		       struct error *err)
{
	bool has_native = in->native != 0;
	int r = 0;

	if (!in->n_trunk)
		return wire_add_port_vlan(at, index, in->name, access_vlan(in), true, false, err);
	for (size_t k = 0; r == 0 && k < in->n_trunk; k++) {
		r = wire_add_port_vlan(at, index, in->name, in->trunk[k],
				       in->trunk[k] == in->native, false, err);
		has_native &= in->trunk[k] != in->native;
	}
	if (r == 0 && has_native)
		r = wire_add_port_vlan(at, index, in->name, in->native, true, false, err);
	return r;
}

static int filter_ports(const struct raised *raised, size_t n, struct error *err)
{
	const struct node *node = &raised->topology->nodes[n];
	struct wire_place at = raised_place(raised, n);
	int r = 0;

	for (size_t i = 0; r == 0 && i < node->n_interfaces; i++) {
		const struct interface *in = &node->interfaces[i];

		if (is_port(in))
			r = filter_port(&at, in, interface_index(i), err);
		else if (in->kind == IF_BRIDGE && in->n_addresses)
			r = wire_add_port_vlan(&at, interface_index(i), in->name, DEFAULT_VLAN,
					       true, true, err);
		else if (in->kind == IF_VLAN && node->interfaces[in->parent].kind == IF_BRIDGE)
			r = wire_add_port_vlan(&at, interface_index(in->parent),
					       node->interfaces[in->parent].name, in->vlan, false,
					       true, err);
	}
	return r;
}

int vlan_set_ports(const struct raised *raised, size_t n, struct error *err)
{
	const struct node *node = &raised->topology->nodes[n];

	if (!node->vlan_aware)
		return 0;
	return is_built(raised, node) ? build_ports(raised, n, err) : filter_ports(raised, n, err);
}

/* eth0.10 */

static int build_link(const struct raised *raised, size_t n, size_t i, struct error *err)
{
	const struct node *node = &raised->topology->nodes[n];
	const struct interface *in = &node->interfaces[i];
	struct wire_place at = raised_place(raised, n);
	char outer[IF_NAMESIZE], unused[IF_NAMESIZE];
	struct wire_end ends[2] = { { .at = &at, .name = in->name, .mac = in->mac, .up = true },
				    { .at = &at, .name = outer, .mac = in->mac, .up = true } };
	struct tag_leg leg = { .vlan = in->vlan, .index = VLAN_LEG_INDEX + (int)i };

	leg_names(node, in->parent, in->vlan, unused, outer);
	ends[0].index = interface_index(i);
	ends[1].index = leg.index;
	ends[0].mtu = ends[1].mtu = in->mtu ? in->mtu : node->interfaces[in->parent].mtu;
	return wire_add_cable(ends, err) < 0
		       ? err->code
		       : tag_join(&at, &leg, interface_index(in->parent), outer, err);
}

/* One program sorts all tags of an interface, so it is put there with the last of them. */
static int split_parent(const struct raised *raised, size_t n, size_t i, struct error *err)
{
	const struct node *node = &raised->topology->nodes[n];
	size_t parent = node->interfaces[i].parent, n_legs = 0;
	struct wire_place at = raised_place(raised, n);
	struct tag_leg *legs = xcalloc(node->n_interfaces, sizeof(*legs));
	int r = 0;

	for (size_t k = 0; k < node->n_interfaces; k++) {
		const struct interface *in = &node->interfaces[k];

		if (in->kind != IF_VLAN || in->parent != parent)
			continue;
		legs[n_legs++] =
			(struct tag_leg) { .vlan = in->vlan, .index = VLAN_LEG_INDEX + (int)k };
		if (k > i) {
			free(legs);
			return 0;
		}
	}
	r = tag_split(&at, interface_index(parent), node->interfaces[parent].name, legs, n_legs,
		      true, err);
	free(legs);
	return r;
}

int vlan_make_link(const struct raised *raised, size_t n, size_t i, struct error *err)
{
	const struct node *node = &raised->topology->nodes[n];
	const struct interface *in = &node->interfaces[i];
	struct wire_place at = raised_place(raised, n);
	int r;

	if (raised->vlan != MEANS_BUILT)
		return wire_add_vlan(&at, in->name, interface_index(in->parent),
				     node->interfaces[in->parent].name, in->vlan,
				     interface_index(i), err);
	if (node->interfaces[in->parent].kind == IF_BRIDGE)
		return 0; /* it is that VLAN's bridge */
	r = build_link(raised, n, i, err);
	return r < 0 ? r : split_parent(raised, n, i, err);
}

/* backwards */

size_t vlan_leg_port(const struct node *node, int index)
{
	int k = (index - VLAN_LEG_INDEX) / 2;

	for (size_t i = 0; i < node->n_interfaces; i++) {
		k -= (int)node->interfaces[i].n_trunk + 1;
		if (k < 0)
			return i;
	}
	return NO_INDEX;
}

uint16_t vlan_of_bridge(const struct node *node, int index)
{
	if (index >= VLAN_BRIDGE_INDEX)
		return (uint16_t)(index - VLAN_BRIDGE_INDEX);
	if (index >= LAB_INDEX_BASE && (size_t)(index - LAB_INDEX_BASE) < node->n_interfaces &&
	    node->interfaces[index - LAB_INDEX_BASE].kind == IF_VLAN)
		return node->interfaces[index - LAB_INDEX_BASE].vlan;
	return DEFAULT_VLAN;
}
