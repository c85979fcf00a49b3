/* src/network/lease.c */
#include "network/lease.h"

#include <ctype.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/id.h"
#include "kernel/netlink.h"
#include "kernel/route.h"
#include "network/attach.h"
#include "network/choose.h"
#include "network/claim.h"
#include "network/name_servers.h"
#include "network/network.h"

#define LINKS_MAX   1000 /* networks of one container */
#define MAC_LEN     18
#define ALIAS_MAX   253 /* of a DNS name */
#define ALIASES_MAX 64

void endpoint_done(struct endpoint *endpoint)
{
	network_done(&endpoint->network);
	strv_done(&endpoint->aliases);
}

/* addresses */

struct slots {
	uint64_t first, last, gateway; /* UINT64_MAX: none */
};

static struct slots slots_of(const struct network_subnet *subnet)
{
	const struct ip net = ip_net_first(&subnet->net);

	return (struct slots) {
		.first = ip_distance(&net, &subnet->first),
		.last = ip_distance(&net, &subnet->last),
		.gateway = ip_is_set(&subnet->gateway) ? ip_distance(&net, &subnet->gateway)
						       : UINT64_MAX,
	};
}

/* The lowest free slot from *slot on; *slot is behind last if there is none. */
static int find_gap(struct db *db, const struct network_subnet *subnet, const struct slots *slots,
		    uint64_t *slot, struct error *err)
{
	struct db_rows rows;
	uint64_t next = *slot;
	int r = db_query(
		db, &rows, err,
		"SELECT slot FROM addresses WHERE subnet = ?1 AND slot >= ?2 ORDER BY slot", "ii",
		subnet->id, (int64_t)next);

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		uint64_t taken = (uint64_t)db_int(&rows, 0);

		next += next == slots->gateway;
		if (taken < next)
			continue;
		if (taken > next)
			break;
		next++;
	}
	next += next == slots->gateway;
	*slot = next;
	return db_finish(&rows);
}

static int next_slot(struct db *db, int64_t subnet, uint64_t *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, "SELECT next FROM subnets WHERE id = ?1", "i", subnet);

	if (r < 0)
		return r;
	*ret = db_next(&rows) ? (uint64_t)db_int(&rows, 0) : 0;
	return db_finish(&rows);
}

/* On a wire that is there this host may be a station itself, by another address than the gateway's:
 * two must not answer for it.  Of our own bridges the gateway is all that it has there.
 */
static int is_own(const struct network *n, const struct ip *ip, bool *ret, struct error *err)
{
	struct nl nl = { 0 };
	int r = 0;

	*ret = false;
	if (n->managed)
		return 0;
	r = nl_open(&nl, err);
	if (r == 0) {
		r = address_find(&nl, ip, ret);
		nl_close(&nl);
		if (r < 0)
			return error_sys(err, r, "list this host's addresses");
	}
	return r;
}

/* As find_gap(), without addresses of this host. */
static int find_free(struct db *db, const struct network *n, const struct network_subnet *subnet,
		     const struct slots *slots, uint64_t *slot, struct error *err)
{
	const struct ip net = ip_net_first(&subnet->net);
	bool own = true;
	int r = 0;

	while (r == 0 && own) {
		struct ip ip;

		r = find_gap(db, subnet, slots, slot, err);
		if (r < 0 || *slot > slots->last)
			return r;
		ip = ip_plus(&net, *slot);
		r = is_own(n, &ip, &own, err);
		*slot += r == 0 && own;
	}
	return r;
}

/* -ENOSPC without a text: another subnet may have one. */
static int choose_slot(struct db *db, const struct network *n, const struct network_subnet *subnet,
		       uint64_t *ret, struct error *err)
{
	const struct slots slots = slots_of(subnet);
	uint64_t slot = 0;
	int r = next_slot(db, subnet->id, &slot, err);

	for (unsigned round = 0; r == 0 && round < 2; round++) {
		if (round > 0 || slot < slots.first || slot > slots.last)
			slot = slots.first;
		r = find_free(db, n, subnet, &slots, &slot, err);
		if (r == 0 && slot <= slots.last) {
			*ret = slot;
			return db_run(db, err, "UPDATE subnets SET next = ?1 WHERE id = ?2", "ii",
				      (int64_t)(slot + 1), subnet->id);
		}
	}
	return r < 0 ? r : -ENOSPC;
}

