/* src/network/create.c */
#include "network/create.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/clock.h"
#include "base/db.h"
#include "base/event.h"
#include "base/explain.h"
#include "base/file.h"
#include "base/id.h"
#include "base/json.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "kernel/route.h"
#include "network/attach.h"
#include "network/check.h"
#include "network/choose.h"
#include "network/driver.h"
#include "network/option.h"

#define FILES       "networks"
#define SUBNETS_MAX 16

/* subnets */

static int wrong(const char *option, const char *text, const char *why, struct error *err)
{
	return error_set(err, -EINVAL, "%s '%.100s' %s", option, text, why);
}

/* All of it but the network's own address, the gateway, and IPv4's broadcast. */
static void fill_subnet(struct network_subnet *s, const struct ip_net *net, bool with_gateway)
{
	struct ip first = ip_net_first(net), last = ip_net_last(net);

	s->net = ip_net_of(net);
	s->first = ip_plus(&first, 1);
	s->last = net->ip.family == AF_INET && net->prefix_len < 31
			  ? ip_plus(&first, ip_distance(&first, &last) - 1)
			  : last;
	if (with_gateway)
		s->gateway = s->first;
}

/* What cannot be a network of containers, whatever the host's routes are. */
static const char *reserved_for(const struct ip_net *net)
{
	static const struct {
		struct ip_net net;
		const char *what;
	} reserved[] = {
		{ { { AF_INET, { 0 } }, 8 }, "this network itself" },
		{ { { AF_INET, { 127 } }, 8 }, "loopback" },
		{ { { AF_INET, { 224 } }, 3 }, "multicast and more" },
		{ { { AF_INET6, { 0 } }, 8 }, "loopback and IPv4 in IPv6's form" },
		{ { { AF_INET6, { 0xfe, 0x80 } }, 10 }, "links alone" },
		{ { { AF_INET6, { 0xff } }, 8 }, "multicast" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(reserved); i++)
		if (reserved[i].net.ip.family == net->ip.family &&
		    ip_net_overlaps(&reserved[i].net, net))
			return reserved[i].what;
	return NULL;
}

static int parse_subnet(const char *text, bool with_gateway, struct network_subnet *ret,
			struct error *err)
{
	const char *reserved;
	struct ip_net net;

	if (!strchr(text, '/') || ip_net_parse(text, &net) < 0)
		return wrong("--subnet", text, "is not ADDRESS/LENGTH", err);
	if (net.prefix_len < 8 || net.prefix_len > 8 * ip_len(&net.ip) - 2)
		return wrong("--subnet", text, "is too large or too small", err);
	reserved = reserved_for(&net);
	if (reserved)
		return error_set(err, -EINVAL, "--subnet '%.100s' is reserved for %s", text,
				 reserved);
	fill_subnet(ret, &net, with_gateway);
	return 0;
}

static struct network_subnet *subnet_of(struct network *n, const struct ip *ip)
{
	for (size_t i = 0; i < n->nsubnets; i++)
		if (ip_net_has(&n->subnets[i].net, ip))
			return &n->subnets[i];
	return NULL;
}

static int apply_gateways(const struct strv *gateways, struct network *n, struct error *err)
{
	for (size_t i = 0; i < gateways->n; i++) {
		const char *text = gateways->items[i];
		struct network_subnet *s;
		struct ip ip;

		if (ip_parse(text, &ip) < 0)
			return wrong("--gateway", text, "is not an address", err);
		s = subnet_of(n, &ip);
		if (!s)
			return wrong("--gateway", text, "is in none of the subnets", err);
		if (ip_net_is_edge(&s->net, &ip))
			return wrong("--gateway", text, "is the first or last of its subnet", err);
		s->gateway = ip;
	}
	return 0;
}

/* "10.0.0.128/25" or "10.0.0.10-10.0.0.20". */
static int parse_range(const char *text, struct ip *ret_first, struct ip *ret_last)
{
	autofree char *copy = xstrdup(text);
	char *dash = strchr(copy, '-');
	struct ip_net net;

	if (dash) {
		*dash++ = '\0';
		return ip_parse(copy, ret_first) < 0 || ip_parse(dash, ret_last) < 0 ? -EINVAL : 0;
	}
	if (ip_net_parse(text, &net) < 0)
		return -EINVAL;
	*ret_first = ip_net_first(&net);
	*ret_last = ip_net_last(&net);
	return 0;
}

static int apply_ranges(const struct strv *ranges, struct network *n, struct error *err)
{
	for (size_t i = 0; i < ranges->n; i++) {
		const char *text = ranges->items[i];
		struct network_subnet *s;
		struct ip first, last;

		if (parse_range(text, &first, &last) < 0)
			return wrong("--ip-range", text, "is not SUBNET or FIRST-LAST", err);
		s = subnet_of(n, &first);
		if (!s || subnet_of(n, &last) != s || ip_compare(&first, &last) > 0)
			return wrong("--ip-range", text, "is not inside one of the subnets", err);
		s->first = ip_compare(&first, &s->first) < 0 ? s->first : first;
		s->last = ip_compare(&last, &s->last) > 0 ? s->last : last;
		if (ip_compare(&s->first, &s->last) > 0)
			return wrong("--ip-range", text, "has no address for a container", err);
	}
	return 0;
}

/* A bridge or parent that is there has a subnet, maybe. */
static int take_subnet_of_link(struct network *n, struct nl *nl, int index, uint8_t family)
{
	struct ip_net address;

	if (address_of_link(nl, index, family, &address) < 0)
		return 0;
	fill_subnet(&n->subnets[n->nsubnets], &address, false);
	n->nsubnets++;
	return 1;
}

/* On a wire that is there somebody leads out already: this host, if its bridge has an address
 * there, or the router that this host itself asks.  Else it is the first, as with our own bridges.
 */
static void find_gateway(const struct network *n, struct nl *nl, int index,
			 struct network_subnet *s)
{
	int r = -ENOENT;

	if (n->driver == NETWORK_BRIDGE)
		r = address_of_link_in(nl, index, &s->net, &s->gateway);
	if (r < 0)
		r = route_gateway_in(nl, index, &s->net, &s->gateway);
	if (r < 0)
		s->gateway = s->first;
}

static int choose_subnets(const struct network_site *site, const struct network_options *o,
			  struct network *n, struct nl *nl, int index, struct error *err)
{
	int r = 0;

	if (index && take_subnet_of_link(n, nl, index, AF_INET) == 0 &&
	    (!o->ipv6 || take_subnet_of_link(n, nl, index, AF_INET6) == 0))
		return error_set(err, -EINVAL, "link %s has no address; --subnet says what to use",
				 n->link);
	if (index)
		return 0;
	r = choose_subnet(site->db, AF_INET, &n->subnets[n->nsubnets++], err);
	return r;
}

static int fill_subnets(const struct network_site *site, const struct network_options *o,
			struct network *n, struct nl *nl, int index, struct error *err)
{
	int r = 0;

	if (o->subnets.n > SUBNETS_MAX)
		return error_set(err, -EINVAL, "more than %d subnets", SUBNETS_MAX);
	n->subnets = xcalloc(o->subnets.n + 2, sizeof(*n->subnets));
	for (size_t i = 0; r == 0 && i < o->subnets.n; i++)
		r = parse_subnet(o->subnets.items[i], index == 0, &n->subnets[n->nsubnets++], err);
	for (size_t i = 0; r == 0 && i < n->nsubnets; i++)
		for (size_t k = 0; r == 0 && k < i; k++)
			if (ip_net_overlaps(&n->subnets[i].net, &n->subnets[k].net))
				r = error_set(err, -EINVAL, "--subnet %s overlaps --subnet %s",
					      o->subnets.items[i], o->subnets.items[k]);
	if (r == 0 && n->nsubnets == 0)
		r = choose_subnets(site, o, n, nl, index, err);
	if (r == 0 && o->ipv6 && !network_subnet(n, AF_INET6))
		r = choose_subnet(site->db, AF_INET6, &n->subnets[n->nsubnets++], err);
	for (size_t i = 0; r == 0 && index && i < n->nsubnets; i++)
		find_gateway(n, nl, index, &n->subnets[i]);
	if (r == 0)
		r = apply_gateways(&o->gateways, n, err);
	if (r == 0)
		r = apply_ranges(&o->ranges, n, err);
	for (size_t i = 0; r == 0 && i < n->nsubnets; i++)
		r = n->driver == NETWORK_BRIDGE
			    ? choose_check_subnet(site->db, &n->subnets[i].net, index, err)
			    : choose_check_networks(site->db, &n->subnets[i].net, n->link, err);
	return r;
}

/* links */

/* The link that there is already: its index, or 0.  A bridge that is there is joined. */
static int find_link(struct network *n, struct nl *nl, struct error *err)
{
	struct link link;
	int r;

	if (n->driver != NETWORK_BRIDGE && !n->link[0]) {
		r = route_uplink(nl);
		if (r < 0 || link_read_index(nl, r, &link) < 0)
			return error_set(
				err, -EINVAL,
				"--parent LINK: the host has no default route to guess by");
		(void)snprintf(n->link, sizeof(n->link), "%s", link.name);
	}
	n->managed = n->driver == NETWORK_BRIDGE;
	if (!n->link[0])
		return 0;
	r = link_read(nl, n->link, &link);
	if (r == -ENODEV && n->driver == NETWORK_BRIDGE)
		return 0;
	if (r < 0)
		return error_sys(err, r, "look at link %s", n->link);
	if (n->driver == NETWORK_BRIDGE && strcmp(link.kind, "bridge") != 0)
		return error_set(err, -EINVAL, "link %s is no bridge", n->link);
	n->managed = false;
	return link.index;
}

static int check_kind(const struct network *n, struct nl *nl, struct error *err)
{
	const char *kind = driver_name(n->driver);

	if (n->driver == NETWORK_BRIDGE || link_kind_is_known(nl, kind))
		return 0;
	return error_set(err, -EOPNOTSUPP,
			 "--driver %s: this kernel has no %s links; 'modprobe %s' may bring them",
			 kind, kind, kind);
}

static int check_name(const char *name, struct error *err)
{
	if (!name_is_valid(name) || strlen(name) >= NETWORK_NAME_LEN)
		return error_set(err, -EINVAL,
				 "'%.80s' is not a network's name: letters, digits, and _.+-",
				 name);
	if (strcmp(name, NETWORK_DEFAULT) == 0 || network_is_mode(name))
		return error_set(err, -EEXIST, "there is always a network '%s'", name);
	return 0;
}

static int check_peers(struct db *db, const struct network *n, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < n->peers.n; i++) {
		const char *name = n->peers.items[i];
		struct network peer = { .id = 0 };
		bool is_bridge;

		if (strcmp(name, NETWORK_DEFAULT) == 0)
			continue;
		r = network_find(db, name, &peer, err);
		if (r < 0)
			return error_wrap(err, r, "--peer %.100s", name);
		is_bridge = peer.driver == NETWORK_BRIDGE;
		network_done(&peer);
		if (!is_bridge)
			r = error_set(
				err, -EINVAL,
				"--peer %.100s: it has no bridge on this host to be reached by",
				name);
	}
	return r;
}

