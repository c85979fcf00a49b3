/* src/network/check.c */
#include "network/check.h"

#include <net/if.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/explain.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "kernel/route.h"
#include "network/attach.h"
#include "network/bridge.h"
#include "network/check_rules.h"
#include "network/foreign.h"
#include "network/names_port.h"
#include "network/names_server.h"
#include "network/mend.h"
#include "network/orphan.h"
#include "network/plug.h"
#include "network/table.h"

struct check {
	const struct network_site *site;
	bool repair;
	network_report_fn report;
	void *data;
	struct nl nl;
	char table[NETWORK_TABLE_LEN];
	int found;
	int left; /* of those: what only a person can mend */
};

static void found(struct check *check, char *text)
{
	check->report(check->data, text);
	check->found++;
	free(text);
}

/* links */

/* A cable of ours hangs in one of our bridges.  One that hangs in none may be another root's; it
 * goes with its container.
 */
static int link_is_ours(struct check *check, const struct link *link, bool *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(check->site->db, &rows, err, "SELECT link FROM networks WHERE driver = 0",
			 "");

	*ret = false;
	if (r < 0)
		return r;
	while (db_next(&rows))
		*ret = *ret || (link->master > 0 &&
				link_index(&check->nl, db_text(&rows, 0)) == link->master);
	return db_finish(&rows);
}

static int check_link(struct check *check, const char *name, bool *ret_orphan, struct error *err)
{
	struct db_rows rows;
	struct link link;
	bool known;
	int r = db_query(check->site->db, &rows, err, "SELECT 1 FROM leases WHERE link = ?1", "s",
			 name);

	*ret_orphan = false;
	if (r < 0)
		return r;
	known = db_next(&rows);
	r = db_finish(&rows);
	if (r < 0 || known)
		return r;
	r = link_read(&check->nl, name, &link);
	if (r == -ENODEV)
		return 0;
	if (r < 0)
		return error_sys(err, r, "look at link %s", name);
	return link_is_ours(check, &link, ret_orphan, err);
}

static int check_links(struct check *check, struct error *err)
{
	struct strv links = { 0 };
	int r = link_names(&check->nl, NETWORK_LINK_PREFIX, &links, err);

	for (size_t i = 0; r == 0 && i < links.n; i++) {
		bool orphan = false;

		r = check_link(check, links.items[i], &orphan, err);
		/* One whose namespace ended goes by itself; that is worth a moment's patience. */
		if (r < 0 || !orphan || link_wait_gone(links.items[i], LINK_WAIT_MS))
			continue;
		found(check, xasprintf("link %s belongs to no container", links.items[i]));
		if (check->repair)
			r = link_delete(&check->nl, links.items[i], err);
	}
	strv_done(&links);
	return r;
}

/* networks in use */

static int used_networks(struct check *check, struct strv *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(check->site->db, &rows, err,
			 "SELECT name FROM networks n WHERE driver = 0 AND EXISTS"
			 " (SELECT 1 FROM leases l WHERE l.network = n.id) ORDER BY name",
			 "");

	if (r < 0)
		return r;
	while (db_next(&rows))
		strv_add(ret, db_text(&rows, 0));
	return db_finish(&rows);
}

static bool lost_an_address(struct check *check, const struct network *n)
{
	for (size_t i = 0; n->managed && i < n->nsubnets; i++) {
		bool there = true;

		if (ip_is_set(&n->subnets[i].gateway) &&
		    address_find(&check->nl, &n->subnets[i].gateway, &there) == 0 && !there)
			return true;
	}
	return false;
}

static int check_network(struct check *check, const char *name, struct table_elements *want,
			 struct error *err)
{
	cleanup(network_cleanup_value) struct network network = { .id = 0 };
	const char *text = NULL, *off;
	struct link bridge;
	int left = 0;
	int r = network_find(check->site->db, name, &network, err);

