/* src/cni/plugin_add.c - ADD and CHECK. */
#include <assert.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "base/alloc.h"
#include "base/db.h"
#include "cni/plugin.h"
#include "cni/result.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "kernel/netns.h"
#include "kernel/route.h"
#include "kernel/stack.h"
#include "network/cni_record.h"
#include "network/table.h"

/* The host's own would be wired to itself. */
static int open_netns(struct plugin *p, int *ret_fd)
{
	const char *path = p->request.netns;
	autoclose int fd = open(path, O_RDONLY | O_CLOEXEC);
	struct statfs fs;
	struct stat st, host;

	if (fd < 0)
		return cni_fail(&p->f, CNI_CONTAINER, -errno, "network namespace %s: %s", path,
				strerror(errno));
	if (fstatfs(fd, &fs) < 0 || fs.f_type != NSFS_MAGIC)
		return cni_fail(&p->f, CNI_CONTAINER, -EINVAL, "%s is not a namespace", path);
	if (fstat(fd, &st) == 0 && stat("/proc/self/ns/net", &host) == 0 &&
	    st.st_ino == host.st_ino && st.st_dev == host.st_dev)
		return cni_fail(&p->f, CNI_ENVIRONMENT, -EINVAL,
				"CNI_NETNS %s is this host's own network namespace", path);
	*ret_fd = steal_fd(&fd);
	return 0;
}

/* reserving */

static struct ip choose(const struct ip *argument, const struct ip *configured)
{
	return ip_is_set(argument) ? *argument : *configured;
}

static int reserve(struct plugin *p, struct network_lease *ret)
{
	const struct cni_request *q = &p->request;
	const struct cni_config *c = &p->config;
	struct endpoint_request endpoint = { .network = c->network.name,
					     .ip = choose(&q->ip, &c->ip),
					     .ip6 = choose(&q->ip6, &c->ip6),
					     .has_mac = q->has_mac || c->has_mac,
					     .interface = q->ifname,
					     .aliases = &c->aliases };
	struct network_request request = { .endpoints = &endpoint,
					   .nendpoints = 1,
					   .publish = &c->publish,
					   .rate_up = c->rate_up,
					   .rate_down = c->rate_down };
	struct cni_record record = { .network = c->name,
				     .container = p->request.container,
				     .ifname = p->request.ifname };
	int r = id_new(record.lease);

	if (r < 0)
		return cni_fail(&p->f, CNI_FAILED, r, "no random bits for an ID");
	memcpy(endpoint.mac, q->has_mac ? q->mac : c->mac, sizeof(endpoint.mac));
	(void)snprintf(record.boot, sizeof(record.boot), "%s", p->boot);
	request.id = record.lease;
	r = cni_record_add(p->site.db, &record, &p->f.err);
	if (r == 0)
		r = network_reserve(&p->site, &request, ret, &p->f.err);
	return r < 0 ? cni_fail_from(&p->f, r) : 0;
}

/* A pod's name is an alias of its address. */
static void add_pod_alias(struct plugin *p)
{
	if (p->request.pod[0] && !strv_has(&p->config.aliases, p->request.pod))
		strv_add(&p->config.aliases, p->request.pod);
}

static int claim(struct plugin *p, struct network_lease *ret)
{
	int r = db_begin(p->site.db, &p->f.err);

	if (r < 0)
		return cni_fail_from(&p->f, r);
	add_pod_alias(p);
	r = plugin_network(p);
	if (r == 0)
		r = reserve(p, ret);
	if (r == 0) {
		r = db_commit(p->site.db, &p->f.err);
		r = r < 0 ? cni_fail_from(&p->f, r) : 0;
	}
	db_rollback(p->site.db);
	return r;
}

/* the answer */

static void format_mac(const unsigned char mac[NETWORK_MAC_LEN], char ret[STACK_MAC_LEN])
{
	(void)snprintf(ret, STACK_MAC_LEN, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		       mac[3], mac[4], mac[5]);
}

static void add_host_link(struct nl *nl, const char *name, struct stack_link *link,
			  struct cni_result *ret)
{
	if (!name[0] || stack_find_link(nl, name, link) < 0)
		return;
	ret->links[ret->nlinks++] =
		(struct cni_result_link) { .name = link->name, .mac = link->mac, .mtu = link->mtu };
}