static int address_owner(struct db *db, int64_t network, const char *address, char ret[128],
			 struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT coalesce(c.name, k.container, a.container) FROM addresses a"
			 " LEFT JOIN containers c ON c.id = a.container"
			 " LEFT JOIN cni k ON k.lease = a.container"
			 " WHERE a.network = ?1 AND a.address = ?2",
			 "is", network, address);

	if (r < 0)
		return r;
	ret[0] = '\0';
	if (db_next(&rows))
		(void)snprintf(ret, 128, "%s", db_text(&rows, 0));
	return db_finish(&rows);
}

static const struct network_subnet *subnet_of(const struct network *network, const struct ip *ip)
{
	for (size_t i = 0; i < network->nsubnets; i++)
		if (ip_net_has(&network->subnets[i].net, ip))
			return &network->subnets[i];
	return NULL;
}

static int check_static(struct db *db, const struct network *network,
			const struct network_subnet *subnet, const struct ip *ip, struct error *err)
{
	char text[IP_TEXT_LEN], owner[128];
	bool own = false;
	int r;

	ip_format(ip, text);
	if (!subnet)
		return error_set(err, -EINVAL, "address %s is in no subnet of network %s", text,
				 network->name);
	if (ip_net_is_edge(&subnet->net, ip))
		return error_set(err, -EINVAL,
				 "address %s is the first or last of network %s, no "
				 "container's",
				 text, network->name);
	if (ip_equal(ip, &subnet->gateway))
		return error_set(err, -EADDRINUSE, "address %s is the gateway of network %s", text,
				 network->name);
	r = is_own(network, ip, &own, err);
	if (r == 0 && own)
		r = error_set(err, -EADDRINUSE, "address %s is this host's own", text);
	if (r == 0)
		r = address_owner(db, network->id, text, owner, err);
	if (r == 0 && owner[0])
		r = error_set(err, -EADDRINUSE, "address %s is that of container %s", text, owner);
	return r;
}

static int insert_address(struct db *db, const struct network *network, const char *id,
			  const struct network_subnet *subnet, const struct ip *ip,
			  struct error *err)
{
	const struct ip net = ip_net_first(&subnet->net);
	char text[IP_TEXT_LEN];

	ip_format(ip, text);
	return db_run(db, err,
		      "INSERT INTO addresses (network, address, subnet, slot, container)"
		      " VALUES (?1, ?2, ?3, ?4, ?5)",
		      "isiis", network->id, text, subnet->id, (int64_t)ip_distance(&net, ip), id);
}

static void take_subnet(struct endpoint *e, const struct network_subnet *subnet,
			const struct ip *ip)
{
	const struct ip_net address = { *ip, subnet->net.prefix_len };

	if (ip->family == AF_INET) {
		e->ip = address;
		e->gateway = subnet->gateway;
	} else {
		e->ip6 = address;
		e->gateway6 = subnet->gateway;
	}
}

/* The next free one of the family, in the first subnet that has one. */
static int choose_address(struct db *db, const struct network *n, uint8_t family,
			  const struct network_subnet **ret, struct ip *ret_ip, struct error *err)
{
	for (size_t i = 0; i < n->nsubnets; i++) {
		const struct network_subnet *subnet = &n->subnets[i];
		const struct ip net = ip_net_first(&subnet->net);
		uint64_t slot = 0;
		int r = subnet->net.ip.family == family ? choose_slot(db, n, subnet, &slot, err)
							: -ENOSPC;

		if (r == -ENOSPC)
			continue;
		*ret = subnet;
		*ret_ip = ip_plus(&net, slot);
		return r;
	}
	return error_set(err, -ENOSPC, "network %s has no free address", n->name);
}

/* An address of the family, if the network has it. */
static int add_address(struct db *db, const char *id, uint8_t family, const struct ip *wanted,
		       struct endpoint *e, struct error *err)
{
	const struct network *n = &e->network;
	const struct network_subnet *subnet = subnet_of(n, wanted);
	struct ip ip = *wanted;
	int r;

	if (ip_is_set(wanted))
		r = check_static(db, n, subnet, wanted, err);
	else if (network_subnet(n, family))
		r = choose_address(db, n, family, &subnet, &ip, err);
	else
		return 0;
	if (r < 0 || !subnet)
		return r;
	r = insert_address(db, n, id, subnet, &ip, err);
	if (r == 0)
		take_subnet(e, subnet, &ip);
	return r;
}