	if (r < 0)
		return r;
	if (link_read(&check->nl, network.link, &bridge) < 0)
		text = "is not there";
	else if (!bridge.is_up)
		text = "is down";
	else if (lost_an_address(check, &network))
		text = "has lost its address";
	if (!text && (off = bridge_forwarding_off(&network))) {
		text = off;
		found(check, xasprintf("network %1$s: this host does not forward its packets; "
				       "'sysctl -w %2$s=1' lets it",
				       name, off));
	} else if (text) {
		found(check, xasprintf("network %s: its bridge %s %s", name, network.link, text));
	}
	if (text) {
		if (check->repair)
			r = bridge_mend(check->site, &check->nl, &network, check->table, err);
	}
	if (r >= 0)
		r = bridge_collect(check->site->db, &network, want, err);
	if (r < 0)
		return r;
	names_port_collect(check->site, &network, want);
	r = foreign_check(check->site, &network, check->repair, check->report, check->data, &left,
			  err);
	check->found += MAX(r, 0);
	check->left += left;
	return MIN(r, 0);
}

/* containers */

/* Empty: nothing is wrong. */
static void judge_cable(struct check *check, const struct endpoint *e, const char *id, char *ret,
			size_t size)
{
	struct link link, bridge = { .index = -1 };
	bool hairpin, isolated;

	ret[0] = '\0';
	plug_wants(e, &hairpin, &isolated);
	if (link_read(&check->nl, e->link, &link) < 0)
		(void)snprintf(ret, size, "container %.12s: its link %s to network %s is not there",
			       id, e->link, e->network.name);
	else if (link_read(&check->nl, e->network.link, &bridge) < 0 &&
		 !(check->repair && explain_dry())) /* whose script has it again by now */
		return;                             /* said already */
	else if (link.master != bridge.index)
		(void)snprintf(ret, size, "link %s is not plugged into bridge %s", e->link,
			       e->network.link);
	else if (link.hairpin != hairpin || link.isolated != isolated)
		(void)snprintf(
			ret, size,
			"link %s: hairpin %d, isolated %d are wrong since bridge netfilter was "
			"turned %s",
			e->link, link.hairpin, link.isolated, bridge_netfilter() ? "on" : "off");
}

static int check_cable(struct check *check, const struct network_lease *lease,
		       const struct endpoint *e, struct error *err)
{
	char text[200];

	if (!e->link[0])
		return 0;
	judge_cable(check, e, lease->id, text, sizeof(text));
	if (!text[0])
		return 0;
	found(check, xstrdup(text));
	return check->repair ? mend_endpoint(check->site, &check->nl, lease, e, err) : 0;
}

static int check_container(struct check *check, const char *id, struct table_elements *want,
			   struct error *err)
{
	cleanup(network_lease_done) struct network_lease lease = { .nendpoints = 0 };
	int r = network_lease_read(check->site->db, id, &lease, err);

	for (size_t i = 0; r == 0 && i < lease.nendpoints; i++)
		r = check_cable(check, &lease, &lease.endpoints[i], err);
	if (r == 0)
		network_lease_collect(&lease, want);
	return r;
}

static int check_containers(struct check *check, struct table_elements *want, struct error *err)
{
	struct strv ids = { 0 };
	struct db_rows rows;
	int r = db_query(check->site->db, &rows, err, "SELECT DISTINCT container FROM leases", "");

	if (r < 0)
		return r;
	while (db_next(&rows))
		strv_add(&ids, db_text(&rows, 0));
	r = db_finish(&rows);
	for (size_t i = 0; r == 0 && i < ids.n; i++)
		r = check_container(check, ids.items[i], want, err);
	strv_done(&ids);
	return r;
}

/* the table */

static int compare(const void *a, const void *b)
{
	const struct table_element *x = a, *y = b;
	int r = x->set < y->set ? -1 : x->set > y->set;

	if (r == 0)
		r = memcmp(x->e.key, y->e.key, sizeof(x->e.key));
	if (r == 0)
		r = memcmp(x->e.key_end, y->e.key_end, sizeof(x->e.key_end));
	return r ? r : memcmp(x->e.data, y->e.data, sizeof(x->e.data));
}

static void sort(struct table_elements *v)
{
	size_t n = 0;

	if (v->n == 0)
		return;
	qsort(v->items, v->n, sizeof(*v->items), compare);
	for (size_t i = 0; i < v->n; i++) /* peers are collected from either side */
		if (n == 0 || compare(&v->items[n - 1], &v->items[i]) != 0)
			v->items[n++] = v->items[i];
	v->n = n;
}

static void push(struct table_elements *v, const struct table_element *e)
{
	VEC_GROW(v->items, v->n, v->room);
	v->items[v->n++] = *e;
}

