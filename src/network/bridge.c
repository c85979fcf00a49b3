/* src/network/bridge.c */
#include "network/bridge.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/explain.h"
#include "base/fault.h"
#include "base/file.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "kernel/route.h"
#include "network/attach.h"
#include "network/foreign.h"
#include "network/network.h"
#include "network/table.h"

#define IPV6_CONF "/proc/sys/net/ipv6/conf/"
#define BRIDGE_NF "/proc/sys/net/bridge/bridge-nf-call-"

static bool is_on(const char *path)
{
	autofree char *text = NULL;

	return file_read_at(AT_FDCWD, path, 16, &text, NULL, NULL) == 0 && text[0] == '1';
}

enum bridge_netfilter bridge_netfilter(void)
{
	return (is_on(BRIDGE_NF "iptables") ? BRIDGE_NETFILTER_4 : 0) |
	       (is_on(BRIDGE_NF "ip6tables") ? BRIDGE_NETFILTER_6 : 0);
}

static int put(const char *path, const char *value, const char *why, struct error *err)
{
	if (explain(why, "echo %s > %s", value, path))
		return 0;
	return file_put_at(AT_FDCWD, path, value, err);
}

/* A link that takes its default route from router advertisements stops to when the host forwards,
 * unless it is told to go on.
 */
static int keep_advertised_routes(struct error *err)
{
	DIR *dir = opendir(IPV6_CONF);
	const struct dirent *entry;
	int r = 0;

	while (r == 0 && dir && (entry = readdir(dir))) {
		autofree char *path = NULL;

		if (entry->d_name[0] == '.' || strcmp(entry->d_name, "all") == 0 ||
		    strcmp(entry->d_name, "default") == 0)
			continue;
		path = xasprintf(IPV6_CONF "%s/accept_ra", entry->d_name);
		if (is_on(path))
			r = put(path, "2",
				"its routes come from advertisements, also while we forward", err);
	}
	if (dir)
		(void)closedir(dir);
	return r;
}

static int forward(const struct network *network, struct error *err)
{
	int r = 0;

	if (network_subnet(network, AF_INET))
		r = put("/proc/sys/net/ipv4/ip_forward", "1", "this host routes between its links",
			err);
	if (r < 0 || !network_subnet(network, AF_INET6) || is_on(IPV6_CONF "all/forwarding"))
		return r;
	r = keep_advertised_routes(err);
	return r < 0 ? r : put(IPV6_CONF "all/forwarding", "1", "for IPv6, too", err);
}

const char *bridge_forwarding_off(const struct network *network)
{
	if (network->internal || !network->managed)
		return NULL;
	if (network_subnet(network, AF_INET) && !is_on("/proc/sys/net/ipv4/ip_forward"))
		return "net.ipv4.ip_forward";
	if (network_subnet(network, AF_INET6) && !is_on(IPV6_CONF "all/forwarding"))
		return "net.ipv6.conf.all.forwarding";
	return NULL;
}

/* What a container sends must not make it the host's router (CVE-2020-10749). */
static int guard(const struct network *network, struct error *err)
{
	autofree char *accept_ra = xasprintf(IPV6_CONF "%s/accept_ra", network->link);
	autofree char *localnet =
		xasprintf("/proc/sys/net/ipv4/conf/%s/route_localnet", network->link);
	int r = 0;

	if (access(IPV6_CONF "default", F_OK) == 0)
		r = put(accept_ra, "0", "no container becomes this host's router", err);
	if (r == 0)
		r = put(localnet, "1", "a port published here is reached as 127.0.0.1, too", err);
	return r;
}

/* As a container's: 02:53 and the gateway's address, or the end of it. */
static void choose_mac(const struct network *network, unsigned char ret[6])
{
	const struct ip *ip = &network->subnets[0].gateway;

	memcpy(ret, (const unsigned char[6]) { 0x02, 0x53 }, 6);
	if (network->nsubnets == 0 || !ip_is_set(ip))
		memcpy(ret + 2, network->link + MAX(strlen(network->link), 4) - 4, 4);
	else
		memcpy(ret + 2, ip->bytes + ip_len(ip) - 4, 4);
}

/* ip(8) fails on what is there already: a script gets only what is missing. */
static bool is_told(struct nl *nl, const struct ip *ip)
{
	bool there = false;

	return !explain_dry() || address_find(nl, ip, &there) < 0 || !there;
}

/* Of an address of its own making the kernel is not sure for a second (DAD), and asks for no
 * neighbour from it: the first packets to each container would wait.  So we give the one that it
 * would make.
 */
static int add_link_local(struct nl *nl, int index, const struct network *network,
			  struct error *err)
{
	autofree char *mode = xasprintf(IPV6_CONF "%s/addr_gen_mode", network->link);
	unsigned char mac[6];
	struct ip_net local;
	int r = put(mode, "1", "its own address comes next, usable at once", err);

	choose_mac(network, mac);
	local = ip_link_local(mac);
	return r < 0 || !is_told(nl, &local.ip)
		       ? r
		       : address_add(nl, index, network->link, &local, "", err);
}

static int add_addresses(struct nl *nl, int index, const struct network *network, struct error *err)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < network->nsubnets; i++) {
		const struct network_subnet *subnet = &network->subnets[i];
		const struct ip_net address = { subnet->gateway, subnet->net.prefix_len };

		if (ip_is_set(&subnet->gateway) && is_told(nl, &subnet->gateway))
			r = address_add(nl, index, network->link, &address, "", err);
	}
	if (r == 0 && network_subnet(network, AF_INET6))
		r = add_link_local(nl, index, network, err);
	return r;
}