static int plan(const struct network_site *site, const char *name, const struct network_options *o,
		struct network *n, struct error *err)
{
	struct nl nl = { 0 };
	int index, r = check_name(name, err);

	(void)snprintf(n->name, sizeof(n->name), "%s", name);
	n->kept = true;
	n->created_ns = clock_now_ns();
	if (r == 0)
		r = option_apply(o, n, err);
	if (r == 0)
		r = check_peers(site->db, n, err);
	if (r == 0)
		r = nl_open(&nl, err);
	if (r < 0)
		return r;
	index = find_link(n, &nl, err);
	r = index < 0 ? index : check_kind(n, &nl, err);
	if (r == 0)
		r = fill_subnets(site, o, n, &nl, index, err);
	nl_close(&nl);
	return r;
}

/* rows and files */

static int file_save(const struct network_site *site, const struct network *n, struct error *err)
{
	autofree char *path = xasprintf(FILES "/%s.json", n->name);
	cleanup(json_cleanup) json_t *doc = network_note_one(n);
	int r = dir_make_at(site->root_fd, FILES, 0711, err);

	return r < 0 ? r : json_save_at(site->root_fd, path, doc, true, err);
}

int network_create(const struct network_site *site, const char *name,
		   const struct network_options *o, struct error *err)
{
	cleanup(network_cleanup_value) struct network network = { .id = 0 };
	struct network other = { .id = 0 };
	const char *const named[] = { "name", name, NULL };
	int r = db_begin(site->db, err);

	if (r == 0 && network_find(site->db, name, &other, NULL) == 0) {
		network_done(&other);
		r = error_set(err, -EEXIST, "there is a network '%s' already", name);
	}
	if (r == 0)
		r = plan(site, name, o, &network, err);
	if (r == 0)
		r = network_insert(site->db, &network, err);
	if (r == -EEXIST && err && !err->text[0])
		(void)error_set(err, r, "bridge %s is another network's", network.link);
	if (r == 0 &&
	    !explain_note("network %s: rows in state.db; it is made in the kernel with its "
			  "first container",
			  name))
		r = file_save(site, &network, err);
	if (r == 0)
		r = db_commit(site->db, err);
	db_rollback(site->db);
	if (r == 0)
		event_tell(site->root_fd, "network", "create", name, named);
	return r;
}

