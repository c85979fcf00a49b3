/* src/lab/tables.c */
#include "lab/tables.h"

#include <linux/neighbour.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/table.h"
#include "kernel/stack.h"
#include "lab/connections.h"
#include "lab/raise.h"
#include "lab/read.h"

#define CELLS_MAX 8

static const struct {
	const char *title, *key;
	const char *headings[CELLS_MAX];
	size_t n;
} kinds[TABLE_KINDS] = {
	[TABLE_INTERFACES] = { "Interfaces",
			       "interfaces",
			       { "NODE", "KIND", "INTERFACE", "STATE", "MTU", "MAC", "LINKED TO",
				 "ADDRESSES" },
			       8 },
	[TABLE_FDB] = { "Forwarding databases: which port a frame to a MAC leaves by",
			"fdb",
			{ "NODE", "VLAN", "MAC", "WHOSE", "PORT", "HOW" },
			6 },
	[TABLE_NEIGHBOURS] = { "Neighbours: the MAC of an address on the same segment",
			       "neighbours",
			       { "NODE", "ADDRESS", "INTERFACE", "MAC", "WHOSE", "STATE" },
			       6 },
	[TABLE_ROUTES] = { "Routes: where a packet to an address goes next",
			   "routes",
			   { "NODE", "TO", "VIA", "INTERFACE", "REMARK" },
			   5 },
	[TABLE_CONNECTIONS] = { "Connections: how a packet came, and how its answer comes",
				"connections",
				{ "NODE", "PROTOCOL", "FROM", "TO", "ANSWER FROM", "ANSWER TO",
				  "REMARK" },
				7 },
};

static struct strv *row_new(struct tables *tables, enum table_kind kind, const char *node)
{
	struct table_row *row = VEC_ADD(tables->rows, tables->n);

	row->kind = kind;
	strv_add(&row->cells, node);
	return &row->cells;
}

/* Whose address: "r1:eth0"; "-" for nobody's here. */
static void add_owner(struct strv *cells, const struct topology *t, const unsigned char mac[6])
{
	char text[LINK_END_LEN] = "-";
	struct link_end end;

	if (topology_find_mac(t, mac, &end))
		link_end_format(t, &end, text);
	strv_add(cells, text);
}

static bool parse_mac(const char *text, unsigned char ret[6])
{
	unsigned b[6];

	if (sscanf(text, "%2x:%2x:%2x:%2x:%2x:%2x", &b[0], &b[1], &b[2], &b[3], &b[4], &b[5]) != 6)
		return false;
	for (size_t i = 0; i < 6; i++)
		ret[i] = (unsigned char)b[i];
	return true;
}

/* interfaces */

static void add_link_text(struct strv *cells, const struct topology *t, size_t n, size_t i)
{
	const struct interface *in = &t->nodes[n].interfaces[i];
	char text[LINK_END_LEN] = "-";

	if (in->link != NO_INDEX) {
		const struct link_end *ends = t->links[in->link].ends;
		bool first = ends[0].node == n && ends[0].interface == i;

		link_end_format(t, &ends[first ? 1 : 0], text);
	}
	if (in->parent != NO_INDEX)
		(void)snprintf(text, sizeof(text), "on %s",
			       t->nodes[n].interfaces[in->parent].name);
	strv_add(cells, text);
}

static void add_addresses(struct strv *cells, const struct stack *stack, int index)
{
	struct buf text = BUF_INIT(4096);

	for (size_t i = 0; i < stack->addresses.n; i++) {
		const struct stack_address *a = &stack->addresses.items[i];

		if (a->index == index && !a->link_local)
			buf_addf(&text, "%s%s/%u", text.len ? " " : "", a->ip, a->prefix_len);
	}
	strv_add(cells, text.len ? buf_text(&text) : "-");
	buf_done(&text);
}

static void add_interfaces(struct tables *ret, const struct topology *t, size_t n,
			   const struct stack *stack)
{
	const struct node *node = &t->nodes[n];

	for (size_t i = 0; i < node->n_interfaces; i++) {
		const struct interface *in = &node->interfaces[i];
		int index = in->kind == IF_LOCAL ? 1 : interface_index(i);
		const struct stack_link *l = stack_link(stack, index);
		struct strv *cells = row_new(ret, TABLE_INTERFACES, node->name);

		strv_add(cells, node_kind_name(node->kind));
		strv_add(cells, in->name);
		if (!l) { /* in->vlan of a bridge that the kernel filters, or removed by hand */
			strv_add(cells, "gone");
			strv_add(cells, "-");
			strv_add(cells, "-");
		} else {
			strv_add(cells, !l->up ? "down" : l->carrier ? "up" : "no carrier");
			strv_addf(cells, "%u", l->mtu);
			strv_add(cells, l->mac);
		}
		add_link_text(cells, t, n, i);
		add_addresses(cells, stack, index);
	}
}

