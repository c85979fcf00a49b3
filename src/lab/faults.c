/* src/lab/faults.c */
#include "lab/faults.h"

#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/json.h"
#include "lab/enter.h"
#include "lab/raise.h"

/* Who plays which part. */
struct cast {
	const struct topology *t;
	struct link_end h, to, x, r_in, r_out, f_in, s_port, s_tport, s_uplink, s_vx;
	struct ip vx_to; /* of the tunnel's remotes the one that leads to the target's switch */
	struct ip_net h_net, t_net, x_net, r_net, f_back;
	size_t server; /* that the host asks for names; NO_INDEX */
	uint16_t vlan, other_vlan;
	bool built; /* VLANs are not the kernel's */
};

static bool end_is_set(const struct link_end *e)
{
	return e->node != NO_INDEX;
}

static const struct link_end nowhere = { NO_INDEX, NO_INDEX };

static bool is_host(const struct topology *t, size_t node)
{
	return t->nodes[node].kind == NODE_HOST || t->nodes[node].kind == NODE_CONTAINER;
}

/* The first address of a family that a node's cables have. */
static bool address_of(const struct topology *t, size_t node, uint8_t family, struct link_end *at,
		       struct ip_net *ret)
{
	const struct node *n = &t->nodes[node];

	for (size_t i = 0; i < n->n_interfaces; i++)
		for (size_t k = 0; k < n->interfaces[i].n_addresses; k++)
			if (n->interfaces[i].addresses[k].ip.family == family &&
			    n->interfaces[i].kind != IF_LOCAL) {
				*at = (struct link_end) { node, i };
				*ret = n->interfaces[i].addresses[k];
				return true;
			}
	return false;
}

/* The interface of a forwarding node that has an address in a subnet. */
static struct link_end leg_in(const struct topology *t, const struct ip_net *net, size_t node,
			      struct ip_net *ret)
{
	const struct node *n = &t->nodes[node];

	for (size_t i = 0; i < n->n_interfaces; i++)
		for (size_t k = 0; k < n->interfaces[i].n_addresses; k++)
			if (ip_net_has(net, &n->interfaces[i].addresses[k].ip)) {
				*ret = n->interfaces[i].addresses[k];
				return (struct link_end) { node, i };
			}
	return nowhere;
}

static bool gateway_of(const struct topology *t, size_t node, uint8_t family, struct ip *ret)
{
	const struct node *n = &t->nodes[node];

	for (size_t i = 0; i < n->n_routes; i++)
		if (n->routes[i].to.prefix_len == 0 && n->routes[i].via.family == family) {
			*ret = n->routes[i].via;
			return true;
		}
	return false;
}

static size_t owner_of(const struct topology *t, const struct ip *ip)
{
	for (size_t i = 0; i < t->n_nodes; i++) {
		struct ip_net net, single = { .ip = *ip, .prefix_len = (uint8_t)(ip_len(ip) * 8) };

		if (end_is_set(&(struct link_end[]) { leg_in(t, &single, i, &net) }[0]))
			return i;
	}
	return NO_INDEX;
}

/* casting */

static void cast_routers(struct cast *c)
{
	struct ip gateway, far;
	struct ip_net subnet = ip_net_of(&c->h_net), mine, its;
	size_t r, f;

	if (ip_net_has(&c->h_net, &c->t_net.ip) ||
	    !gateway_of(c->t, c->h.node, c->h_net.ip.family, &gateway))
		return;
	r = owner_of(c->t, &gateway);
	if (r == NO_INDEX || !c->t->nodes[r].forwarding)
		return;
	c->r_in = leg_in(c->t, &subnet, r, &c->r_net);
	subnet = ip_net_of(&c->t_net);
	c->r_out = leg_in(c->t, &subnet, r, &its);
	if (end_is_set(&c->r_out) || !gateway_of(c->t, c->to.node, c->h_net.ip.family, &far))
		return;
	/* Two of them: by which leg does the far one see the near one? */
	f = owner_of(c->t, &far);
	for (size_t i = 0; f != NO_INDEX && i < c->t->nodes[f].n_interfaces; i++)
		for (size_t k = 0; k < c->t->nodes[f].interfaces[i].n_addresses; k++) {
			struct ip_net between =
				ip_net_of(&c->t->nodes[f].interfaces[i].addresses[k]);
			struct link_end out = leg_in(c->t, &between, r, &mine);

			if (!end_is_set(&out))
				continue;
			c->r_out = out;
			c->f_in = (struct link_end) { f, i };
			c->f_back = mine;
		}
}

