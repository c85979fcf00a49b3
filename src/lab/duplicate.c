/* src/lab/duplicate.c */
#include "lab/duplicate.h"

#include "lab/raise.h"

struct having {
	size_t nodes[2];
	int index;
	size_t n;
};

static bool each_having(void *data, size_t node, const struct fact_address *address)
{
	struct having *h = data;

	if (h->n == 0)
		h->index = address->index;
	h->nodes[h->n++] = node;
	return h->n == 2;
}

static size_t declared(const struct topology *t, const struct ip *ip)
{
	size_t n = 0;

	for (size_t i = 0; i < t->n_nodes; i++)
		for (size_t k = 0; k < t->nodes[i].n_interfaces; k++)
			for (size_t a = 0; a < t->nodes[i].interfaces[k].n_addresses; a++)
				n += ip_equal(&t->nodes[i].interfaces[k].addresses[a].ip, ip);
	return n;
}

bool find_duplicate(struct facts *f, const struct ip *ip, struct verdict *ret)
{
	const struct topology *t = f->lab->topology;
	const struct facts_node *now;
	const struct fact_link *l, *k;
	struct having h = { .n = 0 };
	char text[IP_TEXT_LEN];
	size_t other;
	int index;

	ip_format(ip, text);
	if (facts_owners(f, ip, each_having, &h) && declared(t, ip) < 2)
		return verdict_set(ret, CAUSE_DUPLICATE_ADDRESS, h.nodes[1],
				   "duplicate address: %s and %s both have %s",
				   t->nodes[h.nodes[0]].name, t->nodes[h.nodes[1]].name, text);
	if (h.n == 0 || facts_node(f, h.nodes[0], &now, NULL) < 0)
		return false;
	l = fact_link(now, h.index);
	if (!l || h.index < interface_index(0) ||
	    !facts_mac(f, l->mac, h.nodes[0], &other, &index) ||
	    facts_node(f, other, &now, NULL) < 0)
		return false;
	k = fact_link(now, index);
	return verdict_set(ret, CAUSE_DUPLICATE_MAC, other,
			   "duplicate MAC address: %s:%s and %s:%s both have the same",
			   t->nodes[h.nodes[0]].name, l->name, t->nodes[other].name, k->name);
}