/* With names on, the network's own server stands before others. */
static void add_nameserver(struct plugin *p, const struct endpoint *e)
{
	const struct ip *gateway = ip_is_set(&e->gateway) ? &e->gateway : &e->gateway6;
	json_t *list = json_object_get(p->config.dns, "nameservers");
	char text[IP_TEXT_LEN];

	if (e->network.dns_off || e->network.driver != NETWORK_BRIDGE || !ip_is_set(gateway))
		return;
	ip_format(gateway, text);
	if (!list) {
		list = json_array();
		(void)json_object_set_new(p->config.dns, "nameservers", list);
	}
	(void)json_array_insert_new(list, 0, json_string(text));
}

/* Another network of the container may have had it before. */
static bool has_default_route(const char *netns, const char *interface)
{
	struct netns ns = NETNS_INIT;
	bool ours = netns_open(netns, &ns, NULL) == 0;

	if (ours) {
		int index = link_index(ns.nl, interface);

		ours = index > 0 && route_uplink(ns.nl) == index;
	}
	netns_close(&ns);
	return ours;
}

static int answer(struct plugin *p, const struct network_lease *lease)
{
	const struct endpoint *e = lease->endpoints;
	struct cni_result result = { .ip.ip.family = 0 };
	struct stack_link bridge, cable;
	char mac[STACK_MAC_LEN];
	struct nl nl = { 0 };
	int r = nl_open(&nl, &p->f.err);

	assert(e);
	if (r < 0)
		return cni_fail_from(&p->f, r);
	result.ip = e->ip;
	result.ip6 = e->ip6;
	result.gateway = e->gateway;
	result.gateway6 = e->gateway6;
	result.network = &e->network;
	if (e->network.driver == NETWORK_BRIDGE) {
		add_host_link(&nl, e->network.link, &bridge, &result);
		add_host_link(&nl, e->link, &cable, &result);
	}
	nl_close(&nl);
	format_mac(e->mac, mac);
	result.no_default = !has_default_route(p->request.netns, e->interface);
	result.links[result.nlinks] = (struct cni_result_link) {
		.name = e->interface,
		.mac = mac,
		.sandbox = p->request.netns,
		.mtu = result.nlinks ? result.links[result.nlinks - 1].mtu : e->network.mtu
	};
	result.nlinks++;
	add_nameserver(p, e);
	p->answer = cni_result_format(&result, &p->config);
	return 0;
}

int plugin_add(struct plugin *p)
{
	struct network_lease lease = { .nendpoints = 0 };
	autoclose int fd = -1;
	int r = open_netns(p, &fd);

	if (r == 0)
		r = claim(p, &lease);
	if (r < 0)
		return r;
	r = network_attach(&p->site, &lease, p->request.netns, ATTACH_EXISTING, &p->f.err);
	r = r < 0 ? cni_fail_from(&p->f, r) : answer(p, &lease);
	if (r < 0) {
		struct cni_failure first = p->f;

		ignore_result(plugin_undo(p, lease.id, p->request.netns));
		p->f = first;
	}
	network_lease_done(&lease);
	return r;
}

/* CHECK: whether the kernel has what ADD made */

static int differs(struct plugin *p, const char *fmt, ...) printf_like(2, 3);

static int differs(struct plugin *p, const char *fmt, ...)
{
	char text[300];
	va_list ap;

	va_start(ap, fmt);
	(void)vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	return cni_fail(&p->f, CNI_DIFFERS, -ESTALE, "%s", text);
}

static bool has_address(const struct stack *stack, int index, const struct ip_net *net)
{
	char text[IP_TEXT_LEN];

	ip_format(&net->ip, text);
	for (size_t i = 0; i < stack->addresses.n; i++)
		if (stack->addresses.items[i].index == index &&
		    strcmp(stack->addresses.items[i].ip, text) == 0)
			return true;
	return false;
}

static bool has_route(const struct stack *stack, const char *to, const struct ip *via)
{
	char text[IP_TEXT_LEN];

	ip_format(via, text);
	for (size_t i = 0; i < stack->routes.n; i++)
		if (strcmp(stack->routes.items[i].to, to) == 0 &&
		    strcmp(stack->routes.items[i].via, text) == 0)
			return true;
	return false;
}