/* The router that answers ARP for one whose subnet is the host's own. */
static void cast_proxy(struct cast *c)
{
	for (size_t i = 0; i < c->t->n_nodes; i++)
		for (size_t k = 0; k < c->t->nodes[i].n_interfaces; k++)
			if (c->t->nodes[i].interfaces[k].proxy_arp == ON && !end_is_set(&c->r_in))
				c->r_in = (struct link_end) { i, k };
}

static struct link_end plugged_into(const struct topology *t, const struct link_end *e)
{
	const struct interface *i = link_end_interface(t, e);
	const struct lab_link *l = i->link == NO_INDEX ? NULL : &t->links[i->link];

	if (!l)
		return nowhere;
	return l->ends[l->ends[0].node == e->node && l->ends[0].interface == e->interface];
}

static void cast_tunnel(struct cast *c, size_t far_switch)
{
	const struct node *s = &c->t->nodes[c->s_port.node];

	for (size_t i = 0; i < s->n_interfaces; i++)
		for (size_t k = 0; k < s->interfaces[i].vxlan.n_remotes; k++)
			if (owner_of(c->t, &s->interfaces[i].vxlan.remotes[k]) == far_switch) {
				c->s_vx = (struct link_end) { c->s_port.node, i };
				c->vx_to = s->interfaces[i].vxlan.remotes[k];
			}
}

static bool is_on_trunk(const struct cast *c)
{
	const struct interface *i;
	struct link_end far = plugged_into(c->t, &c->to);

	if (!end_is_set(&c->s_uplink) || !c->vlan ||
	    far.node != plugged_into(c->t, &c->s_uplink).node ||
	    link_end_interface(c->t, &far)->vlan != c->vlan)
		return false;
	i = link_end_interface(c->t, &c->s_uplink);
	for (size_t k = 0; k < i->n_trunk; k++)
		if (i->trunk[k] == c->vlan)
			return true;
	return false;
}

static bool is_native(const struct cast *c)
{
	return !c->built && c->other_vlan &&
	       link_end_interface(c->t, &c->s_uplink)->native == c->vlan;
}

static void cast_switch(struct cast *c)
{
	const struct node *s;

	c->s_port = plugged_into(c->t, &c->h);
	if (!end_is_set(&c->s_port) || c->t->nodes[c->s_port.node].kind != NODE_SWITCH) {
		c->s_port = nowhere;
		return;
	}
	s = &c->t->nodes[c->s_port.node];
	c->s_tport = plugged_into(c->t, &c->to);
	if (end_is_set(&c->s_tport))
		cast_tunnel(c, c->s_tport.node);
	if (c->s_tport.node != c->s_port.node)
		c->s_tport = nowhere;
	c->vlan = s->interfaces[c->s_port.interface].vlan;
	for (size_t i = 0; i < s->n_interfaces; i++) {
		struct link_end there, here = { c->s_port.node, i };

		if (s->interfaces[i].vlan && s->interfaces[i].vlan != c->vlan)
			c->other_vlan = s->interfaces[i].vlan;
		there = plugged_into(c->t, &here);
		if (end_is_set(&there) && c->t->nodes[there.node].kind == NODE_SWITCH)
			c->s_uplink = here;
	}
}

static void cast_third(struct cast *c, uint8_t family)
{
	for (size_t i = 0; i < c->t->n_nodes; i++) {
		struct link_end at;
		struct ip_net net;

		if (is_host(c->t, i) && i != c->h.node && i != c->to.node &&
		    address_of(c->t, i, family, &at, &net) && ip_net_has(&c->h_net, &net.ip)) {
			c->x = at;
			c->x_net = net;
			return;
		}
	}
}

/* One fault alone: the server is neither of the pair. */
static void cast_server(struct cast *c)
{
	const struct node *h = &c->t->nodes[c->h.node];
	size_t node = h->n_resolvers ? owner_of(c->t, &h->resolvers[0]) : NO_INDEX;

	if (node != NO_INDEX && node != c->h.node && node != c->to.node && c->t->nodes[node].dns)
		c->server = node;
}

static bool has_nat(const struct cast *c)
{
	return end_is_set(&c->r_in) && c->t->nodes[c->r_in.node].n_nat > 0;
}