static int users(struct db *db, int64_t network, struct buf *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(
		db, &rows, err,
		"SELECT coalesce(c.name, substr(l.container, 1, 12)) FROM leases l"
		" LEFT JOIN containers c ON c.id = l.container WHERE l.network = ?1 LIMIT 10",
		"i", network);

	if (r < 0)
		return r;
	while (db_next(&rows))
		buf_addf(ret, "%s%s", ret->len ? ", " : "", db_text(&rows, 0));
	return db_finish(&rows);
}

static int check_unused(const struct network_site *site, const struct network *n, struct error *err)
{
	struct buf names = BUF_INIT(4096);
	int r = users(site->db, n->id, &names, err);

	if (r == 0 && names.len > 0)
		r = error_set(err, -EBUSY, "network %s is used by %s", n->name, buf_text(&names));
	buf_done(&names);
	return r;
}

int network_remove(const struct network_site *site, const char *name, struct error *err)
{
	cleanup(network_cleanup_value) struct network n = { .id = 0 };
	autofree char *path = xasprintf(FILES "/%.200s.json", name);
	const char *const named[] = { "name", name, NULL };
	int r = db_begin(site->db, err);

	if (r == 0 && (strcmp(name, NETWORK_DEFAULT) == 0 || network_is_mode(name)))
		r = error_set(err, -EINVAL, "network %s is always there", name);
	if (r == 0)
		r = network_find(site->db, name, &n, err);
	if (r == 0)
		r = check_unused(site, &n, err);
	if (r == 0)
		r = db_run(site->db, err, "DELETE FROM networks WHERE id = ?1", "i", n.id);
	if (r == 0 && !explain_note("network %s: its rows go", name) &&
	    unlinkat(site->root_fd, path, 0) < 0 && errno != ENOENT)
		r = error_sys(err, -errno, "remove %s", path);
	if (r == 0)
		r = db_commit(site->db, err);
	db_rollback(site->db);
	if (r == 0)
		event_tell(site->root_fd, "network", "destroy", name, named);
	return r;
}