/* forwarding databases */

static int add_fdb(struct tables *ret, struct lab *lab, size_t n, struct error *err)
{
	const struct topology *t = lab->topology;
	const struct node *node = &t->nodes[n];
	struct fdb_entry *entries = NULL;
	char remote[IP_TEXT_LEN];
	size_t count = 0;
	int r = fdb_read(lab, n, &entries, &count, err);

	for (size_t i = 0; r == 0 && i < count; i++) {
		const struct fdb_entry *e = &entries[i];
		struct strv *cells = row_new(ret, TABLE_FDB, node->name);

		if (e->vlan)
			strv_addf(cells, "%u", e->vlan);
		else
			strv_add(cells, "-");
		strv_addf(cells, "%02x:%02x:%02x:%02x:%02x:%02x", e->mac[0], e->mac[1], e->mac[2],
			  e->mac[3], e->mac[4], e->mac[5]);
		add_owner(cells, t, e->mac);
		strv_add(cells, node->interfaces[e->interface].name);
		ip_format(&e->remote, remote);
		if (remote[0])
			strv_addf(cells, "in the tunnel to %s", remote);
		else
			strv_add(cells, e->own ? "its own" : "learned");
	}
	free(entries);
	return r;
}

/* neighbours and routes */

static void add_neighbours(struct tables *ret, const struct topology *t, const char *name,
			   const struct stack *stack)
{
	for (size_t i = 0; i < stack->neighbours.n; i++) {
		const struct stack_neighbour *nb = &stack->neighbours.items[i];
		const struct stack_link *l = stack_link(stack, nb->index);
		unsigned char mac[6];
		struct strv *cells;

		if (nb->state & NUD_NOARP)
			continue;
		cells = row_new(ret, TABLE_NEIGHBOURS, name);
		strv_add(cells, nb->ip);
		strv_add(cells, l ? l->name : "?");
		strv_add(cells, nb->mac[0] ? nb->mac : "-");
		if (parse_mac(nb->mac, mac))
			add_owner(cells, t, mac);
		else
			strv_add(cells, "-");
		strv_add(cells, stack_neighbour_state(nb->state));
	}
}

static void add_routes(struct tables *ret, const char *name, const struct stack *stack)
{
	for (size_t i = 0; i < stack->routes.n; i++) {
		const struct stack_route *route = &stack->routes.items[i];
		const struct stack_link *l = stack_link(stack, route->index);
		struct strv *cells;

		/* Each link that speaks IPv6 has one, and it leads nowhere else. */
		if (strncmp(route->to, "fe80:", 5) == 0 || (l && l->loopback && route->v6))
			continue;
		cells = row_new(ret, TABLE_ROUTES, name);
		strv_add(cells, route->to);
		strv_add(cells, route->via[0] ? route->via : "-");
		strv_add(cells, l ? l->name : "-");
		if (route->shadowed)
			strv_addf(cells, "never taken: an equal one comes first (rp_filter %d)",
				  route->rp_filter);
		else if (route->type != RTN_UNICAST)
			strv_add(cells, stack_route_type(route->type));
		else
			strv_add(cells, route->proto == RTPROT_KERNEL ? "of an address" : "");
	}
}

static int read_node(struct lab *lab, size_t n, struct tables *ret, struct error *err)
{
	const struct topology *t = lab->topology;
	cleanup(stack_done) struct stack stack = { 0 };
	int fd = lab_netns(lab, n, err), r;

	if (fd < 0)
		return fd;
	r = stack_read(fd, STACK_WITHOUT_SOCKETS, &stack, err);
	if (r < 0)
		return r;
	add_interfaces(ret, t, n, &stack);
	r = add_fdb(ret, lab, n, err);
	add_neighbours(ret, t, t->nodes[n].name, &stack);
	add_routes(ret, t->nodes[n].name, &stack);
	return r;
}

static int add_connections(struct lab *lab, size_t node, struct tables *ret, struct error *err)
{
	autofree struct connection *list = NULL;
	size_t n = 0;
	int r = connections_read(lab, node, &list, &n, err);

	for (size_t i = 0; i < n; i++) {
		struct strv *cells =
			row_new(ret, TABLE_CONNECTIONS, lab->topology->nodes[node].name);

		strv_add(cells, list[i].protocol);
		strv_add(cells, list[i].from);
		strv_add(cells, list[i].to);
		strv_add(cells, list[i].back_from);
		strv_add(cells, list[i].back_to);
		strv_add(cells, list[i].translated ? "translated (NAT)" : "");
	}
	return r;
}