static bool has_all(const struct cast *c, unsigned needs)
{
	bool near = ip_net_has(&c->h_net, &c->t_net.ip);
	bool across = end_is_set(&c->r_in) && end_is_set(&c->r_out);

	return (!(needs & NEEDS_NEAR) || near) &&
	       (!(needs & NEEDS_ROUTER) || (across && !end_is_set(&c->f_in) && !has_nat(c))) &&
	       (!(needs & NEEDS_FAR) || (across && end_is_set(&c->f_in))) &&
	       (!(needs & NEEDS_THIRD) || end_is_set(&c->x)) &&
	       (!(needs & NEEDS_SWITCH) || end_is_set(&c->s_port)) &&
	       (!(needs & NEEDS_NEIGHBOURS) || (end_is_set(&c->s_tport) && near)) &&
	       (!(needs & NEEDS_UPLINK) ||
		(end_is_set(&c->s_uplink) && !end_is_set(&c->s_tport))) &&
	       (!(needs & NEEDS_PROXY) || (end_is_set(&c->r_in) && near)) &&
	       (!(needs & NEEDS_NAT) || has_nat(c)) &&
	       (!(needs & NEEDS_VXLAN) || (end_is_set(&c->s_vx) && near)) &&
	       (!(needs & NEEDS_TRUNK) || (is_on_trunk(c) && near)) &&
	       (!(needs & NEEDS_DNS) || c->server != NO_INDEX) &&
	       (!(needs & NEEDS_NATIVE) || is_native(c)) &&
	       (!(needs & NEEDS_VLAN) || (c->vlan && c->other_vlan));
}

static bool cast_pair(const struct lab *lab, size_t h, size_t to, unsigned needs, struct cast *ret)
{
	const struct topology *t = lab->topology;
	uint8_t family = needs & NEEDS_IPV6 ? AF_INET6 : AF_INET;
	struct cast c = { .t = t,
			  .built = lab->vlan == MEANS_BUILT,
			  .x = nowhere,
			  .r_in = nowhere,
			  .r_out = nowhere,
			  .f_in = nowhere,
			  .s_port = nowhere,
			  .s_tport = nowhere,
			  .s_uplink = nowhere,
			  .s_vx = nowhere,
			  .server = NO_INDEX };

	if (h == to || !is_host(t, h) || !is_host(t, to) ||
	    !address_of(t, h, family, &c.h, &c.h_net) ||
	    !address_of(t, to, family, &c.to, &c.t_net))
		return false;
	cast_routers(&c);
	if (needs & NEEDS_PROXY)
		cast_proxy(&c);
	if (needs & NEEDS_PROXY && plugged_into(t, &c.h).node == plugged_into(t, &c.to).node)
		return false;
	cast_switch(&c);
	cast_third(&c, family);
	cast_server(&c);
	*ret = c;
	return has_all(&c, needs);
}

/* The first pair that fits, in the order of the file from a place that chance may choose. */
static bool cast_find(const struct lab *lab, unsigned needs, uint32_t chance, struct cast *ret)
{
	size_t n = lab->topology->n_nodes, pairs = n * n;

	for (size_t i = 0; i < pairs; i++) {
		size_t k = (i + chance) % pairs;

		if (cast_pair(lab, k / n, k % n, needs, ret))
			return true;
	}
	return false;
}

/* doing it */

static void set_ip(const char *name, const struct ip *ip)
{
	char text[IP_TEXT_LEN];

	ip_format(ip, text);
	(void)setenv(name, text, 1);
}

static void set_net(const char *name, const struct ip_net *net)
{
	struct ip_net subnet = ip_net_of(net);
	char text[IP_NET_TEXT_LEN];

	ip_net_format(&subnet, text);
	(void)setenv(name, text, 1);
}

static void set_end(const struct topology *t, const char *name, const struct link_end *e)
{
	if (end_is_set(e))
		(void)setenv(name, link_end_interface(t, e)->name, 1);
}

static void set_number(const char *name, unsigned n)
{
	autofree char *text = xasprintf("%u", n);

	(void)setenv(name, text, 1);
}

static void set_mac(const struct topology *t, const char *name, const struct link_end *e)
{
	const unsigned char *m = link_end_interface(t, e)->mac;
	autofree char *text =
		xasprintf("%02x:%02x:%02x:%02x:%02x:%02x", m[0], m[1], m[2], m[3], m[4], m[5]);

	(void)setenv(name, text, 1);
}

/* An address of a subnet that nobody has: near its end. */
static struct ip free_in(const struct topology *t, const struct ip_net *net)
{
	struct ip first = ip_net_first(net), last = ip_net_last(net);
	uint64_t n = MIN(ip_distance(&last, &first), (uint64_t)250);
	struct ip ip = first;

