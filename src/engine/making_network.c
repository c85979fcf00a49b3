/* src/engine/making_network.c */
#include "engine/making_network.h"

#include <fcntl.h>
#include <string.h>
#include <sys/statfs.h>

#include "base/alloc.h"
#include "base/explain.h"
#include "base/file.h"
#include "engine/config.h"
#include "engine/container.h"
#include "engine/engine.h"
#include "engine/making.h"
#include "engine/options.h"
#include "engine/status.h"
#include "network/check.h"
#include "network/name_servers.h"
#include "network/names.h"
#include "network/port.h"

#define JOIN           "container:"
#define NAMESPACE      "ns:"
#define NSFS_MAGIC_    0x6e736673
#define FILE_BYTES_MAX (1U << 20)

/* plan */

static int join_container(struct making *m, const char *name, struct error *err)
{
	cleanup(container_cleanup) struct container *other = NULL;
	struct status status = { .pid = 0 };
	int r = container_find(m->engine, name, &other, err);

	if (r == 0)
		r = status_read(m->engine, other->id, &status, err);
	if (r < 0)
		return r;
	if (status.kind != STATUS_RUNNING)
		return error_set(err, -EINVAL, "--network " JOIN "%s: it does not run", name);
	m->joined = xstrdup(other->id);
	m->netns = xasprintf("/proc/%d/ns/net", (int)status.pid);
	m->is_joined = true;
	return 0;
}

static int join_path(struct making *m, const char *path, struct error *err)
{
	struct statfs fs;

	if (statfs(path, &fs) < 0)
		return error_sys(err, -errno, "--network %s", path);
	if (fs.f_type != NSFS_MAGIC_)
		return error_set(err, -EINVAL,
				 "--network %s: it is no namespace; 'ip netns add' makes one",
				 path);
	m->netns = xstrdup(path);
	m->is_joined = true;
	return 0;
}

static int plan_mode(struct making *m, const char *mode, struct error *err)
{
	const struct container_options *o = m->options;

	if (o->publish.n > 0 || o->publish_all)
		return error_set(err, -EINVAL, "--publish has no meaning with --network %s", mode);
	if (o->networks.n > 1)
		return error_set(err, -EINVAL, "--network %s excludes any other", mode);
	if (o->ip || o->ip6 || o->mac || o->aliases.n > 0 || o->rate_up || o->rate_down)
		return error_set(err, -EINVAL,
				 "--network %s: there are no addresses, aliases or rates to choose",
				 mode);
	if (strncmp(mode, JOIN, strlen(JOIN)) == 0 &&
	    (o->dns.n > 0 || o->dns_search.n > 0 || o->dns_option.n > 0 || o->add_host.n > 0))
		return error_set(err, -EINVAL,
				 "--network %s: it shares that one's /etc/hosts and resolv.conf; "
				 "--dns and --add-host are for its own run",
				 mode);
	if (strncmp(mode, JOIN, strlen(JOIN)) == 0)
		return join_container(m, mode + strlen(JOIN), err);
	if (mode[0] == '/')
		return join_path(m, mode, err);
	if (strncmp(mode, NAMESPACE, strlen(NAMESPACE)) == 0)
		return join_path(m, mode + strlen(NAMESPACE), err);
	m->netns = strcmp(mode, "host") == 0 ? NULL : container_netns(m->engine, m->c->id);
	return 0;
}

static int set_first(struct endpoint_option *option, const char *name, const char *key,
		     const char *value, struct error *err)
{
	int r = value ? endpoint_option_set(option, key, value, err) : 0;

	return r < 0 ? error_wrap(err, r, "--%s", name) : 0;
}

/* --ip and its like, and --network-alias. */
static int apply_shorthands(struct making *m, struct error *err)
{
	const struct container_options *o = m->options;
	struct endpoint_option *first = &m->endpoints[0];
	int r = set_first(first, "ip", "ip", o->ip, err);

	if (r == 0)
		r = set_first(first, "ip6", "ip6", o->ip6, err);
	if (r == 0)
		r = set_first(first, "mac-address", "mac", o->mac, err);
	for (size_t i = 0; i < m->nendpoints; i++)
		for (size_t k = 0; r == 0 && k < o->aliases.n; k++)
			r = set_first(&m->endpoints[i], "network-alias", "alias",
				      o->aliases.items[k], err);
	return r;
}

/* One that is published by hand is not published again. */
static bool is_published(const struct strv *publish, const struct port *port)
{
	for (size_t i = 0; i < publish->n; i++) {
		struct port p;

		if (port_parse(publish->items[i], &p, NULL) == 0 && p.protocol == port->protocol &&
		    p.container <= port->container &&
		    port->container + port->count <= p.container + p.count)
			return true;
	}
	return false;
}

static int add_exposed(struct making *m, const struct strv *ports, struct error *err)
{
	for (size_t i = 0; i < ports->n; i++) {
		struct port port;
		int r = port_parse(ports->items[i], &port, err);

		if (r < 0)
			return error_wrap(err, r, "--publish-all");
		if (!is_published(&m->publish, &port))
			strv_add(&m->publish, ports->items[i]);
	}
	return 0;
}

static int plan_ports(struct making *m, struct error *err)
{
	const struct container_options *o = m->options;
	int r = 0;

	strv_extend(&m->publish, o->publish.items, o->publish.n);
	if (o->publish_all && m->root.image)
		r = add_exposed(m, &m->root.image->config.exposed_ports, err);
	return r == 0 && o->publish_all ? add_exposed(m, &o->expose, err) : r;
}