int network_unused(const struct network_site *site, struct strv *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(site->db, &rows, err,
			 "SELECT name FROM networks n WHERE kept = 1 AND NOT EXISTS"
			 " (SELECT 1 FROM leases l WHERE l.network = n.id) ORDER BY name",
			 "");

	if (r < 0)
		return r;
	while (db_next(&rows))
		strv_add(ret, db_text(&rows, 0));
	return db_finish(&rows);
}

static int restore_file(const struct network_site *site, const char *name, struct error *err)
{
	autofree char *path = xasprintf(FILES "/%s", name);
	cleanup(json_cleanup) json_t *doc = NULL;
	int r = json_load_at(site->root_fd, path, &doc, err);

	return r < 0 ? r : network_restore_one(site, doc, path, err);
}

int network_restore_all(const struct network_site *site, struct error *err)
{
	int fd = openat(site->root_fd, FILES, O_RDONLY | O_DIRECTORY | O_CLOEXEC), r = 0;
	DIR *dir = fd >= 0 ? fdopendir(fd) : NULL;
	const struct dirent *entry;

	while (r == 0 && dir && (entry = readdir(dir)))
		if (entry->d_name[0] != '.')
			r = restore_file(site, entry->d_name, err);
	if (dir)
		(void)closedir(dir);
	return r;
}