	for (uint64_t i = n - 1; i > 0; i--) {
		ip = ip_plus(&first, i);
		if (owner_of(t, &ip) == NO_INDEX)
			break;
	}
	return ip;
}

static void set_tunnel(const struct cast *c)
{
	const struct interface *i = link_end_interface(c->t, &c->s_vx);
	struct ip_net around = { .ip = c->vx_to,
				 .prefix_len = c->vx_to.family == AF_INET6 ? 64 : 24 };
	struct ip free_ip = free_in(c->t, &around);
	struct buf remotes = BUF_INIT(i->vxlan.n_remotes * IP_TEXT_LEN + 1);
	autofree char *list = NULL;

	set_end(c->t, "S_VX", &c->s_vx);
	set_mac(c->t, "S_VX_MAC", &c->s_vx);
	set_ip("S_VX_LOCAL", &i->vxlan.local);
	set_ip("S_VX_TO", &c->vx_to);
	set_ip("S_VX_FREE", &free_ip);
	set_number("S_VX_INDEX", (unsigned)interface_index(c->s_vx.interface));
	set_number("S_VX_MTU", i->mtu ? i->mtu : 1450);
	set_number("S_VX_PORT", i->vxlan.port);
	set_number("S_VX_ID", i->vxlan.vni == 1 ? 2 : i->vxlan.vni - 1);
	for (size_t k = 0; k < i->vxlan.n_remotes; k++) {
		char text[IP_TEXT_LEN];

		ip_format(&i->vxlan.remotes[k], text);
		buf_addf(&remotes, "%s ", text);
	}
	list = buf_steal(&remotes);
	(void)setenv("S_VX_REMOTES", list, 1);
}

static void set_variables(const struct cast *c)
{
	bool v6 = c->h_net.ip.family == AF_INET6;
	struct ip gateway, free_ip = free_in(c->t, &c->h_net), other = free_in(c->t, &c->t_net);

	set_end(c->t, "H_IF", &c->h);
	set_end(c->t, "T_IF", &c->to);
	set_end(c->t, "X_IF", &c->x);
	set_end(c->t, "R_IF", &c->r_in);
	set_end(c->t, "R_OUT", &c->r_out);
	set_end(c->t, "S_PORT", &c->s_port);
	set_end(c->t, "S_TPORT", &c->s_tport);
	set_end(c->t, "S_UPLINK", &c->s_uplink);
	set_ip("H_IP", &c->h_net.ip);
	set_ip("T_IP", &c->t_net.ip);
	set_ip("X_IP", &c->x_net.ip);
	set_ip("F_BACK", &c->f_back.ip);
	set_ip("FREE_IP", &free_ip);
	set_ip("T_FREE_IP", &other);
	set_net("H_NET", &c->h_net);
	set_net("T_NET", &c->t_net);
	set_number("H_LEN", c->h_net.prefix_len);
	set_number("T_LEN", c->t_net.prefix_len);
	set_number("H_FULL", v6 ? 128 : 32);
	set_mac(c->t, "T_MAC", &c->to);
	set_number("S_VLAN", c->vlan);
	set_number("S_OTHER_VLAN", c->other_vlan);
	(void)setenv("S_BRIDGE", BRIDGE_NAME, 1);
	(void)setenv("WRONG_IP", v6 ? "2001:db8:bad::7/64" : "198.51.100.7/24", 1);
	(void)setenv("FAMILY", v6 ? "ip6" : "ip", 1);
	if (gateway_of(c->t, c->h.node, c->h_net.ip.family, &gateway))
		set_ip("H_GW", &gateway);
	if (end_is_set(&c->s_vx))
		set_tunnel(c);
}

static size_t node_at(const struct cast *c, enum fault_at at)
{
	switch (at) {
	case AT_HOST:
		return c->h.node;
	case AT_TARGET:
		return c->to.node;
	case AT_THIRD:
		return c->x.node;
	case AT_ROUTER:
		return c->r_in.node;
	case AT_FAR:
		return c->f_in.node;
	case AT_SWITCH:
		return c->s_port.node;
	case AT_SERVER:
		return c->server;
	}
	return NO_INDEX;
}

static const char *name_at(const struct cast *c, enum fault_at at)
{
	size_t node = node_at(c, at);

	return node == NO_INDEX ? "" : c->t->nodes[node].name;
}

static char *state_path(const struct lab *lab)
{
	return xasprintf("%s/fault.json", lab->dir);
}