/* Both are sorted. */
static void differ(const struct table_elements *want, const struct table_elements *have,
		   struct table_elements *ret_missing, struct table_elements *ret_extra)
{
	size_t w = 0, h = 0;

	while (w < want->n || h < have->n) {
		int r = w == want->n   ? 1
			: h == have->n ? -1
				       : compare(&want->items[w], &have->items[h]);

		if (r < 0)
			push(ret_missing, &want->items[w]);
		if (r > 0)
			push(ret_extra, &have->items[h]);
		w += r <= 0;
		h += r >= 0;
	}
}

static void tell(struct check *check, const struct table_elements *v, const char *what)
{
	for (size_t i = 0; i < v->n; i++) {
		autofree char *text = table_element_format(&v->items[i]);

		found(check, xasprintf("table inet %s: %s %s", check->table, what, text));
	}
}

/* A rule that is gone has gone with nothing else: the whole table is made again, in one step. */
static int compare_rules(struct check *check, const struct table_elements *want, struct error *err)
{
	int r = check_rules(check->table, check->report, check->data, err);

	if (r <= 0)
		return r;
	check->found += r;
	return check->repair ? table_replace(check->table, want, err) : 0;
}

static int compare_table(struct check *check, struct table_elements *want,
			 struct table_elements *have, struct error *err)
{
	struct table_elements missing = { 0 }, extra = { 0 };
	int r = 0;

	sort(want);
	sort(have);
	differ(want, have, &missing, &extra);
	tell(check, &extra, "belongs to no container:");
	tell(check, &missing, "is missing:");
	if (check->repair && extra.n > 0)
		r = table_remove(check->table, &extra, err);
	if (r == 0 && check->repair && missing.n > 0)
		r = table_add(check->table, &missing, err);
	table_elements_done(&missing);
	table_elements_done(&extra);
	return r;
}

static int check_table(struct check *check, struct table_elements *want, struct error *err)
{
	struct table_elements have = { 0 };
	int r = check->table[0] ? table_list(check->table, &have) : 0;
	bool is_there = check->table[0] && r == 0;

	if (r < 0 && r != -ENOENT)
		return error_sys(err, r, "list nftables table inet %s", check->table);
	r = compare_table(check, want, &have, err);
	table_elements_done(&have);
	return r == 0 && is_there ? compare_rules(check, want, err) : r;
}

static int check_names(struct check *check, struct error *err)
{
	int r = names_server_check(check->site, check->repair, check->report, check->data, err);

	check->found += MAX(r, 0);
	return MIN(r, 0);
}

/* Bridges of other instances are none of ours, and there; so what counts is whether it is there. */
static int check_foreign(struct check *check, struct error *err)
{
	struct strv links = { 0 };
	int r = link_names(&check->nl, "", &links, err);

	if (r == 0)
		r = foreign_check_left(&links, check->repair, check->report, check->data, err);
	strv_done(&links);
	check->found += MAX(r, 0);
	return MIN(r, 0);
}

static int check_orphans(struct check *check, struct error *err)
{
	int r = orphan_check(check->site, &check->nl, check->table, check->repair, check->report,
			     check->data, err);

	check->found += MAX(r, 0);
	return MIN(r, 0);
}

static int check_all(struct check *check, struct table_elements *want, struct error *err)
{
	struct strv names = { 0 };
	int r = check_orphans(check, err);

	if (r == 0)
		r = check_links(check, err);
	if (r == 0)
		r = used_networks(check, &names, err);
	for (size_t i = 0; r == 0 && i < names.n; i++)
		r = check_network(check, names.items[i], want, err);
	if (r == 0)
		r = check_containers(check, want, err);
	if (r == 0)
		r = check_table(check, want, err);
	if (r == 0)
		r = check_names(check, err);
	if (r == 0)
		r = check_foreign(check, err);
	strv_done(&names);
	return r;
}

int network_check(const struct network_site *site, bool repair, network_report_fn report,
		  void *data, int *ret_left, struct error *err)
{
	struct check check = { .site = site, .repair = repair, .report = report, .data = data };
	struct table_elements want = { 0 };
	int r = nl_open(&check.nl, err);

	if (r == 0)
		r = network_table(site->db, check.table, err);
	if (r == 0)
		r = check_all(&check, &want, err);
	table_elements_done(&want);
	nl_close(&check.nl);
	*ret_left = check.left;
	return r < 0 ? r : check.found;
}