/* names */

/* The first 8 digits of the ID, or of a hash of what is no such ID (a CNI runtime's). */
static void short_id(const char *id, char ret[9])
{
	size_t digits = strspn(id, "0123456789abcdef");

	if (digits >= 8)
		(void)snprintf(ret, 9, "%.8s", id);
	else
		(void)snprintf(ret, 9, "%08x", (unsigned)hash_bytes(id, strlen(id)));
}

static int is_used(struct db *db, const char *id, const char *column, const char *name, bool *ret,
		   struct error *err)
{
	struct db_rows rows;
	int r = column[0] == 'l'
			? db_query(db, &rows, err,
				   "SELECT 1 FROM leases WHERE link = ?1 AND link <> ''", "s", name)
			: db_query(db, &rows, err,
				   "SELECT 1 FROM leases WHERE interface = ?1 AND container = ?2",
				   "ss", name, id);

	if (r < 0)
		return r;
	*ret = db_next(&rows);
	return db_finish(&rows);
}

static int choose_link(struct db *db, const char *id, struct endpoint *e, struct error *err)
{
	char digits[9];
	bool used = true;
	int r = 0;

	short_id(id, digits);
	for (unsigned i = 0; r == 0 && used && i < LINKS_MAX; i++) {
		(void)snprintf(e->link, sizeof(e->link), NETWORK_LINK_PREFIX "%s-%u", digits, i);
		r = is_used(db, id, "link", e->link, &used, err);
	}
	return r == 0 && used ? error_set(err, -ENOSPC, "too many networks") : r;
}

bool interface_name_is_valid(const char *name)
{
	size_t len = strlen(name);

	if (len == 0 || len >= IF_NAMESIZE || strcmp(name, ".") == 0 || strcmp(name, "..") == 0 ||
	    strcmp(name, "lo") == 0 || strcmp(name, "all") == 0 || strcmp(name, "default") == 0)
		return false;
	for (; *name; name++)
		if (!isalnum((unsigned char)*name) && !strchr("_.-", *name))
			return false;
	return true;
}

static int choose_interface(struct db *db, const char *id, const char *wanted, struct endpoint *e,
			    struct error *err)
{
	const char *prefix = e->network.interface[0] ? e->network.interface : "eth";
	bool used = false;
	int r;

	if (wanted) {
		if (!interface_name_is_valid(wanted))
			return error_set(err, -EINVAL, "'%s' is not a name for an interface",
					 wanted);
		(void)snprintf(e->interface, sizeof(e->interface), "%s", wanted);
		r = is_used(db, id, "interface", wanted, &used, err);
		return r == 0 && used
			       ? error_set(err, -EEXIST,
					   "the container has an interface %s already", wanted)
			       : r;
	}
	used = true;
	r = 0;
	for (unsigned i = 0; r == 0 && used && i < LINKS_MAX; i++) {
		(void)snprintf(e->interface, sizeof(e->interface), "%.11s%u", prefix, i);
		r = is_used(db, id, "interface", e->interface, &used, err);
	}
	return r;
}

/* 02: locally administered; the rest follows from the address, so that a restarted container with
 * the same address is the same neighbour.
 */
static void choose_mac(const struct endpoint_request *req, struct endpoint *e)
{
	if (req->has_mac) {
		memcpy(e->mac, req->mac, sizeof(e->mac));
		return;
	}
	e->mac[0] = 0x02;
	e->mac[1] = 0x53; /* 'S' */
	memcpy(e->mac + 2, e->ip.ip.family ? e->ip.ip.bytes : e->ip6.ip.bytes + 12, 4);
}

static void format_mac(const unsigned char mac[NETWORK_MAC_LEN], char ret[MAC_LEN])
{
	(void)snprintf(ret, MAC_LEN, "%02x:%02x:%02x:%02x:%02x:%02x", mac[0], mac[1], mac[2],
		       mac[3], mac[4], mac[5]);
}

