/* src/network/attach.c */
#include "network/attach.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/explain.h"
#include "base/fault.h"
#include "base/file.h"
#include "kernel/conntrack.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "kernel/netns.h"
#include "kernel/route.h"
#include "network/bridge.h"
#include "network/check.h"
#include "network/claim.h"
#include "network/lease.h"
#include "network/name_servers.h"
#include "network/names_server.h"
#include "network/plug.h"
#include "network/table.h"

void network_lease_done(struct network_lease *lease)
{
	for (size_t i = 0; i < lease->nendpoints; i++)
		endpoint_done(&lease->endpoints[i]);
	free(lease->endpoints);
	free(lease->ports);
	strv_done(&lease->dns);
	*lease = (struct network_lease) { .nendpoints = 0 };
}

const struct endpoint *network_lease_gate(const struct network_lease *lease)
{
	for (size_t i = 0; i < lease->nendpoints; i++) {
		const struct network *n = &lease->endpoints[i].network;

		if (n->driver == NETWORK_BRIDGE && !n->internal)
			return &lease->endpoints[i];
	}
	return NULL;
}

char *network_lease_port(const struct network_lease *lease, size_t i)
{
	const struct endpoint *gate = network_lease_gate(lease);
	struct port port = lease->ports[i];

	if (!port.ip.family && gate && !ip_is_set(&gate->ip.ip))
		port.ip.family = AF_INET6;
	return port_format(&port);
}

/* reserving */

static int reserve_ports(struct db *db, const struct network_request *req,
			 struct network_lease *lease, struct error *err)
{
	size_t n = req->publish ? req->publish->n : 0;
	int r = 0;

	if (n == 0)
		return 0;
	if (!network_lease_gate(lease))
		return error_set(err, -EINVAL,
				 "--publish needs a bridge network that is not internal");
	lease->ports = xcalloc(n, sizeof(*lease->ports));
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct port *p = &lease->ports[lease->nports++];

		r = port_parse(req->publish->items[i], p, err);
		if (r == 0)
			r = claim_port(db, req->id, p, err);
	}
	return r;
}

static int check_families(const struct network_lease *lease, struct error *err)
{
	const struct endpoint *gate = network_lease_gate(lease);

	for (size_t i = 0; i < lease->nports; i++) {
		const struct port *p = &lease->ports[i];
		autofree char *text = port_format(p);

		if (p->ip.family == AF_INET6 && !ip_is_set(&gate->ip6.ip))
			return error_set(err, -EINVAL,
					 "port %s: network %s has no IPv6; 'strake network create "
					 "--ipv6' makes one that has",
					 text, gate->network.name);
		if (p->ip.family == AF_INET && !ip_is_set(&gate->ip.ip))
			return error_set(err, -EINVAL, "port %s: network %s has no IPv4", text,
					 gate->network.name);
	}
	return 0;
}

int network_reserve(const struct network_site *site, const struct network_request *req,
		    struct network_lease *ret, struct error *err)
{
	struct network_lease lease = { .rate_up = req->rate_up, .rate_down = req->rate_down };
	int r = 0;

	(void)snprintf(lease.id, sizeof(lease.id), "%s", req->id);
	if (req->nendpoints > 0)
		lease.endpoints = xcalloc(req->nendpoints, sizeof(*lease.endpoints));
	for (size_t i = 0; r == 0 && i < req->nendpoints; i++) {
		r = lease_add(site->db, req, &req->endpoints[i], &lease.endpoints[i], err);
		if (r == 0)
			lease.nendpoints++;
	}
	if (r == 0)
		r = reserve_ports(site->db, req, &lease, err);
	if (r == 0)
		r = name_servers_note(site->db, req->id, req->dns, err);
	if (req->dns)
		strv_extend(&lease.dns, req->dns->items, req->dns->n);
	if (r == 0)
		r = check_families(&lease, err);
	if (r == 0)
		r = network_table(site->db, lease.table, err);
	if (r < 0)
		network_lease_done(&lease);
	else
		*ret = lease;
	return r;
}

static void add_text(struct strv *to, const struct ip *ip)
{
	char text[IP_TEXT_LEN];

	ip_format(ip, text);
	if (ip_is_set(ip))
		strv_add(to, text);
}

/* One resolver of the first network that has one: it knows the container's other networks, and libc
 * would not ask a second one about what the first denied.
 */
void network_lease_names(const struct network_lease *lease, struct strv *ret_addresses,
			 struct strv *ret_resolvers, char ret_gateway[IP_TEXT_LEN])
{
	ret_gateway[0] = '\0';
	for (size_t i = 0; i < lease->nendpoints; i++) {
		const struct endpoint *e = &lease->endpoints[i];
		const struct ip *gateway = ip_is_set(&e->ip.ip) ? &e->gateway : &e->gateway6;

		add_text(ret_addresses, &e->ip.ip);
		add_text(ret_addresses, &e->ip6.ip);
		if (e->network.driver != NETWORK_BRIDGE || !ip_is_set(gateway))
			continue;
		if (!ret_gateway[0])
			ip_format(gateway, ret_gateway);
		if (e->network.managed && !e->network.dns_off && ret_resolvers->n == 0)
			add_text(ret_resolvers, gateway);
	}
}

/* the kernel's side */

/* A cable that had this address is gone, or goes now: two must not answer for it. */
static int pull_leftovers(const struct network_site *site, struct nl *nl, const struct endpoint *e,
			  struct error *err)
{
	struct strv links = { 0 };
	int r = lease_take_leftovers(site->db, e, &links, err);