static int check_inside(struct plugin *p, const struct endpoint *e, const struct stack *stack)
{
	const struct ip_net *addresses[] = { &e->ip, &e->ip6 };
	const struct stack_link *link = NULL;
	char text[IP_NET_TEXT_LEN];

	for (size_t i = 0; i < stack->links.n; i++)
		if (strcmp(stack->links.items[i].name, e->interface) == 0)
			link = &stack->links.items[i];
	if (!link)
		return differs(p, "interface %s is gone", e->interface);
	if (!link->up)
		return differs(p, "interface %s is down", e->interface);
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		if (!ip_is_set(&addresses[i]->ip) || has_address(stack, link->index, addresses[i]))
			continue;
		ip_net_format(addresses[i], text);
		return differs(p, "address %s is not on %s", text, e->interface);
	}
	for (size_t i = 0; i < e->network.nroutes; i++) {
		ip_net_format(&e->network.routes[i].to, text);
		if (!has_route(stack, text, &e->network.routes[i].via))
			return differs(p, "the route to %s is gone", text);
	}
	return 0;
}

static int check_cable(struct plugin *p, const struct endpoint *e)
{
	struct stack_link bridge, cable;
	struct nl nl = { 0 };
	int r;

	assert(e);
	if (e->network.driver != NETWORK_BRIDGE)
		return 0;
	r = nl_open(&nl, &p->f.err);
	if (r < 0)
		return cni_fail_from(&p->f, r);
	if (stack_find_link(&nl, e->network.link, &bridge) < 0)
		r = differs(p, "bridge %s is gone", e->network.link);
	else if (stack_find_link(&nl, e->link, &cable) < 0)
		r = differs(p, "cable %s is gone", e->link);
	else if (cable.master != bridge.index)
		r = differs(p, "cable %s is not plugged into %s", e->link, e->network.link);
	nl_close(&nl);
	return r;
}

static int check_ports(struct plugin *p, const struct network_lease *lease)
{
	struct table_elements want = { 0 }, have = { 0 };
	int r;

	network_lease_collect(lease, &want);
	if (want.n == 0)
		return 0;
	r = table_list(lease->table, &have);
	if (r < 0 && r != -ENOENT)
		r = cni_fail(&p->f, CNI_FAILED, r, "list nftables table inet %s", lease->table);
	else
		r = 0;
	for (size_t i = 0; r == 0 && i < want.n; i++) {
		bool found = false;

		for (size_t k = 0; !found && k < have.n; k++)
			found = table_element_equal(&want.items[i], &have.items[k]);
		if (!found) {
			autofree char *text = table_element_format(&want.items[i]);

			r = differs(p, "a port is not published: %.200s", text);
		}
	}
	table_elements_done(&want);
	table_elements_done(&have);
	return r;
}

int plugin_check(struct plugin *p)
{
	struct network_lease lease = { .nendpoints = 0 };
	struct stack stack = { .ino = 0 };
	char id[ID_LEN + 1];
	autoclose int fd = -1;
	int r = open_netns(p, &fd);

	if (r < 0)
		return r;
	if (!p->config.previous)
		return cni_fail(&p->f, CNI_CONFIG, -EINVAL, "CHECK needs prevResult");
	r = cni_record_find(p->site.db, p->config.name, p->request.container, p->request.ifname, id,
			    &p->f.err);
	if (r == -ENOENT)
		return cni_fail(&p->f, CNI_CONTAINER, r,
				"network %s has no interface %s of container %.70s", p->config.name,
				p->request.ifname, p->request.container);
	if (r == 0)
		r = network_lease_read(p->site.db, id, &lease, &p->f.err);
	if (r == 0 && !lease.endpoints)
		return differs(p, "the lease is gone");
	if (r == 0)
		r = stack_read(fd, STACK_WITHOUT_SOCKETS, &stack, &p->f.err);
	if (r < 0)
		r = cni_fail_from(&p->f, r);
	if (r == 0)
		r = check_inside(p, &lease.endpoints[0], &stack);
	if (r == 0)
		r = check_cable(p, &lease.endpoints[0]);
	if (r == 0)
		r = check_ports(p, &lease);
	stack_done(&stack);
	network_lease_done(&lease);
	return r;
}
