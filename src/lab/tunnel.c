/* src/lab/tunnel.c */
#include "lab/tunnel.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "lab/facts.h"
#include "lab/raise.h"
#include "lab/tables.h"

#define LIST_LEN 120 /* of a list of addresses: it stands in one line of text */

/* Who gets what has no known place: the entries of the address 0.  True if one is to's; the text
 * lists them.
 */
static bool sends_to(struct facts *f, const struct link_end *from, const struct facts_node *to,
		     char **ret_list)
{
	static const unsigned char anyone[MAC_LEN];
	struct buf list = BUF_INIT(LIST_LEN + 3 * IP_TEXT_LEN);
	struct fdb_entry *entries = NULL;
	struct error err = { 0 };
	size_t n = 0;
	bool found = false;

	if (fdb_read(f->lab, from->node, &entries, &n, &err) < 0)
		n = 0;
	for (size_t i = 0; i < n; i++) {
		char text[IP_TEXT_LEN];

		if (entries[i].interface != from->interface || !ip_is_set(&entries[i].remote) ||
		    memcmp(entries[i].mac, anyone, MAC_LEN) != 0)
			continue;
		found |= fact_address(to, &entries[i].remote) != NULL;
		ip_format(&entries[i].remote, text);
		if (list.len < LIST_LEN)
			buf_addf(&list, "%s%s", list.len ? ", " : "", text);
	}
	free(entries);
	*ret_list = list.len ? buf_steal(&list) : xstrdup("nobody");
	buf_done(&list);
	return found;
}

static bool groups_differ(const struct fact_link *x, const struct fact_link *y, const char *from,
			  const char *to, const struct link_end *at, struct verdict *v)
{
	char one[IP_TEXT_LEN], other[IP_TEXT_LEN] = "no group";

	if (ip_equal(&x->group, &y->group))
		return false;
	ip_format(&x->group, one);
	if (ip_is_set(&y->group))
		ip_format(&y->group, other);
	return verdict_set(v, CAUSE_VXLAN, at->node, "VXLAN: %s sends to group %s, %s is in %s",
			   from, one, to, other);
}

void tunnel_explain(struct facts *f, const struct link_end *from, const struct link_end *to,
		    struct verdict *v)
{
	const struct topology *t = f->lab->topology;
	const struct facts_node *here = NULL, *there = NULL;
	const struct fact_link *x = NULL, *y = NULL;
	autofree char *list = NULL;
	char a[LINK_END_LEN], b[LINK_END_LEN];

	link_end_format(t, from, a);
	link_end_format(t, to, b);
	if (facts_node(f, from->node, &here, NULL) == 0)
		x = fact_link(here, interface_index(from->interface));
	if (facts_node(f, to->node, &there, NULL) == 0)
		y = fact_link(there, interface_index(to->interface));
	if (x && y && x->vni != y->vni)
		verdict_set(v, CAUSE_VXLAN, to->node,
			    "VXLAN: %s has VNI %u, %s has VNI %u: what one sends, the other does "
			    "not take",
			    a, x->vni, b, y->vni);
	else if (x && y && x->udp_port != y->udp_port)
		verdict_set(v, CAUSE_VXLAN, to->node,
			    "VXLAN: %s sends to UDP port %u, %s listens at %u", a, x->udp_port, b,
			    y->udp_port);
	else if (x && y && ip_is_set(&x->group))
		(void)groups_differ(x, y, a, b, from, v);
	else if (there && !sends_to(f, from, there, &list))
		verdict_set(v, CAUSE_VXLAN, from->node,
			    "VXLAN: %s sends broadcasts to %s, which is no address of %s (bridge "
			    "fdb show dev %s)",
			    a, list, t->nodes[to->node].name, x ? x->name : "");
	if (v->cause != CAUSE_NONE)
		return;
	v->below_from = from->node;
	v->below_to = link_end_interface(t, to)->vxlan.local;
	verdict_set(v, CAUSE_VXLAN, from->node,
		    "VXLAN: what %s sends does not arrive at %s: look at the way below, from %s to "
		    "%s",
		    a, b, t->nodes[from->node].name, t->nodes[to->node].name);
}
