/* src/network/plug.c */
#include "network/plug.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/fault.h"
#include "base/file.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "kernel/qdisc.h"
#include "kernel/route.h"
#include "network/attach.h"
#include "network/bridge.h"
#include "network/driver.h"

#define FIRST_INDEX 2 /* in a fresh namespace: 1 is lo */
#define IPV6_CONF   "/proc/sys/net/ipv6/conf/"

int plug_open(struct plug *plug, const char *netns, bool existing, struct error *err)
{
	int r;

	plug->path = xstrdup(netns);
	plug->where = explain_mode() == EXPLAIN_OFF ? xstrdup("")
						    : xasprintf("nsenter --net=%s ", sq(netns));
	if (existing)
		return netns_open(netns, &plug->ns, err);
	plug->next_index = FIRST_INDEX;
	r = netns_create(netns, &plug->ns, err);
	return r < 0 ? r : link_set_up(plug->ns.nl, 1, "lo", plug->where, err);
}

void plug_close(struct plug *plug)
{
	netns_close(&plug->ns);
	free(plug->path);
	free(plug->where);
	*plug = PLUG_INIT;
}

/* the link */

/* A cable of this name is that of an earlier run, whose namespace is on its way out. */
static int add_cable(struct nl *nl, const struct veth *veth, struct error *err)
{
	struct error first = { 0 };
	int r = link_add_veth(nl, veth, &first);

	if (r == -EEXIST && link_index(nl, veth->name) >= 0) {
		r = link_delete(nl, veth->name, err);
		return r < 0 ? r : link_add_veth(nl, veth, err);
	}
	if (r == -EEXIST)
		return error_set(err, r, "the namespace has an interface %s already", veth->peer);
	if (r < 0 && err)
		*err = first;
	return r;
}

void plug_wants(const struct endpoint *e, bool *ret_hairpin, bool *ret_isolated)
{
	enum bridge_netfilter nf = bridge_netfilter();

	*ret_hairpin = nf != BRIDGE_NETFILTER_OFF;
	*ret_isolated = e->network.icc_off && nf != (BRIDGE_NETFILTER_4 | BRIDGE_NETFILTER_6);
}

int plug_set_port(struct nl *nl, const struct endpoint *e, const struct link *have,
		  struct error *err)
{
	bool hairpin, isolated;
	int r = 0;

	plug_wants(e, &hairpin, &isolated);
	if (hairpin != have->hairpin)
		r = link_set_hairpin(nl, e->link, hairpin, err);
	if (r == 0 && isolated != have->isolated)
		r = link_set_isolated(nl, e->link, isolated, err);
	return r;
}

/* Each address of IPv6 that a link makes for itself is a route in the host's one list, which the
 * kernel walks through for every other link: with a thousand cables that is felt.
 */
static int bring_up(struct nl *nl, const struct endpoint *e, bool has_ipv6, struct error *err)
{
	autofree char *conf = xasprintf(IPV6_CONF "%s/disable_ipv6", e->link);
	int index = 0, r = 0;

	if (has_ipv6 && !explain("the host's end is a port of the switch and needs no address",
				 "echo 1 > %s", conf))
		r = file_put_at(AT_FDCWD, conf, "1", err);
	if (r == 0 && !explain_dry()) {
		index = link_index(nl, e->link);
		if (index < 0)
			r = error_sys(err, index, "find link %s", e->link);
	}
	return r < 0 ? r : link_set_up(nl, index, e->link, "", err);
}

static int add_to_bridge(struct nl *nl, const struct plug *plug, const struct endpoint *e,
			 const struct link *bridge, struct error *err)
{
	struct veth veth = { .name = e->link,
			     .peer = e->interface,
			     .bridge = e->network.link,
			     .bridge_index = bridge->index,
			     .peer_index = plug->next_index,
			     .netns_fd = plug->ns.fd,
			     .netns = plug->path,
			     .mtu = bridge->mtu == 1500 ? 0 : bridge->mtu,
			     .is_down = true };
	const bool has_ipv6 = access(IPV6_CONF, F_OK) == 0;
	const struct link fresh = { .hairpin = false };
	int r;

	memcpy(veth.mac, e->mac, sizeof(veth.mac));
	r = add_cable(nl, &veth, err);
	if (r == 0)
		r = bring_up(nl, e, has_ipv6, err);
	return r < 0 ? r : plug_set_port(nl, e, &fresh, err);
}

static int add_to_parent(struct nl *nl, const struct plug *plug, const struct endpoint *e,
			 struct error *err)
{
	struct vlan_link link = { .kind = driver_name(e->network.driver),
				  .name = e->interface,
				  .parent = e->network.link,
				  .mode = e->network.mode,
				  .mode_name = driver_mode_name(e->network.driver, e->network.mode),
				  .netns_fd = plug->ns.fd,
				  .netns = plug->path,
				  .mtu = e->network.mtu,
				  .has_mac = e->network.driver == NETWORK_MACVLAN };

	memcpy(link.mac, e->mac, sizeof(link.mac));
	link.parent_index = link_index(nl, link.parent);
	if (link.parent_index < 0)
		return error_set(err, link.parent_index, "the parent link %s is not there",
				 link.parent);
	return link_add_on_parent(nl, &link, err);
}

/* inside */

