/* src/cni/plugin_network.c - the state, and the network that a configuration speaks of. */
#include <string.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "base/db.h"
#include "cni/plugin.h"
#include "engine/engine.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "network/choose.h"
#include "network/cni_record.h"

int plugin_open(struct plugin *p)
{
	const struct engine_options options = { .root = p->config.root,
						.run_root = p->config.run_root };
	int r = engine_open(&options, &p->engine, &p->f.err);

	if (r == 0)
		r = boot_id(p->boot, &p->f.err);
	if (r < 0) {
		p->f.code = p->request.command == CNI_STATUS ? CNI_UNAVAILABLE : CNI_IO;
		return r;
	}
	p->site = engine_network(p->engine);
	r = cni_record_forget_boots(&p->site, &p->f.err);
	return r < 0 ? cni_fail_from(&p->f, r) : 0;
}

/* comparing */

static bool same_subnets(const struct network *a, const struct network *b)
{
	if (a->nsubnets != b->nsubnets)
		return false;
	for (size_t i = 0; i < a->nsubnets; i++) {
		const struct network_subnet *s = &a->subnets[i], *t = &b->subnets[i];

		if (!ip_equal(&s->net.ip, &t->net.ip) || s->net.prefix_len != t->net.prefix_len ||
		    !ip_equal(&s->gateway, &t->gateway) || !ip_equal(&s->first, &t->first) ||
		    !ip_equal(&s->last, &t->last))
			return false;
	}
	return true;
}

static bool same_routes(const struct network *a, const struct network *b)
{
	if (a->nroutes != b->nroutes)
		return false;
	for (size_t i = 0; i < a->nroutes; i++) {
		const struct network_route *s = &a->routes[i], *t = &b->routes[i];

		if (!ip_equal(&s->to.ip, &t->to.ip) || s->to.prefix_len != t->to.prefix_len ||
		    !ip_equal(&s->via, &t->via) || s->metric != t->metric)
			return false;
	}
	return true;
}

/* The first key in which the network that is there is not what is asked for; NULL: none. */
static const char *difference(const struct network *want, const struct network *have)
{
	const struct {
		const char *key;
		bool differs;
	} rows[] = {
		{ "driver", want->driver != have->driver },
		{ "ipam", want->nsubnets > 0 && !same_subnets(want, have) },
		{ "ipam.routes", !same_routes(want, have) },
		{ "bridge", want->link[0] && strcmp(want->link, have->link) != 0 },
		{ "mode", want->driver != NETWORK_BRIDGE && want->mode != have->mode },
		{ "internal", want->internal != have->internal },
		{ "isolation", want->isolation != have->isolation },
		{ "portIsolation", want->icc_off != have->icc_off },
		{ "ipMasq", want->routed != have->routed },
		{ "names", want->dns_off != have->dns_off },
		{ "isDefaultGateway", want->default_off != have->default_off },
		{ "mtu", want->mtu != have->mtu },
	};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].differs)
			return rows[i].key;
	return NULL;
}

/* making */

/* An existing bridge is joined and stays when its last container goes; its routes are no obstacle.
 */
static int find_link(struct network *n, int *ret_index, struct error *err)
{
	struct nl nl = { 0 };
	struct link link;
	int r;

	*ret_index = 0;
	if (!n->link[0])
		return 0;
	r = nl_open(&nl, err);
	if (r < 0)
		return r;
	r = link_read(&nl, n->link, &link);
	nl_close(&nl);
	if (r == -ENODEV && n->driver == NETWORK_BRIDGE)
		return 0;
	if (r < 0)
		return error_sys(err, r, "find link %s", n->link);
	*ret_index = link.index;
	n->managed = false;
	return 0;
}

static int choose_subnets(struct plugin *p, struct network *n)
{
	const uint8_t families[] = { AF_INET, AF_INET6 };
	size_t want = p->config.ipv6 ? 2 : 1;
	int r = 0;

	n->subnets = xcalloc(want, sizeof(*n->subnets));
	for (size_t i = 0; r == 0 && i < want; i++) {
		r = choose_subnet(p->site.db, families[i], &n->subnets[i], &p->f.err);
		n->nsubnets += r == 0;
	}
	return r;
}

static int make(struct plugin *p)
{
	struct network *n = &p->config.network;
	int index = 0, r = find_link(n, &index, &p->f.err);

	if (r == 0 && n->nsubnets == 0)
		r = choose_subnets(p, n);
	else
		for (size_t i = 0; r == 0 && n->driver == NETWORK_BRIDGE && i < n->nsubnets; i++)
			r = choose_check_subnet(p->site.db, &n->subnets[i].net, index, &p->f.err);
	n->created_ns = clock_now_ns();
	if (r == 0)
		r = network_insert(p->site.db, n, &p->f.err);
	if (r < 0) {
		r = cni_fail_from(&p->f, r);
		p->f.code = CNI_CONFIG;
	}
	return r;
}

int plugin_network(struct plugin *p)
{
	const struct network *want = &p->config.network;
	struct network have = { .id = 0 };
	const char *key;
	int r = network_find(p->site.db, want->name, &have, &p->f.err);

	if (r == -ENOENT && p->config.own) {
		p->f.err = (struct error) { 0 };
		return make(p);
	}
	if (r < 0)
		return cni_fail_from(&p->f, r);
	key = p->config.own ? difference(want, &have) : NULL;
	network_done(&have);
	if (key)
		return cni_fail(&p->f, CNI_CONFIG, -EINVAL,
				"network %s is there with another %s; remove its containers, or "
				"choose another name",
				want->name, key);
	return 0;
}
