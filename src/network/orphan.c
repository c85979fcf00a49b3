/* src/network/orphan.c */
#include "network/orphan.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/db.h"
#include "base/strv.h"
#include "kernel/link.h"
#include "kernel/netlink.h"
#include "kernel/nft.h"
#include "network/attach.h"
#include "network/bridge.h"
#include "network/table.h"

#define PREFIX "strake" /* of bridges and tables */

struct orphans {
	const struct network_site *site;
	struct nl *nl;
	bool repair;
	network_report_fn report;
	void *data;
	struct strv bridges;
	int found;
};

static void found(struct orphans *o, const char *what, const char *name, const char *whose)
{
	autofree char *text = xasprintf("%s %s belongs to no %s", what, name, whose);

	o->report(o->data, text);
	o->found++;
}

static int is_known(struct db *db, const char *link, bool *ret, struct error *err)
{
	struct db_rows rows;
	int r = db_query(db, &rows, err, "SELECT 1 FROM networks WHERE link = ?1", "s", link);

	if (r < 0)
		return r;
	*ret = db_next(&rows);
	return db_finish(&rows);
}

static int find_bridges(struct orphans *o, struct error *err)
{
	struct strv links = { 0 };
	char note[LINK_ALIAS_LEN];
	int r = 0;

	if (bridge_note(o->site, note))
		r = link_names(o->nl, PREFIX, &links, err);
	for (size_t i = 0; r == 0 && i < links.n; i++) {
		bool known = false;
		struct link link;

		if (link_read(o->nl, links.items[i], &link) < 0 ||
		    strcmp(link.kind, "bridge") != 0 || strcmp(link.alias, note) != 0)
			continue;
		r = is_known(o->site->db, links.items[i], &known, err);
		if (r == 0 && !known)
			strv_add(&o->bridges, links.items[i]);
	}
	strv_done(&links);
	return r;
}

struct members {
	const struct strv *bridges;
	size_t ours, others;
};

static void count_member(void *data, const struct nft_element *e)
{
	struct members *m = data;
	char name[IF_NAMESIZE];

	(void)snprintf(name, sizeof(name), "%.*s", IF_NAMESIZE - 1, (const char *)e->key);
	if (strv_has(m->bridges, name))
		m->ours++;
	else
		m->others++;
}

static int check_tables(struct orphans *o, const char *own_table, struct error *err)
{
	struct strv tables = { 0 };
	int r = nft_list_tables(&tables);

	if (r < 0)
		r = error_sys(err, r, "list nftables tables");
	for (size_t i = 0; r == 0 && i < tables.n; i++) {
		struct members m = { .bridges = &o->bridges };
		const char *name = tables.items[i];

		if (strncmp(name, PREFIX, strlen(PREFIX)) != 0 || strcmp(name, own_table) == 0 ||
		    nft_list_elements(name, &table_sets[SET_BRIDGES], count_member, &m) < 0 ||
		    m.ours == 0 || m.others > 0)
			continue;
		found(o, "table inet", name, "network");
		if (o->repair)
			r = table_delete(name, err);
	}
	strv_done(&tables);
	return r;
}

static int check_cables(struct orphans *o, int bridge, struct error *err)
{
	struct strv links = { 0 };
	int r = link_names(o->nl, NETWORK_LINK_PREFIX, &links, err);

	for (size_t i = 0; r == 0 && i < links.n; i++) {
		struct link link;

		if (link_read(o->nl, links.items[i], &link) < 0 || link.master != bridge)
			continue;
		found(o, "link", links.items[i], "container");
		if (o->repair)
			r = link_delete(o->nl, links.items[i], err);
	}
	strv_done(&links);
	return r;
}

/* The bridge last: it tells whose the rest is. */
static int check_bridge(struct orphans *o, const char *name, struct error *err)
{
	int index = link_index(o->nl, name);
	int r = index > 0 ? check_cables(o, index, err) : 0;

	found(o, "bridge", name, "network");
	return r == 0 && o->repair ? link_delete(o->nl, name, err) : r;
}

int orphan_check(const struct network_site *site, struct nl *nl, const char *own_table, bool repair,
		 network_report_fn report, void *data, struct error *err)
{
	struct orphans o = {
		.site = site, .nl = nl, .repair = repair, .report = report, .data = data
	};
	int r = find_bridges(&o, err);

	if (r == 0 && o.bridges.n > 0)
		r = check_tables(&o, own_table, err);
	for (size_t i = 0; r == 0 && i < o.bridges.n; i++)
		r = check_bridge(&o, o.bridges.items[i], err);
	strv_done(&o.bridges);
	return r < 0 ? r : o.found;
}