static int remember(struct lab *lab, const struct fault *f, const struct cast *c, struct error *err)
{
	cleanup(json_cleanup) json_t *doc =
		json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:s, s:s, s:s}", "fault", f->id,
			  "hints", 0, "h", name_at(c, AT_HOST), "t", name_at(c, AT_TARGET), "x",
			  name_at(c, AT_THIRD), "r", name_at(c, AT_ROUTER), "f", name_at(c, AT_FAR),
			  "s", name_at(c, AT_SWITCH), "d", name_at(c, AT_SERVER), "l", c->t->name);
	autofree char *path = state_path(lab);

	return json_save_at(AT_FDCWD, path, doc, false, err);
}

static int hide(struct lab *lab, const struct fault *f, const struct cast *c, struct error *err)
{
	char *const argv[] = { (char *)"sh", (char *)"-c", (char *)f->command, NULL };
	int r;

	set_variables(c);
	r = lab_exec(lab, node_at(c, f->at), argv, err);
	if (r > 0)
		r = error_set(err, -EIO, "fault %s: its commands failed in %s", f->id,
			      name_at(c, f->at));
	return r < 0 ? r : remember(lab, f, c, err);
}

static size_t fault_count(void)
{
	size_t n = 0;

	while (faults[n].id)
		n++;
	return n;
}

static bool has_check(const struct topology *t, const char *kind)
{
	for (size_t i = 0; i < t->n_checks; i++)
		if (strcmp(t->checks[i].kind, kind) == 0)
			return true;
	return false;
}

int fault_hide(struct lab *lab, const char *id, struct error *err)
{
	bool any = strcmp(id, "random") == 0;
	size_t n = fault_count();
	uint32_t chance[2] = { 0, 0 };
	struct cast c;

	if (any && getrandom(chance, sizeof(chance), 0) != (ssize_t)sizeof(chance))
		return error_sys(err, -errno, "get random bytes");
	for (size_t i = 0; i < n; i++) {
		const struct fault *f = &faults[(i + chance[0]) % n];

		/* What only sizes or names show, and no check asks for, would be no lesson. */
		if (any && (f->cause == CAUSE_MTU ||
			    (f->needs & NEEDS_DNS && !has_check(lab->topology, "resolve"))))
			continue;
		if (!any && strcmp(f->id, id) != 0)
			continue;
		if (cast_find(lab, f->needs, chance[1] % 65536, &c))
			return hide(lab, f, &c, err);
		if (!any)
			return error_set(err, -EINVAL,
					 "fault %s does not fit lab %s: it has not all the parts "
					 "that it takes",
					 id, lab->topology->name);
	}
	return error_set(err, any ? -EINVAL : -ENOENT,
			 any ? "no fault fits lab %s"
			     : "there is no fault %s; 'strake lab faults' "
			       "lists them",
			 any ? lab->topology->name : id);
}

/* hints */

static const struct fault *fault_find(const char *id)
{
	for (const struct fault *f = faults; f->id; f++)
		if (id && strcmp(f->id, id) == 0)
			return f;
	return NULL;
}

/* {h} and its kin are members of the record. */
static char *fill_in(const char *text, const json_t *doc)
{
	struct buf out = BUF_INIT(2000);

	for (; *text; text++) {
		char key[2] = { text[1], 0 };
		const char *name = *text == '{' && text[1] && text[2] == '}'
					   ? json_string_value(json_object_get(doc, key))
					   : NULL;

		if (!name) {
			buf_add_char(&out, *text);
			continue;
		}
		buf_add_str(&out, name);
		text += 2;
	}
	return buf_steal(&out);
}

int fault_hint(struct lab *lab, char **ret, struct error *err)
{
	cleanup(json_cleanup) json_t *doc = NULL;
	autofree char *path = state_path(lab);
	const struct fault *f;
	json_int_t given;

	if (access(path, F_OK) < 0)
		return error_set(err, -ENOENT,
				 "no fault is hidden in lab %s; 'strake lab up --break' "
				 "hides one",
				 lab->topology->name);
	if (json_load_at(AT_FDCWD, path, &doc, err) < 0)
		return -EINVAL;
	f = fault_find(json_string_value(json_object_get(doc, "fault")));
	if (!f)
		return error_set(err, -EINVAL, "%s names no fault that there is", path);
	given = json_integer_value(json_object_get(doc, "hints"));
	given = given < 0 ? 0 : MIN(given, (json_int_t)FAULT_HINTS - 1);
	*ret = fill_in(f->hints[given], doc);
	(void)json_object_set_new(doc, "hints", json_integer(given + 1));
	return json_save_at(AT_FDCWD, path, doc, false, err);
}
