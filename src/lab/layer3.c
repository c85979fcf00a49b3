/* src/lab/layer3.c */
#include "lab/layer3.h"

#include <stdio.h>

#include "base/alloc.h"
#include "kernel/route.h"

static int set_parameters(const struct raised *raised, size_t n, const struct interface *in,
			  struct error *err)
{
	static const char digits[][2] = { "0", "1", "2" };
	int r = 0;

	if (in->proxy_arp != UNSET)
		r = raised_put(raised, n, digits[in->proxy_arp], err, "ipv4/conf/%s/proxy_arp",
			       in->name);
	/* The kernel lets up to 0.8 s pass before it answers for another. */
	if (r == 0 && in->proxy_arp == ON)
		r = raised_put(raised, n, "0", err, "ipv4/neigh/%s/proxy_delay", in->name);
	if (r == 0 && in->n_proxied)
		r = raised_put(raised, n, "0", err, "ipv6/neigh/%s/proxy_delay", in->name);
	if (r == 0 && in->rp_filter_set == ON)
		r = raised_put(raised, n, digits[in->rp_filter], err, "ipv4/conf/%s/rp_filter",
			       in->name);
	if (r == 0 && in->forwarding != UNSET)
		r = raised_put(raised, n, digits[in->forwarding], err, "ipv4/conf/%s/forwarding",
			       in->name);
	if (r == 0 && in->n_proxied)
		r = raised_put(raised, n, "1", err, "ipv6/conf/%s/proxy_ndp", in->name);
	return r;
}

/* Links make no addresses of their own here, so that nothing is said that nobody asked for; one
 * that speaks IPv6 needs the address that neighbours are asked from.
 */
static int add_addresses(const struct raised *raised, size_t n, size_t i, const char *where,
			 struct error *err)
{
	const struct interface *in = &raised->topology->nodes[n].interfaces[i];
	struct nl *nl = raised->ns[n].nl;
	int index = in->kind == IF_LOCAL ? 1 : interface_index(i), r = 0;
	bool has_v6 = false;

	for (size_t k = 0; r == 0 && k < in->n_addresses; k++) {
		has_v6 |= in->addresses[k].ip.family == AF_INET6;
		r = address_add(nl, index, in->name, &in->addresses[k], where, err);
	}
	if (r == 0 && has_v6 && in->kind != IF_LOCAL) {
		const struct ip_net own = ip_link_local(in->mac);

		r = address_add(nl, index, in->name, &own, where, err);
	}
	return r;
}

/* What leads to one place at one cost by several gateways is one route to the kernel. */
static bool is_same_place(const struct lab_route *a, const struct lab_route *b)
{
	return ip_is_set(&a->via) && ip_is_set(&b->via) && a->dev == NO_INDEX &&
	       b->dev == NO_INDEX && a->metric == b->metric && a->via.family == b->via.family &&
	       a->to.prefix_len == b->to.prefix_len && ip_equal(&a->to.ip, &b->to.ip);
}

static bool is_said_before(const struct node *node, size_t k)
{
	for (size_t i = 0; i < k; i++)
		if (is_same_place(&node->routes[i], &node->routes[k]))
			return true;
	return false;
}

static int add_route(const struct raised *raised, size_t n, size_t k, const char *where,
		     struct error *err)
{
	const struct node *node = &raised->topology->nodes[n];
	const struct lab_route *route = &node->routes[k];
	struct ip also[ROUTE_ALSO_MAX];
	bool has_dev = route->dev != NO_INDEX;
	struct route spec = { .via = route->via,
			      .index = has_dev ? interface_index(route->dev) : 0,
			      .name = has_dev ? node->interfaces[route->dev].name : NULL,
			      .metric = route->metric };
	int r;

	if (is_said_before(node, k))
		return 0;
	for (size_t i = k + 1; i < node->n_routes && spec.n_also < ROUTE_ALSO_MAX; i++)
		if (is_same_place(route, &node->routes[i]))
			also[spec.n_also++] = node->routes[i].via;
	spec.also = also;
	if (route->to.prefix_len > 0 || !ip_is_set(&route->via))
		spec.to = route->to;
	r = route_add(raised->ns[n].nl, &spec, where, err);
	return r < 0 ? error_wrap(err, r, "node %s", node->name) : 0;
}

static int set_interface(const struct raised *raised, size_t n, size_t i, const char *where,
			 struct error *err)
{
	const struct interface *in = &raised->topology->nodes[n].interfaces[i];
	struct wire_place at = raised_place(raised, n);
	int r = set_parameters(raised, n, in, err);

	if (r == 0)
		r = add_addresses(raised, n, i, where, err);
	for (size_t k = 0; r == 0 && k < in->n_proxied; k++)
		r = wire_proxy(&at, interface_index(i), in->name, &in->proxied[k], err);
	return r < 0 ? error_wrap(err, r, "node %s", raised->topology->nodes[n].name) : 0;
}

int layer3_set(const struct raised *raised, size_t n, struct error *err)
{
	const struct node *node = &raised->topology->nodes[n];
	autofree char *where = raised_where(raised, n);
	int r = 0;

	if (node->forwarding)
		r = raised_put(raised, n, "1", err, "ipv4/ip_forward");
	if (r == 0 && node->forwarding && node->has_v6)
		r = raised_put(raised, n, "1", err, "ipv6/conf/all/forwarding");
	for (size_t i = 0; r == 0 && i < node->n_interfaces; i++)
		r = set_interface(raised, n, i, where, err);
	for (size_t i = 0; r == 0 && i < node->n_routes; i++)
		r = add_route(raised, n, i, where, err);
	return r;
}

/* IPv6 addresses and all static routes went as the interface went down. */
int layer3_again(const struct raised *raised, size_t n, size_t i, struct error *err)
{
	const struct node *node = &raised->topology->nodes[n];
	autofree char *where = raised_where(raised, n);
	int r = add_addresses(raised, n, i, where, err);

	for (size_t k = 0; r == 0 && k < node->n_routes; k++) {
		struct error failure = { 0 };

		r = add_route(raised, n, k, where, &failure);
		if (r == -EEXIST || r == -ENETUNREACH)
			r = 0;
		else if (r < 0)
			*err = failure;
	}
	return r;
}