/* Frames that a container may send reach as far as those of the host's uplink. */
static unsigned choose_mtu(struct nl *nl, const struct network *network)
{
	struct link uplink;
	int index = network->mtu ? -ENOENT : route_uplink(nl);

	if (index < 0 || link_read_index(nl, index, &uplink) < 0 || uplink.mtu == 1500)
		return network->mtu;
	return uplink.mtu;
}

static int configure(struct nl *nl, int index, const struct network *network, struct error *err)
{
	int r = guard(network, err);

	if (r == 0 && network->managed)
		r = add_addresses(nl, index, network, err);
	if (r == 0 && !network->internal && network->managed)
		r = forward(network, err);
	return r;
}

static int add_peers(struct db *db, const struct network *network, struct strv *ret,
		     struct error *err)
{
	struct db_rows rows;
	int r = 0;

	/* Those that it names, and those that name it. */
	r = db_query(
		db, &rows, err,
		"SELECT n.name, n.link, EXISTS (SELECT 1 FROM json_each(n.definition, '$.peers')"
		" WHERE value = ?1) FROM networks n WHERE n.driver = 0 AND n.link <> ''"
		" AND n.name <> ?1",
		"s", network->name);
	if (r < 0)
		return r;
	while (db_next(&rows))
		if (db_int(&rows, 2) || strv_has(&network->peers, db_text(&rows, 0)))
			strv_add(ret, db_text(&rows, 1));
	return db_finish(&rows);
}

int bridge_collect(struct db *db, const struct network *network, struct table_elements *ret,
		   struct error *err)
{
	struct strv peers = { 0 };
	int r = add_peers(db, network, &peers, err);

	if (r == 0)
		table_collect_network(ret, network, peers.items, peers.n);
	strv_done(&peers);
	return r;
}

static int add_to_table(struct db *db, const struct network *network, const char *table,
			struct error *err)
{
	struct table_elements elements = { 0 };
	int r = bridge_collect(db, network, &elements, err);

	if (r == 0)
		r = table_add(table, &elements, err);
	table_elements_done(&elements);
	return r;
}

/* Another root's bridges are in the same place, so each has its owner's root as a note: for what no
 * row knows.  One with a path that is too long has none, and is nobody's to remove.
 */
bool bridge_note(const struct network_site *site, char ret[LINK_ALIAS_LEN])
{
	int n = site->root ? snprintf(ret, LINK_ALIAS_LEN, "strake %s", site->root) : 0;

	return n > 0 && n < LINK_ALIAS_LEN;
}

/* It is up when all of it is there: whoever finds it down makes what is missing, because its maker
 * may have been killed.
 */
static int make(const struct network_site *site, struct nl *nl, const struct network *network,
		const char *table, struct link *ret, struct error *err)
{
	char note[LINK_ALIAS_LEN];
	unsigned mtu = choose_mtu(nl, network);
	unsigned char mac[6];
	int r;

	choose_mac(network, mac);
	r = explain_dry() && link_index(nl, network->link) > 0
		    ? 0
		    : link_add_bridge(nl, network->link, mac, mtu, err);
	*ret = (struct link) { .mtu = mtu };
	if (r == 0 && !explain_dry()) {
		r = link_read(nl, network->link, ret);
		if (r < 0)
			return error_sys(err, r, "find bridge %s", network->link);
	}
	if (r == 0 && bridge_note(site, note))
		r = link_set_alias(nl, ret->index, network->link, note, err);
	fault_point("bridge-link");
	if (r == 0)
		r = configure(nl, ret->index, network, err);
	fault_point("bridge-addresses");
	if (r == 0)
		r = add_to_table(site->db, network, table, err);
	fault_point("bridge-table");
	if (r == 0)
		r = foreign_allow(site, network, err);
	fault_point("bridge-foreign");
	if (r == 0)
		r = link_set_up(nl, ret->index, network->link, "", err);
	return r;
}

int bridge_ensure(const struct network_site *site, struct nl *nl, const struct network *network,
		  const char *table, struct link *ret, struct error *err)
{
	int r = link_read(nl, network->link, ret);

	if (r == 0 && strcmp(ret->kind, "bridge") != 0)
		return error_set(err, -EEXIST, "network %s: link %s is no bridge", network->name,
				 network->link);
	if (r == -ENODEV && !network->managed)
		return error_set(err, r, "network %s: its bridge %s is not there", network->name,
				 network->link);
	if (r < 0 && r != -ENODEV)
		return error_sys(err, r, "find bridge %s", network->link);
	if (network->managed && r == 0 && ret->is_up)
		return 0;
	if (network->managed) {
		r = make(site, nl, network, table, ret, err);
		return r < 0 ? r : 1;
	}
	r = configure(nl, ret->index, network, err);
	return r < 0 ? r : add_to_table(site->db, network, table, err);
}

int bridge_mend(const struct network_site *site, struct nl *nl, const struct network *network,
		const char *table, struct error *err)
{
	struct link link;
	int r = link_read(nl, network->link, &link);

	if (network->managed)
		return make(site, nl, network, table, &link, err);
	if (r < 0)
		return error_sys(err, r, "find bridge %s", network->link);
	return configure(nl, link.index, network, err);
}

int bridge_remove(struct nl *nl, struct db *db, const struct network *network, const char *table,
		  bool is_last, struct error *err)
{
	struct table_elements elements = { 0 };
	int r = network->managed ? link_delete(nl, network->link, err) : 0;

	fault_point("remove-bridge");
	if (r == 0 && is_last)
		return table_delete(table, err);
	if (r == 0)
		r = bridge_collect(db, network, &elements, err);
	if (r == 0)
		r = table_remove(table, &elements, err);
	table_elements_done(&elements);
	return r;
}