int mac_parse(const char *text, unsigned char ret[NETWORK_MAC_LEN])
{
	static const unsigned char none[NETWORK_MAC_LEN];
	unsigned char mac[NETWORK_MAC_LEN];
	unsigned part[NETWORK_MAC_LEN];
	int end = 0;

	if (strlen(text) != MAC_LEN - 1 || strspn(text, "0123456789abcdefABCDEF:") != MAC_LEN - 1)
		return -EINVAL;
	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x%n", &part[0], &part[1], &part[2], &part[3],
		   &part[4], &part[5], &end) != 6 ||
	    end != MAC_LEN - 1)
		return -EINVAL;
	for (size_t i = 0; i < sizeof(mac); i++)
		mac[i] = (unsigned char)part[i];
	if (mac[0] & 1 || memcmp(mac, none, sizeof(mac)) == 0)
		return -EADDRNOTAVAIL;
	memcpy(ret, mac, sizeof(mac));
	return 0;
}

/* rows */

static int insert_aliases(struct db *db, const char *id, const struct strv *aliases,
			  struct endpoint *e, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && aliases && i < aliases->n; i++) {
		const char *alias = aliases->items[i];

		if (!name_is_valid(alias) || strlen(alias) > ALIAS_MAX || i >= ALIASES_MAX)
			return error_set(err, -EINVAL, "'%.100s' is not a name for an alias",
					 alias);
		if (strv_has(&e->aliases, alias))
			continue;
		strv_add(&e->aliases, alias);
		r = db_run(db, err,
			   "INSERT INTO aliases (network, name, container) VALUES (?1, ?2, ?3)",
			   "iss", e->network.id, alias, id);
	}
	return r;
}

static int insert_lease(struct db *db, const struct network_request *req, const struct endpoint *e,
			struct error *err)
{
	char mac[MAC_LEN];
	int r;

	format_mac(e->mac, mac);
	r = db_run(
		db, err,
		"INSERT INTO leases (container, network, link, interface, mac, rate_up, rate_down)"
		" VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7)",
		"sisssii", req->id, e->network.id, e->link, e->interface, mac,
		(int64_t)req->rate_up, (int64_t)req->rate_down);
	return r == -EEXIST ? error_set(err, r, "container %s is in network %s already",
					req->name ? req->name : req->id, e->network.name)
			    : r;
}

static int find_network(struct db *db, const char *name, struct network *ret, struct error *err)
{
	int r = strcmp(name, NETWORK_DEFAULT) == 0 ? network_find_default(db, ret, err)
						   : network_find(db, name, ret, err);

	if (r == 0 && ret->driver == NETWORK_BRIDGE)
		r = choose_names(db, ret, err);
	return r;
}

static int fill(struct db *db, const struct network_request *req,
		const struct endpoint_request *wanted, struct endpoint *e, struct error *err)
{
	int r = find_network(db, wanted->network, &e->network, err);

	if (r == 0)
		r = choose_interface(db, req->id, wanted->interface, e, err);
	if (r == 0 && e->network.driver == NETWORK_BRIDGE)
		r = choose_link(db, req->id, e, err);
	if (r == 0)
		r = add_address(db, req->id, AF_INET, &wanted->ip, e, err);
	if (r == 0)
		r = add_address(db, req->id, AF_INET6, &wanted->ip6, e, err);
	if (r < 0)
		return r;
	choose_mac(wanted, e);
	r = insert_lease(db, req, e, err);
	return r < 0 ? r : insert_aliases(db, req->id, wanted->aliases, e, err);
}

int lease_add(struct db *db, const struct network_request *req,
	      const struct endpoint_request *wanted, struct endpoint *ret, struct error *err)
{
	struct endpoint e = { .link = "" };
	int r = fill(db, req, wanted, &e, err);

	if (r < 0)
		endpoint_done(&e);
	else
		*ret = e;
	return r;
}

int lease_drop(struct db *db, const char *id, int64_t network, struct error *err)
{
	int r = db_run(db, err,
		       "INSERT OR REPLACE INTO leftovers (network, address, link)"
		       " SELECT a.network, a.address, l.link FROM addresses a JOIN leases l"
		       " ON l.container = a.container AND l.network = a.network"
		       " WHERE a.container = ?1 AND a.network = ?2 AND l.link <> ''",
		       "si", id, network);

	if (r == 0)
		r = db_run(db, err, "DELETE FROM addresses WHERE container = ?1 AND network = ?2",
			   "si", id, network);
	if (r == 0)
		r = db_run(db, err, "DELETE FROM aliases WHERE container = ?1 AND network = ?2",
			   "si", id, network);
	if (r == 0)
		r = db_run(db, err, "DELETE FROM leases WHERE container = ?1 AND network = ?2",
			   "si", id, network);
	return r;
}