/* A namespace of ours has these as defaults; see netns.c. */
static int quiet(const struct plug *plug, const struct endpoint *e, struct error *err)
{
	static const struct {
		const char *name, *value;
	} sysctls[] = { { "accept_ra", "0" }, { "addr_gen_mode", "1" } };
	int r = 0;

	if (plug->next_index || access(IPV6_CONF, F_OK) < 0)
		return 0;
	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(sysctls); i++) {
		autofree char *path = xasprintf(IPV6_CONF "%s/%s", e->interface, sysctls[i].name);

		r = netns_put(&plug->ns, plug->where, path, sysctls[i].value, err);
	}
	return r;
}

static int add_addresses(const struct plug *plug, const struct endpoint *e, int index,
			 struct error *err)
{
	const struct ip_net local = ip_link_local(e->mac);
	int r = 0;

	if (ip_is_set(&e->ip.ip))
		r = address_add(plug->ns.nl, index, e->interface, &e->ip, plug->where, err);
	if (r < 0 || !ip_is_set(&e->ip6.ip))
		return r;
	r = address_add(plug->ns.nl, index, e->interface, &local, plug->where, err);
	return r < 0 ? r : address_add(plug->ns.nl, index, e->interface, &e->ip6, plug->where, err);
}

static bool leads_out(const struct endpoint *e)
{
	return !e->network.internal && !e->network.default_off;
}

void plug_skip(struct plug *plug, const struct endpoint *e)
{
	if (!leads_out(e))
		return;
	plug->has_default4 = plug->has_default4 || ip_is_set(&e->gateway);
	plug->has_default6 = plug->has_default6 || ip_is_set(&e->gateway6);
}

static int add_default(struct plug *plug, const struct ip *gateway, bool *has, struct error *err)
{
	const struct route route = { .via = *gateway, .is_maybe = !plug->next_index };
	int r;

	if (*has || !ip_is_set(gateway))
		return 0;
	*has = true;
	r = route_add(plug->ns.nl, &route, plug->where, err);
	/* In a namespace that was there another network may have made it: the first stays. */
	return r == -EEXIST && !plug->next_index ? 0 : r;
}

static int add_routes(struct plug *plug, const struct endpoint *e, struct error *err)
{
	int r = 0;

	if (leads_out(e))
		r = add_default(plug, &e->gateway, &plug->has_default4, err);
	if (r == 0 && leads_out(e))
		r = add_default(plug, &e->gateway6, &plug->has_default6, err);
	for (size_t i = 0; r == 0 && i < e->network.nroutes; i++) {
		const struct network_route *given = &e->network.routes[i];
		const struct route route = { .to = given->to,
					     .via = given->via,
					     .metric = given->metric };

		r = route_add(plug->ns.nl, &route, plug->where, err);
	}
	return r;
}

int plug_defaults(struct plug *plug, const struct network_lease *lease, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < lease->nendpoints; i++) {
		const struct endpoint *e = &lease->endpoints[i];

		if (!leads_out(e))
			continue;
		r = add_default(plug, &e->gateway, &plug->has_default4, err);
		if (r == 0 || r == -EEXIST)
			r = add_default(plug, &e->gateway6, &plug->has_default6, err);
		r = r == -EEXIST ? 0 : r;
	}
	return r;
}

/* What it receives is what the host's end sends; what it sends is limited inside, where it can be
 * changed only with CAP_NET_ADMIN, which containers have not unless they are given it.
 */
static int limit(struct nl *nl, const struct plug *plug, const struct endpoint *e, int index,
		 struct error *err)
{
	int r = 0, outer = 0;

	if (plug->rate_down && !e->link[0])
		return error_set(err, -EOPNOTSUPP, "--bandwidth-down is for bridge networks");
	if (plug->rate_down && !explain_dry())
		outer = link_index(nl, e->link);
	if (plug->rate_down)
		r = outer < 0 ? error_sys(err, outer, "find link %s", e->link)
			      : qdisc_limit(nl, outer, e->link, plug->rate_down, "", err);
	if (r == 0 && plug->rate_up)
		r = qdisc_limit(plug->ns.nl, index, e->interface, plug->rate_up, plug->where, err);
	return r;
}

int plug_in(struct nl *nl, struct plug *plug, const struct endpoint *e, const struct link *bridge,
	    struct error *err)
{
	int index = plug->next_index, r;

	if (e->network.driver == NETWORK_BRIDGE)
		r = add_to_bridge(nl, plug, e, bridge, err);
	else
		r = add_to_parent(nl, plug, e, err);
	if (r == 0 && !explain_dry() && (index == 0 || e->network.driver != NETWORK_BRIDGE)) {
		index = link_index(plug->ns.nl, e->interface);
		r = index < 0 ? error_sys(err, index, "find interface %s", e->interface) : 0;
	}
	fault_point("plug-link");
	if (r == 0)
		r = quiet(plug, e, err);
	if (r == 0)
		r = add_addresses(plug, e, index, err);
	fault_point("plug-addresses");
	if (r == 0)
		r = link_set_up(plug->ns.nl, index, e->interface, plug->where, err);
	if (r == 0)
		r = add_routes(plug, e, err);
	if (r == 0)
		r = limit(nl, plug, e, index, err);
	if (plug->next_index)
		plug->next_index = index + 1;
	return r;
}