	for (size_t i = 0; r == 0 && i < links.n; i++)
		if (explain_dry() || link_index(nl, links.items[i]) >= 0)
			r = link_delete(nl, links.items[i], err);
	strv_done(&links);
	return r;
}

static int attach_endpoint(const struct network_site *site, struct nl *nl,
			   const struct network_lease *lease, const struct endpoint *e,
			   struct plug *plug, enum attach_flags flags, struct error *err)
{
	/* In a script the line that makes it again has not run. */
	const bool is_told = explain_dry() && (flags & ATTACH_MENDED);
	struct link bridge = { .index = 0 };
	int r = 0;

	if (e->network.driver == NETWORK_BRIDGE) {
		r = pull_leftovers(site, nl, e, err);
		if (r == 0 && !is_told)
			r = bridge_ensure(site, nl, &e->network, lease->table, &bridge, err);
	}
	fault_point("attach-bridge");
	if (r >= 0)
		r = plug_in(nl, plug, e, &bridge, err);
	fault_point("attach-cable");
	if (r == 0 && e->network.driver == NETWORK_BRIDGE && !e->network.dns_off)
		r = names_server_start(site, &e->network, err);
	return r < 0 ? error_wrap(err, r, "connect to network %s", e->network.name) : 0;
}

void network_lease_collect(const struct network_lease *lease, struct table_elements *ret)
{
	const struct endpoint *gate = network_lease_gate(lease);
	char comment[16];

	(void)snprintf(comment, sizeof(comment), "%.12s", lease->id);
	for (size_t i = 0; gate && i < lease->nports; i++)
		table_collect_port(
			ret, &lease->ports[i],
			&(struct table_target) { gate->ip.ip, gate->ip6.ip, gate->gateway6 },
			comment);
}

/* Flows of UDP that began while nobody had the port; those of TCP have long been refused. */
static void forget_flows(const struct network_lease *lease, uint8_t family)
{
	autofree struct conntrack_ports *ports = xcalloc(lease->nports + 1, sizeof(*ports));
	size_t n = 0;

	for (size_t i = 0; i < lease->nports; i++) {
		const struct port *p = &lease->ports[i];

		if (p->protocol == IPPROTO_UDP && (!p->ip.family || p->ip.family == family))
			ports[n++] =
				(struct conntrack_ports) { p->ip, p->host,
							   (uint16_t)(p->host + p->count - 1) };
	}
	if (n > 0)
		conntrack_forget_untranslated(family, IPPROTO_UDP, ports, n);
}

static int publish(const struct network_site *site, const struct network_lease *lease,
		   struct error *err)
{
	const struct endpoint *gate = network_lease_gate(lease);
	struct table_elements elements = { 0 };
	struct error first = { 0 };
	int r;

	network_lease_collect(lease, &elements);
	r = table_extend(lease->table, &elements, &first);
	table_elements_done(&elements);
	if (r == 0)
		forget_flows(lease, AF_INET);
	if (r == 0 && gate && ip_is_set(&gate->ip6.ip))
		forget_flows(lease, AF_INET6);
	if (r ==
	    -ENOENT) /* somebody flushed the rules: all of them are made again, ours with them */
		return network_reload(site, err);
	if (r < 0 && err)
		*err = first;
	return r;
}

static struct plug plug_of(const struct network_lease *lease)
{
	struct plug plug = PLUG_INIT;

	plug.rate_up = lease->rate_up;
	plug.rate_down = lease->rate_down;
	return plug;
}

int network_attach(const struct network_site *site, const struct network_lease *lease,
		   const char *netns, enum attach_flags flags, struct error *err)
{
	struct plug plug = plug_of(lease);
	struct nl nl = { 0 };
	int r = nl_open(&nl, err);

	fault_point("attach-rows");
	if (r == 0)
		r = plug_open(&plug, netns, flags & ATTACH_EXISTING, err);
	fault_point("attach-namespace");
	for (size_t i = 0; r == 0 && i < lease->nendpoints; i++)
		r = attach_endpoint(site, &nl, lease, &lease->endpoints[i], &plug, flags, err);
	fault_point("attach-networks");
	if (r == 0)
		r = publish(site, lease, err);
	fault_point("attach-ports");
	if (r == 0)
		r = names_server_added(site, lease->id, err);
	plug_close(&plug);
	nl_close(&nl);
	return r;
}

int network_none(const char *netns, struct error *err)
{
	struct plug plug = PLUG_INIT;
	int r = plug_open(&plug, netns, false, err);

	plug_close(&plug);
	return r;
}

/* One network of a container that has been attached to others before. */
int network_attach_again(const struct network_site *site, const struct network_lease *lease,
			 const char *network, const char *netns, enum attach_flags flags,
			 struct error *err)
{
	struct plug plug = plug_of(lease);
	struct nl nl = { 0 };
	int r = nl_open(&nl, err);

	if (r == 0)
		r = plug_open(&plug, netns, true, err);
	for (size_t i = 0; r == 0 && i < lease->nendpoints; i++) {
		const struct endpoint *e = &lease->endpoints[i];

		if (strcmp(e->network.name, network) == 0)
			r = attach_endpoint(site, &nl, lease, e, &plug, flags, err);
		else /* the default routes are those of the first network that has them */
			plug_skip(&plug, e);
	}
	if (r == 0)
		r = names_server_added(site, lease->id, err);
	plug_close(&plug);
	nl_close(&nl);
	return r;
}
