/* src/lab/cable.c */
#include "lab/cable.h"

#include "base/alloc.h"
#include "kernel/netlink.h"
#include "lab/layer3.h"
#include "lab/raise.h"
#include "lab/relay.h"

static int open_netlink(void *data, struct error *err)
{
	struct netns *ns = data;

	ns->nl = xnew(struct nl);
	return nl_open(ns->nl, err);
}

static const struct link_end *weaker_end(const struct topology *t, const struct lab_link *link)
{
	const struct interface *first = link_end_interface(t, &link->ends[0]);
	const struct node *node = &t->nodes[link->ends[0].node];

	return (node_is_bridge(node) && !first->routed) || first->n_addresses == 0 ? &link->ends[0]
										   : &link->ends[1];
}

/* Both ends are set up: one that a person set down by hand is meant, too. */
static int set_end(struct lab *lab, const struct link_end *end, bool up, struct error *err)
{
	const struct topology *t = lab->topology;
	struct raised raised = { .topology = t,
				 .ns = xcalloc(t->n_nodes, sizeof(*raised.ns)),
				 .names = xcalloc(t->n_nodes, sizeof(*raised.names)) };
	const struct interface *in = link_end_interface(t, end);
	struct netns *ns = &raised.ns[end->node];
	struct wire_place at;
	int r = lab_inside(lab, end->node, open_netlink, ns, err);

	for (size_t i = 0; i < t->n_nodes; i++)
		raised.ns[i].fd = -1;
	raised.names[end->node] = xasprintf("%s-%s", t->name, t->nodes[end->node].name);
	at = raised_place(&raised, end->node);
	if (r == 0)
		r = wire_set_up(&at, interface_index(end->interface), in->name, up, err);
	if (r == 0 && up)
		r = layer3_again(&raised, end->node, end->interface, err);
	raised_done(&raised);
	return r;
}

int cable_set(struct lab *lab, size_t link, bool up, struct error *err)
{
	const struct lab_link *l = &lab->topology->links[link];
	int r;

	/* Through a relay the other end would not notice. */
	if (!up && !(lab->impair == MEANS_BUILT && link_is_impaired(l)))
		return set_end(lab, weaker_end(lab->topology, l), false, err);
	r = set_end(lab, &l->ends[0], up, err);
	return r < 0 ? r : set_end(lab, &l->ends[1], up, err);
}
