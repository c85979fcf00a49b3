/* src/network/option.c */
#include "network/option.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/id.h"
#include "base/number.h"
#include "network/create.h"
#include "network/definition.h"
#include "network/driver.h"
#include "network/lease.h"

#define MTU_MIN    68 /* the least that IPv4 allows */
#define MTU_MIN_6  1280
#define MTU_MAX    65535
#define METRIC_MAX INT32_MAX
#define ROUTES_MAX 64

static int wrong(const char *name, const char *value, const char *expected, struct error *err)
{
	return error_set(err, -EINVAL, "%s '%.100s': expected %s", name, value, expected);
}

static int parse_bool(const char *name, const char *value, bool *ret, struct error *err)
{
	if (strcmp(value, "true") != 0 && strcmp(value, "false") != 0)
		return wrong(name, value, "true or false", err);
	*ret = strcmp(value, "true") == 0;
	return 0;
}

/* single options; value is never NULL */

static int set_mtu(struct network *n, const char *value, struct error *err)
{
	uint64_t mtu;

	if (number_parse(value, MTU_MAX, &mtu) < 0 || mtu < MTU_MIN)
		return wrong("mtu", value, "a number from 68 to 65535", err);
	n->mtu = (unsigned)mtu;
	return 0;
}

static int set_link(struct network *n, const char *value, struct error *err)
{
	if (!interface_name_is_valid(value))
		return wrong("link", value, "the name of a link", err);
	(void)snprintf(n->link, sizeof(n->link), "%s", value);
	return 0;
}

static int set_interface(struct network *n, const char *value, struct error *err)
{
	if (!interface_name_is_valid(value) || strlen(value) > 11)
		return wrong("interface name", value, "up to 11 letters and digits", err);
	(void)snprintf(n->interface, sizeof(n->interface), "%s", value);
	return 0;
}

static int set_icc(struct network *n, const char *value, struct error *err)
{
	bool on = true;
	int r = parse_bool("icc", value, &on, err);

	n->icc_off = !on;
	return r;
}

static int set_masquerade(struct network *n, const char *value, struct error *err)
{
	bool on = true;
	int r = parse_bool("masquerade", value, &on, err);

	n->masquerade_off = !on;
	return r;
}

static int set_isolation(struct network *n, const char *value, struct error *err)
{
	int isolation;

	if (isolation_parse(value, &isolation) < 0)
		return wrong("isolate", value, "true, strict or false", err);
	n->isolation = (enum network_isolation)isolation;
	return 0;
}

static int set_gateway_mode(struct network *n, const char *value, struct error *err)
{
	if (strcmp(value, "nat") != 0 && strcmp(value, "routed") != 0)
		return wrong("gateway mode", value, "nat or routed", err);
	n->routed = strcmp(value, "routed") == 0;
	return 0;
}

static int set_mode(struct network *n, const char *value, struct error *err)
{
	if (n->driver == NETWORK_BRIDGE)
		return set_gateway_mode(n, value, err);
	if (driver_mode_parse(n->driver, value, &n->mode) < 0)
		return error_set(err, -EINVAL, "mode '%.100s': %s has no such", value,
				 driver_name(n->driver));
	return 0;
}

#define BRIDGE_ONLY 1U
#define PARENT_ONLY 2U

static const struct {
	const char *name;
	unsigned drivers; /* 0: all */
	int (*set)(struct network *n, const char *value, struct error *err);
} opts[] = {
	{ "mtu", 0, set_mtu },
	{ "bridge", BRIDGE_ONLY, set_link },
	{ "parent", PARENT_ONLY, set_link },
	{ "mode", 0, set_mode },
	{ "icc", BRIDGE_ONLY, set_icc },
	{ "isolate", BRIDGE_ONLY, set_isolation },
	{ "masquerade", BRIDGE_ONLY, set_masquerade },
	{ "interface", 0, set_interface },
	/* as Docker calls them */
	{ "com.docker.network.bridge.name", BRIDGE_ONLY, set_link },
	{ "com.docker.network.bridge.enable_icc", BRIDGE_ONLY, set_icc },
	{ "com.docker.network.bridge.enable_ip_masquerade", BRIDGE_ONLY, set_masquerade },
	{ "com.docker.network.bridge.gateway_mode_ipv4", BRIDGE_ONLY, set_gateway_mode },
	{ "com.docker.network.bridge.gateway_mode_ipv6", BRIDGE_ONLY, set_gateway_mode },
	{ "com.docker.network.driver.mtu", 0, set_mtu },
	{ "com.docker.network.container_iface_prefix", 0, set_interface },
	{ "macvlan_mode", PARENT_ONLY, set_mode },
	{ "ipvlan_mode", PARENT_ONLY, set_mode },
};