static int read_all(struct lab *lab, size_t node, struct tables *ret, struct error *err)
{
	int r = read_node(lab, node, ret, err);

	return r == 0 ? add_connections(lab, node, ret, err) : r;
}

int tables_read(struct lab *lab, char *const *nodes, size_t n, struct tables *ret,
		struct error *err)
{
	struct tables tables = { .rows = NULL };
	int r = 0;

	for (size_t i = 0; r == 0 && i < n; i++) {
		size_t node;

		r = topology_need_node(lab->topology, nodes[i], &node, err);
		if (r == 0)
			r = read_all(lab, node, &tables, err);
	}
	for (size_t i = 0; r == 0 && n == 0 && i < lab->topology->n_nodes; i++)
		r = read_all(lab, i, &tables, err);
	if (r < 0) {
		tables_done(&tables);
		return r;
	}
	*ret = tables;
	return 0;
}

void tables_done(struct tables *tables)
{
	for (size_t i = 0; i < tables->n; i++)
		strv_done(&tables->rows[i].cells);
	free(tables->rows);
	*tables = (struct tables) { .rows = NULL };
}

/* output */

void tables_print(const struct tables *tables, FILE *to)
{
	for (int kind = 0; kind < TABLE_KINDS; kind++) {
		cleanup(table_done) struct table table = { .columns = 0 };
		size_t rows = 0;

		table_init(&table, kinds[kind].n, kinds[kind].headings);
		for (size_t i = 0; i < tables->n; i++) {
			if ((int)tables->rows[i].kind != kind)
				continue;
			rows++;
			for (size_t k = 0; k < kinds[kind].n; k++)
				table_cell(&table, tables->rows[i].cells.items[k]);
		}
		if (!rows && kind == TABLE_CONNECTIONS)
			continue;
		(void)fprintf(to, "%s%s\n", kind ? "\n" : "", kinds[kind].title);
		if (rows)
			table_print(&table, to);
		else
			(void)fputs("none\n", to);
	}
}

static json_t *row_json(const struct table_row *row)
{
	json_t *object = json_object();

	for (size_t k = 0; k < kinds[row->kind].n; k++) {
		const char *heading = kinds[row->kind].headings[k];
		autofree char *key = xstrdup(heading);

		for (char *c = key; *c; c++)
			*c = (char)(*c == ' ' ? '_' : *c | 0x20);
		(void)json_object_set_new(object, key, json_string(row->cells.items[k]));
	}
	return object;
}

json_t *tables_json(const struct tables *tables)
{
	json_t *doc = json_object();

	for (int kind = 0; kind < TABLE_KINDS; kind++)
		(void)json_object_set_new(doc, kinds[kind].key, json_array());
	for (size_t i = 0; i < tables->n; i++)
		(void)json_array_append_new(json_object_get(doc, kinds[tables->rows[i].kind].key),
					    row_json(&tables->rows[i]));
	return doc;
}

static bool same(const struct table_row *a, const struct table_row *b)
{
	if (a->kind != b->kind || a->cells.n != b->cells.n)
		return false;
	for (size_t i = 0; i < a->cells.n; i++)
		if (strcmp(a->cells.items[i], b->cells.items[i]) != 0)
			return false;
	return true;
}

static bool has(const struct tables *tables, const struct table_row *row)
{
	for (size_t i = 0; i < tables->n; i++)
		if (same(&tables->rows[i], row))
			return true;
	return false;
}

static size_t add_missing(struct table *table, int kind, const struct tables *from,
			  const struct tables *other, const char *sign)
{
	size_t n = 0;

	for (size_t i = 0; i < from->n; i++) {
		const struct table_row *row = &from->rows[i];

		if ((int)row->kind != kind || has(other, row))
			continue;
		n++;
		table_cell(table, sign);
		for (size_t k = 0; k < kinds[kind].n; k++)
			table_cell(table, row->cells.items[k]);
	}
	return n;
}

void tables_print_change(const struct tables *before, const struct tables *after, FILE *to)
{
	size_t all = 0;

	for (int kind = 0; kind < TABLE_KINDS; kind++) {
		cleanup(table_done) struct table table = { .columns = 0 };
		const char *headings[CELLS_MAX + 1] = { "" };
		size_t n;

		memcpy(headings + 1, kinds[kind].headings, sizeof(kinds[kind].headings));
		table_init(&table, kinds[kind].n + 1, headings);
		n = add_missing(&table, kind, before, after, "-");
		n += add_missing(&table, kind, after, before, "+");
		if (n == 0)
			continue;
		(void)fprintf(to, "%s%s\n", all ? "\n" : "", kinds[kind].title);
		table_print(&table, to);
		all += n;
	}
	if (all == 0)
		(void)fputs("nothing changed\n", to);
}