int making_network_plan(struct making *m, struct error *err)
{
	static char *const by_default[] = { (char *)NETWORK_DEFAULT };
	const struct strv *asked = &m->options->networks;
	char *const *names = asked->n > 0 ? asked->items : by_default;
	size_t n = asked->n > 0 ? asked->n : 1;
	int r = 0;

	for (size_t i = 0; i < n; i++) {
		if (!network_is_mode(names[i]))
			continue;
		m->c->network = xstrdup(names[i]);
		return plan_mode(m, names[i], err);
	}
	m->netns = container_netns(m->engine, m->c->id);
	m->endpoints = xcalloc(n, sizeof(*m->endpoints));
	for (size_t i = 0; r == 0 && i < n; i++)
		r = endpoint_option_parse(names[i], &m->endpoints[m->nendpoints++], err);
	if (r < 0)
		return r;
	m->c->network = xstrdup(m->endpoints[0].req.network);
	r = apply_shorthands(m, err);
	return r < 0 ? r : plan_ports(m, err);
}

/* record */

static int read_rates(const struct container_options *o, struct network_request *req,
		      struct error *err)
{
	int r = o->rate_up ? rate_parse(o->rate_up, &req->rate_up, err) : 0;

	return r == 0 && o->rate_down ? rate_parse(o->rate_down, &req->rate_down, err) : r;
}

int making_network_reserve(struct making *m, struct error *err)
{
	const struct network_site site = engine_network(m->engine);
	autofree struct endpoint_request *endpoints = NULL;
	struct network_request req = {
		.id = m->c->id,
		.name = m->c->name,
		.nendpoints = m->nendpoints,
		.publish = &m->publish,
		.dns = &m->options->dns,
	};
	char address[IP_TEXT_LEN];
	int r = read_rates(m->options, &req, err);

	if (r < 0)
		return r;
	if (m->nendpoints == 0) /* it may be connected later */
		return m->netns && !m->is_joined ? name_servers_note(site.db, req.id, req.dns, err)
						 : 0;
	endpoints = xcalloc(m->nendpoints, sizeof(*endpoints));
	for (size_t i = 0; i < m->nendpoints; i++)
		endpoints[i] = m->endpoints[i].req;
	req.endpoints = endpoints;
	r = network_reserve(&site, &req, &m->lease, err);
	if (r < 0)
		return r;
	m->has_lease = true;
	ip_format(ip_is_set(&m->lease.endpoints[0].ip.ip) ? &m->lease.endpoints[0].ip.ip
							  : &m->lease.endpoints[0].ip6.ip,
		  address);
	m->c->address = xstrdup(address);
	m->c->places = network_note(&m->lease);
	for (size_t i = 0; i < m->lease.nports; i++)
		strv_take(&m->c->ports, network_lease_port(&m->lease, i));
	return 0;
}

/* files */

/* Who shares a network shares its names. */
static int copy_names(struct making *m, struct error *err)
{
	static const char *const files[] = { "hosts", "resolv.conf", "hostname" };
	autofree char *dir = container_dir(m->engine, m->joined);
	int r = 0;

	for (size_t i = 0; r == 0 && i < ARRAY_SIZE(files); i++) {
		autofree char *from = xasprintf("%s/%s", dir, files[i]);
		autofree char *to = xasprintf("%s/%s", m->dir, files[i]), *text = NULL;
		size_t len = 0;

		if (access(from, R_OK) < 0)
			return -ENOENT; /* a bare one has none */
		if (explain("the names of the container whose network it shares", "cp %s %s",
			    sq(from), sq(to)))
			continue;
		r = file_read_at(AT_FDCWD, from, FILE_BYTES_MAX, &text, &len, err);
		if (r == 0)
			r = file_write_at(AT_FDCWD, to, text, len, 0644, FILE_PLAIN, err);
	}
	return r;
}

int making_network_names(struct making *m, struct error *err)
{
	char gateway[IP_TEXT_LEN] = "";
	struct strv addresses = { 0 }, resolvers = { 0 };
	struct names_request req = {
		.dir = m->dir,
		.hostname = m->hostname,
		.name = m->c->name,
		.addresses = &addresses,
		.resolvers = &resolvers,
		.dns = &m->options->dns,
		.dns_search = &m->options->dns_search,
		.dns_option = &m->options->dns_option,
		.add_host = &m->options->add_host,
		.host_network = m->netns == NULL,
	};
	int r = -ENOENT;

	if (!config_wants_names(m->options, &m->root))
		return 0;
	if (m->joined)
		r = copy_names(m, err);
	if (r != -ENOENT)
		return r;
	if (m->has_lease)
		network_lease_names(&m->lease, &addresses, &resolvers, gateway);
	req.host_gateway = gateway[0] ? gateway : NULL;
	r = names_write(&req, err);
	strv_done(&addresses);
	strv_done(&resolvers);
	return r;
}

/* network */

int making_network_attach(struct making *m, struct error *err)
{
	const struct network_site site = engine_network(m->engine);

	if (m->has_lease)
		return network_attach(&site, &m->lease, m->netns, ATTACH_NEW, err);
	return m->netns && !m->is_joined ? network_none(m->netns, err) : 0;
}

void making_network_done(struct making *m)
{
	for (size_t i = 0; i < m->nendpoints; i++)
		endpoint_option_done(&m->endpoints[i]);
	free(m->endpoints);
	strv_done(&m->publish);
	if (m->has_lease)
		network_lease_done(&m->lease);
	free(m->joined);
	free(m->netns);
}
