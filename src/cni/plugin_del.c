/* src/cni/plugin_del.c - DEL, GC and STATUS.
 *
 * The record goes last: whatever stops us before, the next DEL or GC begins again.
 */
#include <string.h>

#include "base/alloc.h"
#include "base/db.h"
#include "cni/plugin.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "kernel/netns.h"
#include "kernel/nft.h"
#include "network/cni_record.h"

/* What hangs on a parent has no end on the host: it is removed inside, if there is an inside. */
static int delete_inside(const struct endpoint *e, const char *netns, struct error *err)
{
	struct netns ns = NETNS_INIT;
	int r = netns ? netns_open(netns, &ns, NULL) : -ENOENT;

	if (r < 0)
		return 0; /* gone, and the link with it */
	r = link_delete(ns.nl, e->interface, err);
	netns_close(&ns);
	return r;
}

static int delete_cable(const struct endpoint *e, struct error *err)
{
	struct nl nl = { 0 };
	int r = nl_open(&nl, err);

	if (r == 0)
		r = link_delete(&nl, e->link, err);
	nl_close(&nl);
	return r;
}

int plugin_undo(struct plugin *p, const char *lease_id, const char *netns)
{
	struct network_lease lease = { .nendpoints = 0 };
	int r = network_lease_read(p->site.db, lease_id, &lease, &p->f.err);

	for (size_t i = 0; r == 0 && i < lease.nendpoints; i++) {
		const struct endpoint *e = &lease.endpoints[i];

		r = e->link[0] ? delete_cable(e, &p->f.err) : delete_inside(e, netns, &p->f.err);
	}
	network_lease_done(&lease);
	if (r == 0)
		r = network_detach(&p->site, lease_id, NULL, &p->f.err);
	if (r == 0)
		r = cni_record_drop(p->site.db, lease_id, &p->f.err);
	return r < 0 ? cni_fail_from(&p->f, r) : 0;
}

/* Nothing there is fine, however often it is said. */
int plugin_del(struct plugin *p)
{
	char lease[ID_LEN + 1];
	int r = cni_record_find(p->site.db, p->config.name, p->request.container, p->request.ifname,
				lease, &p->f.err);

	if (r == -ENOENT)
		return 0;
	return r < 0 ? cni_fail_from(&p->f, r) : plugin_undo(p, lease, p->request.netns);
}

/* Each that the list does not name goes; one that cannot does not keep the others. */
int plugin_gc(struct plugin *p)
{
	struct cni_records records = { 0 };
	struct cni_failure first = { .code = CNI_OK };
	int r, bad = 0;

	if (!p->config.has_valid)
		return cni_fail(&p->f, CNI_CONFIG, -EINVAL,
				"GC needs cni.dev/valid-attachments: the list of what stays");
	r = cni_record_list(p->site.db, p->config.name, NULL, &records, &p->f.err);
	if (r < 0)
		return cni_fail_from(&p->f, r);
	for (size_t i = 0; i < records.n; i++) {
		const struct cni_record *record = &records.items[i];
		autofree char *key = xasprintf("%s/%s", record->container, record->ifname);

		if (strv_has(&p->config.valid, key))
			continue;
		r = plugin_undo(p, record->lease, NULL);
		if (r < 0 && bad == 0) {
			bad = r;
			first = p->f;
		}
	}
	cni_records_done(&records);
	if (bad < 0)
		p->f = first;
	return bad;
}

/* STATUS: whether an ADD could work */

static int count_addresses(struct db *db, int64_t subnet, int64_t *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err,
			 "SELECT count(*) FROM addresses a JOIN subnets s ON s.id = a.subnet"
			 " WHERE s.id = ?1",
			 "i", subnet);

	if (r < 0)
		return r;
	*ret = db_next(&rows) ? db_int(&rows, 0) : 0;
	return db_finish(&rows);
}

/* Each family has a subnet with room. */
static int check_pool(struct plugin *p, const struct network *n)
{
	bool seen[2] = { false, false }, room[2] = { false, false };

	for (size_t i = 0; i < n->nsubnets; i++) {
		const struct network_subnet *s = &n->subnets[i];
		size_t family = s->net.ip.family == AF_INET6;
		uint64_t size = ip_distance(&s->first, &s->last);
		int64_t used = 0;
		int r = count_addresses(p->site.db, s->id, &used, &p->f.err);

		if (r < 0)
			return cni_fail_from(&p->f, r);
		if (ip_is_set(&s->gateway) && ip_compare(&s->gateway, &s->first) >= 0 &&
		    ip_compare(&s->gateway, &s->last) <= 0)
			used++;
		seen[family] = true;
		room[family] = room[family] || (uint64_t)used <= size;
	}
	for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
		if (seen[i] && !room[i])
			return cni_fail(&p->f, CNI_UNAVAILABLE, -ENOSPC,
					"network %s has no free IPv%s address", n->name,
					i ? "6" : "4");
	return 0;
}

static int limited(struct plugin *p, const struct network *n, const char *text)
{
	return cni_fail(&p->f, CNI_LIMITED, -ENETDOWN,
			"network %s: %s; 'strake network check --repair' makes it again", n->name,
			text);
}

/* What its containers need is there. */
static int check_bridge(struct plugin *p, const struct network *n)
{
	char table[NETWORK_TABLE_LEN];
	struct link bridge = { .index = 0 };
	struct nl nl = { 0 };
	int r, there;

	if (n->users == 0 || n->driver != NETWORK_BRIDGE)
		return 0;
	r = nl_open(&nl, &p->f.err);
	if (r == 0)
		r = network_table(p->site.db, table, &p->f.err);
	there = r == 0 ? link_read(&nl, n->link, &bridge) : r;
	nl_close(&nl);
	if (r < 0)
		return cni_fail_from(&p->f, r);
	if (there < 0)
		return limited(p, n, "its bridge is gone");
	if (!bridge.is_up)
		return limited(p, n, "its bridge is down");
	return nft_find_table(table) == -ENOENT ? limited(p, n, "its rules are gone") : 0;
}

int plugin_status(struct plugin *p)
{
	struct network have = { .id = 0 };
	int r = nft_find_table("strake");

	if (r < 0 && r != -ENOENT)
		return cni_fail(&p->f, CNI_UNAVAILABLE, r, "this kernel has no nf_tables: %s",
				strerror(-r));
	r = network_find(p->site.db, p->config.network.name, &have, &p->f.err);
	if (r == -ENOENT && !p->config.own) {
		p->f.code = CNI_UNAVAILABLE;
		return r;
	}
	if (r == -ENOENT) { /* the first ADD makes it */
		p->f.err = (struct error) { 0 };
		return 0;
	}
	if (r < 0)
		return cni_fail_from(&p->f, r);
	r = check_bridge(p, &have);
	if (r == 0)
		r = check_pool(p, &have);
	network_done(&have);
	return r;
}