static int take_leftover(struct db *db, int64_t network, const struct ip *ip, struct strv *ret,
			 struct error *err)
{
	char text[IP_TEXT_LEN], link[IF_NAMESIZE] = "";
	struct db_rows rows;
	bool found = false, used = false;
	int r;

	ip_format(ip, text);
	r = db_query(db, &rows, err,
		     "SELECT link FROM leftovers WHERE network = ?1 AND address = ?2", "is",
		     network, text);
	if (r < 0)
		return r;
	if (db_next(&rows)) {
		found = true;
		(void)snprintf(link, sizeof(link), "%s", db_text(&rows, 0));
	}
	r = db_finish(&rows);
	if (r < 0 || !found)
		return r;
	/* A container that left and came back has another address, but a cable of this name. */
	r = is_used(db, "", "link", link, &used, err);
	if (r < 0)
		return r;
	if (!used && !strv_has(ret, link))
		strv_add(ret, link);
	return db_run(db, err, "DELETE FROM leftovers WHERE network = ?1 AND address = ?2", "is",
		      network, text);
}

int lease_take_leftovers(struct db *db, const struct endpoint *e, struct strv *ret,
			 struct error *err)
{
	int r = 0;

	if (ip_is_set(&e->ip.ip))
		r = take_leftover(db, e->network.id, &e->ip.ip, ret, err);
	if (r == 0 && ip_is_set(&e->ip6.ip))
		r = take_leftover(db, e->network.id, &e->ip6.ip, ret, err);
	return r;
}

/* reading */

static int read_addresses(struct db *db, const char *id, struct endpoint *e, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT address FROM addresses WHERE container = ?1 AND network = ?2",
			 "si", id, e->network.id);

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		struct ip ip;

		if (ip_parse(db_text(&rows, 0), &ip) < 0)
			continue;
		for (size_t i = 0; i < e->network.nsubnets; i++)
			if (ip_net_has(&e->network.subnets[i].net, &ip))
				take_subnet(e, &e->network.subnets[i], &ip);
	}
	return db_finish(&rows);
}

static int read_aliases(struct db *db, const char *id, struct endpoint *e, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT name FROM aliases WHERE container = ?1 AND network = ?2", "si", id,
			 e->network.id);

	if (r < 0)
		return r;
	while (db_next(&rows))
		strv_add(&e->aliases, db_text(&rows, 0));
	return db_finish(&rows);
}

static int read_rows(struct db *db, const char *id, struct network_lease *lease, struct error *err)
{
	size_t room = 0;
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT network, link, interface, mac, rate_up, rate_down FROM leases"
			 " WHERE container = ?1 ORDER BY rowid",
			 "s", id);

	if (r < 0)
		return r;
	while (db_next(&rows)) {
		struct endpoint e = { .network.id = db_int(&rows, 0) };

		(void)snprintf(e.link, sizeof(e.link), "%s", db_text(&rows, 1));
		(void)snprintf(e.interface, sizeof(e.interface), "%s", db_text(&rows, 2));
		ignore_result(mac_parse(db_text(&rows, 3), e.mac));
		lease->rate_up = (uint64_t)db_int(&rows, 4);
		lease->rate_down = (uint64_t)db_int(&rows, 5);
		VEC_GROW(lease->endpoints, lease->nendpoints, room);
		lease->endpoints[lease->nendpoints++] = e;
	}
	return db_finish(&rows);
}

int network_lease_read(struct db *db, const char *id, struct network_lease *ret, struct error *err)
{
	cleanup(network_lease_done) struct network_lease lease = { .nendpoints = 0 };
	int r = read_rows(db, id, &lease, err);

	(void)snprintf(lease.id, sizeof(lease.id), "%s", id);
	if (r == 0)
		r = network_table(db, lease.table, err);
	for (size_t i = 0; r == 0 && i < lease.nendpoints; i++) {
		struct endpoint *e = &lease.endpoints[i];

		r = network_find_id(db, e->network.id, &e->network, err);
		if (r == 0)
			r = read_addresses(db, id, e, err);
		if (r == 0)
			r = read_aliases(db, id, e, err);
	}
	if (r == 0)
		r = claim_list(db, id, &lease.ports, &lease.nports, err);
	if (r == 0)
		r = name_servers_read(db, id, &lease.dns, err);
	if (r < 0)
		return r;
	*ret = lease;
	lease = (struct network_lease) { .nendpoints = 0 };
	return 0;
}
