/* src/lab/fdb.c - forwarding databases in terms of the topology. */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "kernel/fdb.h"
#include "kernel/netlink.h"
#include "lab/read.h"
#include "lab/tables.h"
#include "lab/vlan.h"

struct collecting {
	const struct lab *lab;
	const struct node *node;
	struct fdb_entry *entries;
	size_t n;
	struct nl nl;
};

/* A port by its index, or by that of one of its legs. */
static size_t port_of(const struct node *node, int index)
{
	if (index >= VLAN_LEG_INDEX)
		return vlan_leg_port(node, index);
	if (index >= LAB_INDEX_BASE && (size_t)(index - LAB_INDEX_BASE) < node->n_interfaces)
		return (size_t)(index - LAB_INDEX_BASE);
	return index >= VLAN_BRIDGE_INDEX ? node_find_interface(node, BRIDGE_NAME) : NO_INDEX;
}

/* Built VLANs are bridges, and have no VLAN in their entries. */
static uint16_t vlan_of(const struct collecting *c, const struct fdb_item *item)
{
	if (!c->node->vlan_aware)
		return 0;
	if (c->lab->vlan == MEANS_KERNEL)
		return item->vlan;
	return vlan_of_bridge(c->node, item->master);
}

static void take(void *data, const struct fdb_item *item)
{
	struct collecting *c = data;
	size_t port = port_of(c->node, item->index);
	const struct fdb_entry entry = { .interface = port,
					 .vlan = vlan_of(c, item),
					 .own = item->own && !ip_is_set(&item->remote),
					 .remote = item->remote,
					 .age_ms = item->age_ms };

	/* With filtering, a port's own address stands there once without a VLAN. */
	if (port == NO_INDEX ||
	    (c->node->vlan_aware && entry.vlan == 0 && !ip_is_set(&item->remote)))
		return;
	for (size_t i = 0; i < c->n; i++) {
		const struct fdb_entry *e = &c->entries[i];

		if (memcmp(e->mac, item->mac, sizeof(e->mac)) == 0 && e->vlan == entry.vlan &&
		    e->interface == port && ip_equal(&e->remote, &entry.remote))
			return;
	}
	*VEC_ADD(c->entries, c->n) = entry;
	memcpy(c->entries[c->n - 1].mac, item->mac, sizeof(item->mac));
}

static int open_there(void *data, struct error *err)
{
	return nl_open(&((struct collecting *)data)->nl, err);
}

static int compare(const void *a, const void *b)
{
	const struct fdb_entry *x = a, *y = b;

	if (x->vlan != y->vlan)
		return x->vlan < y->vlan ? -1 : 1;
	if (x->own != y->own)
		return x->own ? -1 : 1;
	return memcmp(x->mac, y->mac, sizeof(x->mac));
}

int fdb_read(struct lab *lab, size_t node, struct fdb_entry **ret, size_t *ret_n, struct error *err)
{
	struct collecting c = { .lab = lab, .node = &lab->topology->nodes[node] };
	int r = lab_inside(lab, node, open_there, &c, err);

	if (r < 0)
		return r;
	r = fdb_list(&c.nl, take, &c);
	nl_close(&c.nl);
	if (r < 0) {
		free(c.entries);
		return error_sys(err, r, "read the forwarding database of %s", c.node->name);
	}
	if (c.n)
		qsort(c.entries, c.n, sizeof(*c.entries), compare);
	*ret = c.entries;
	*ret_n = c.n;
	return 0;
}

bool topology_find_mac(const struct topology *t, const unsigned char mac[6], struct link_end *ret)
{
	for (size_t n = 0; n < t->n_nodes; n++)
		for (size_t i = 0; i < t->nodes[n].n_interfaces; i++)
			if (memcmp(t->nodes[n].interfaces[i].mac, mac, 6) == 0) {
				*ret = (struct link_end) { .node = n, .interface = i };
				return true;
			}
	return false;
}
