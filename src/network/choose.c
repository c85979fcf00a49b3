/* src/network/choose.c */
#include "network/choose.h"

#include <stdio.h>
#include <string.h>

#include "base/db.h"
#include "base/id.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "kernel/nft.h"
#include "kernel/route.h"
#include "network/network.h"

#define BRIDGE_PREFIX "strake"
#define NAMES_MAX     1000
#define PREFIX_LEN_4  20 /* 4093 containers */
#define PREFIX_LEN_6  64
#define SUBNETS_4     128
#define TRIES_6       8 /* 40 random bits */

/* "" if none. */
static int overlapping_network(struct db *db, const struct ip_net *net, const char *parent,
			       char ret[120], struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, /* the same numbers on two wires are two things */
			 "SELECT n.name, s.net FROM subnets s JOIN networks n ON n.id = s.network"
			 " WHERE s.family = ?1 AND (n.driver = 0 OR ?2 = '' OR n.link = ?2)",
			 "is", (int64_t)net->ip.family, parent ? parent : "");

	if (r < 0)
		return r;
	ret[0] = '\0';
	while (db_next(&rows)) {
		struct ip_net other;

		if (!ret[0] && ip_net_parse(db_text(&rows, 1), &other) == 0 &&
		    ip_net_overlaps(&other, net))
			(void)snprintf(ret, 120, "network %s (%s)", db_text(&rows, 0),
				       db_text(&rows, 1));
	}
	return db_finish(&rows);
}

int choose_check_networks(struct db *db, const struct ip_net *net, const char *parent,
			  struct error *err)
{
	char text[IP_NET_TEXT_LEN], other[120];
	int r = overlapping_network(db, net, parent, other, err);

	ip_net_format(net, text);
	if (r == 0 && other[0])
		r = error_set(err, -EEXIST, "subnet %s overlaps that of %s", text, other);
	return r;
}

int choose_check_subnet(struct db *db, const struct ip_net *net, int except, struct error *err)
{
	char text[IP_NET_TEXT_LEN], route[ROUTE_TEXT_LEN] = "";
	struct nl nl = { 0 };
	int r = choose_check_networks(db, net, NULL, err);

	if (r < 0)
		return r;
	ip_net_format(net, text);
	r = nl_open(&nl, err);
	if (r == 0)
		r = route_overlaps(&nl, net, except, route, err);
	nl_close(&nl);
	if (r == 0 && route[0])
		return error_set(err, -EEXIST, "subnet %s overlaps this host's route %s", text,
				 route);
	return r;
}

static struct ip_net candidate(uint8_t family, unsigned i)
{
	static const struct ip first = { AF_INET, { 10, 120 } };
	struct ip_net net = { first, PREFIX_LEN_4 };

	if (family == AF_INET) {
		net.ip = ip_plus(&first, (uint64_t)i << (32 - PREFIX_LEN_4));
		return net;
	}
	net = (struct ip_net) { { AF_INET6, { 0xfd } }, PREFIX_LEN_6 };
	ignore_result(random_bytes(net.ip.bytes + 1, 5));
	return net;
}

int choose_subnet(struct db *db, uint8_t family, struct network_subnet *ret, struct error *err)
{
	unsigned n = family == AF_INET ? SUBNETS_4 : TRIES_6;

	for (unsigned i = 0; i < n; i++) {
		struct ip_net net = candidate(family, i);
		struct ip last = ip_net_last(&net);
		int r = choose_check_subnet(db, &net, 0, err);

		if (r == -EEXIST)
			continue;
		if (r < 0)
			return r;
		ret->net = net;
		ret->gateway = ret->first = ip_plus(&net.ip, 1);
		ret->last = family == AF_INET ? ip_plus(&net.ip, ip_distance(&net.ip, &last) - 1)
					      : last;
		return 0;
	}
	return error_set(err, -ENOSPC,
			 "no free subnet for a network from 10.120.0.0 on; --subnet names another");
}

/* names */

static int is_taken(struct db *db, int64_t id, const char *link, bool *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, "SELECT 1 FROM networks WHERE link = ?1 AND id <> ?2",
			 "si", link, id);

	if (r < 0)
		return r;
	*ret = db_next(&rows);
	return db_finish(&rows);
}

static int choose_bridge(struct db *db, struct network *network, struct nl *nl, struct error *err)
{
	for (unsigned i = 0; i < NAMES_MAX; i++) {
		char name[IF_NAMESIZE];
		bool taken = true;
		int r;

		(void)snprintf(name, sizeof(name), BRIDGE_PREFIX "%u", i);
		r = link_index(nl, name);
		if (r < 0 && r != -ENODEV)
			return error_sys(err, r, "look for link %s", name);
		if (r == -ENODEV) {
			r = is_taken(db, network->id, name, &taken, err);
			if (r < 0)
				return r;
		}
		if (taken)
			continue;
		memcpy(network->link, name, sizeof(name));
		return network_set_link(db, network->id, name, err);
	}
	return error_set(err, -ENOSPC, "too many bridges");
}

/* The number of the first bridge is that of the table, too, unless another instance has the table.
 */
static int choose_table(struct db *db, const struct network *network, struct error *err)
{
	const char *number = network->link + strlen(BRIDGE_PREFIX);
	unsigned first = 0;
	char have[NETWORK_TABLE_LEN];
	int r = network_table(db, have, err);

	if (r < 0 || have[0])
		return r;
	if (strncmp(network->link, BRIDGE_PREFIX, strlen(BRIDGE_PREFIX)) == 0)
		(void)sscanf(number, "%3u", &first);
	for (unsigned i = first; i < first + NAMES_MAX; i++) {
		char name[NETWORK_TABLE_LEN];

		(void)snprintf(name, sizeof(name), i ? "strake-%u" : "strake", i);
		r = nft_find_table(name);
		if (r == 0)
			continue;
		return db_run(db, err, "INSERT INTO instance (table_name) VALUES (?1)", "s", name);
	}
	return error_set(err, -ENOSPC, "too many tables in nftables");
}

static bool is_chosen(const char *link)
{
	return link[0] == '\0' || strncmp(link, BRIDGE_PREFIX, strlen(BRIDGE_PREFIX)) == 0;
}

/* A name that was chosen long ago may be another instance's by now. */
int choose_names(struct db *db, struct network *network, struct error *err)
{
	struct nl nl = { 0 };
	int r, index = -ENODEV;

	if (!network->managed || network->users > 0)
		return choose_table(db, network, err);
	r = nl_open(&nl, err);
	if (r == 0 && network->link[0])
		index = link_index(&nl, network->link);
	if (r == 0 && is_chosen(network->link) && (!network->link[0] || index >= 0))
		r = choose_bridge(db, network, &nl, err);
	else if (r == 0 && index >= 0)
		r = error_set(err, -EEXIST, "network %s: link %s is there already, and not ours",
			      network->name, network->link);
	nl_close(&nl);
	return r < 0 ? r : choose_table(db, network, err);
}