static int apply_opt(struct network *n, const char *text, struct error *err)
{
	autofree char *name = xstrdup(text);
	char *value = strchr(name, '=');
	unsigned driver = n->driver == NETWORK_BRIDGE ? BRIDGE_ONLY : PARENT_ONLY;

	if (!value)
		return wrong("--opt", text, "NAME=VALUE", err);
	*value++ = '\0';
	for (size_t i = 0; i < ARRAY_SIZE(opts); i++) {
		if (strcmp(opts[i].name, name) != 0)
			continue;
		if (opts[i].drivers && opts[i].drivers != driver)
			return error_set(err, -EINVAL, "--opt %s has no meaning for driver %s",
					 name, driver_name(n->driver));
		strv_add(&n->opts, text);
		return opts[i].set(n, value, err);
	}
	return error_set(
		err, -EINVAL,
		"--opt '%.100s' is unknown; there are mtu, bridge, parent, mode, icc, isolate, "
		"masquerade, interface",
		name);
}

/* lists */

int option_parse_route(const char *text, struct network_route *ret, struct error *err)
{
	autofree char *copy = xstrdup(text);
	char *via = strchr(copy, ','), *metric = via ? strchr(via + 1, ',') : NULL;
	struct network_route route = { .metric = 0 };
	uint64_t number = 0;

	if (via)
		*via++ = '\0';
	if (metric)
		*metric++ = '\0';
	if (!via || ip_net_parse(copy, &route.to) < 0 || ip_parse(via, &route.via) < 0 ||
	    route.to.ip.family != route.via.family ||
	    (metric && number_parse(metric, METRIC_MAX, &number) < 0))
		return wrong("--route", text, "SUBNET,GATEWAY[,METRIC]", err);
	route.metric = (unsigned)number;
	route.to = ip_net_of(&route.to);
	*ret = route;
	return 0;
}

static int apply_routes(const struct strv *routes, struct network *n, struct error *err)
{
	int r = 0;

	if (routes->n > ROUTES_MAX)
		return error_set(err, -EINVAL, "more than %d routes", ROUTES_MAX);
	if (routes->n > 0)
		n->routes = xcalloc(routes->n, sizeof(*n->routes));
	for (size_t i = 0; r == 0 && i < routes->n; i++)
		r = option_parse_route(routes->items[i], &n->routes[n->nroutes++], err);
	return r;
}

static int apply_dns(const struct strv *dns, struct network *n, struct error *err)
{
	struct ip ip;

	for (size_t i = 0; i < dns->n; i++) {
		if (ip_parse(dns->items[i], &ip) < 0)
			return wrong("--dns", dns->items[i], "an address", err);
		strv_add(&n->dns, dns->items[i]);
	}
	return 0;
}

static int apply_peers(const struct strv *peers, struct network *n, struct error *err)
{
	for (size_t i = 0; i < peers->n; i++) {
		if (!name_is_valid(peers->items[i]))
			return wrong("--peer", peers->items[i], "a network's name", err);
		strv_add(&n->peers, peers->items[i]);
	}
	return 0;
}

static int check_together(const struct network *n, const struct network_options *o,
			  struct error *err)
{
	if (n->driver != NETWORK_BRIDGE &&
	    (n->internal || n->icc_off || n->isolation != ISOLATE_PUBLISHED || n->peers.n > 0))
		return error_set(err, -EINVAL,
				 "--internal, --icc, --isolate and --peer are for driver bridge");
	if (n->internal && n->routed)
		return error_set(err, -EINVAL, "a network is internal or routed, not both");
	if (o->ipv6 && n->mtu && n->mtu < MTU_MIN_6)
		return error_set(err, -EINVAL, "--mtu %u: IPv6 needs at least %d", n->mtu,
				 MTU_MIN_6);
	if (n->driver == NETWORK_BRIDGE && o->parent)
		return error_set(err, -EINVAL, "--parent is for drivers macvlan and ipvlan");
	return 0;
}

int option_apply(const struct network_options *o, struct network *n, struct error *err)
{
	char mtu[16];
	int r = 0;

	if (o->driver && driver_parse(o->driver, &n->driver) < 0)
		return wrong("--driver", o->driver, "bridge, macvlan or ipvlan", err);
	ignore_result(driver_mode_parse(n->driver, NULL, &n->mode));
	n->internal = o->internal;
	n->dns_off = o->dns_off;
	(void)snprintf(mtu, sizeof(mtu), "%d", o->mtu);
	if (o->mtu)
		r = set_mtu(n, mtu, err);
	if (r == 0 && o->isolation)
		r = set_isolation(n, o->isolation, err);
	if (r == 0 && o->icc)
		r = set_icc(n, o->icc, err);
	if (r == 0 && o->interface)
		r = set_interface(n, o->interface, err);
	if (r == 0 && o->parent)
		r = set_link(n, o->parent, err);
	for (size_t i = 0; r == 0 && i < o->opts.n; i++)
		r = apply_opt(n, o->opts.items[i], err);
	if (r == 0)
		r = apply_routes(&o->routes, n, err);
	if (r == 0)
		r = apply_dns(&o->dns, n, err);
	if (r == 0)
		r = apply_peers(&o->peers, n, err);
	strv_extend(&n->labels, o->labels.items, o->labels.n);
	return r < 0 ? r : check_together(n, o, err);
}
