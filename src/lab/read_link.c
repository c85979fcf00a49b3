/* src/lab/read_link.c - "links:": pairs, chains and ranges of them, and what a cable is like.
 *
 * Interfaces that are named take theirs first, in all links; the others then get what is free.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/number.h"
#include "lab/range.h"
#include "lab/read.h"

#define LINKS_MAX    16384
#define NAME_ROOM    (RANGE_TEXT_MAX * 2 + 16)
#define DELAY_MAX_US 60000000ULL
#define MTU_MIN      68
#define MTU_MAX      65535
#define SEPARATOR    " - "

/* One end as it is written, until its interface is known. */
struct written {
	size_t node;
	char interface[IF_NAMESIZE]; /* "" */
	const struct yaml *at;
	const struct yaml *map; /* the whole link; NULL: a short one */
};

struct wiring {
	struct reading *g;
	struct written *ends; /* two for each link */
	size_t n_ends;
};

/* ends */

static void unknown_node(struct reading *g, const struct yaml *at, const char *text)
{
	struct error err = { 0 };
	struct link_end end;

	ignore_result(topology_find_end(g->t, text, &end, &err));
	yaml_fail(&g->rd, at, "%s", err.text);
}

static void read_end(struct reading *g, const char *text, const struct yaml *at,
		     struct written *ret)
{
	const char *colon = strchr(text, ':');
	autofree char *name = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);

	ret->at = at;
	ret->node = topology_find_node(g->t, name);
	if (ret->node == NO_INDEX) {
		unknown_node(g, at, text);
		return;
	}
	if (!colon)
		return;
	if (!read_interface_named(g, &g->t->nodes[ret->node], colon + 1, at))
		return;
	(void)snprintf(ret->interface, sizeof(ret->interface), "%s", colon + 1);
}

static void add_pair(struct wiring *w, const char *a, const char *b, const struct yaml *at,
		     const struct yaml *map)
{
	struct reading *g = w->g;
	struct lab_link *link;
	struct written *ends;

	if (g->t->n_links >= LINKS_MAX) {
		yaml_fail(&g->rd, at, "more than %d links", LINKS_MAX);
		return;
	}
	(void)VEC_ADD(w->ends, w->n_ends);
	(void)VEC_ADD(w->ends, w->n_ends);
	ends = &w->ends[w->n_ends - 2];
	read_end(g, a, at, &ends[0]);
	read_end(g, b, at, &ends[1]);
	link = VEC_ADD(g->t->links, g->t->n_links);
	link->line = at->line;
	w->ends[w->n_ends - 2].map = map;
}

/* "h[1-9] - s1", "h[1-9] - s[1-9]": as many on both sides, or one. */
static void add_ranges(struct wiring *w, const char *a, const char *b, const struct yaml *at,
		       const struct yaml *map)
{
	struct range left, right;
	char one[NAME_ROOM], other[NAME_ROOM];

	if (range_parse(a, LINKS_MAX, &left) < 0 || range_parse(b, LINKS_MAX, &right) < 0) {
		yaml_fail(
			&w->g->rd, at,
			"'%.60s - %.60s': an end is NODE, NODE:INTERFACE, or a range such as h[1-200]",
			a, b);
		return;
	}
	if (left.n != right.n && !left.is_plain && !right.is_plain) {
		yaml_fail(&w->g->rd, at, "%zu ends on one side, %zu on the other", left.n, right.n);
		return;
	}
	for (size_t i = 0; w->g->rd.r == 0 && i < MAX(left.n, right.n); i++) {
		range_name(&left, i, one);
		range_name(&right, i, other);
		add_pair(w, one, other, at, map);
	}
}

/* "h1 - s1 - s2 - h2" */
static void add_short(struct wiring *w, const struct yaml *y)
{
	autofree char *text = xstrdup(y->text);
	char *left = text, *right = strstr(text, SEPARATOR);

	if (!right)
		yaml_fail(&w->g->rd, y, "a link is two ends with ' - ' between them, not '%.60s'",
			  y->text);
	while (w->g->rd.r == 0 && right) {
		char *next = strstr(right + strlen(SEPARATOR), SEPARATOR);

		*right = '\0';
		right += strlen(SEPARATOR);
		if (next)
			*next = '\0';
		add_ranges(w, left, right, y, NULL);
		if (next)
			*next = ' ';
		left = right;
		right = next;
	}
}

static void add_mapping(struct wiring *w, const struct yaml *map)
{
	static const char *const keys[] = { "between", "mtu",      "delay", "jitter", "loss",
					    "rate",    "mac",      "vlan",  "trunk",  "native",
					    "down",    "isolated", NULL };
	const struct yaml *between = yaml_get(map, "between");

	yaml_check_keys(&w->g->rd, map, keys, "a link");
	if (!between || between->kind != YAML_LIST || between->n != 2 ||
	    between->items[0]->kind != YAML_SCALAR || between->items[1]->kind != YAML_SCALAR)
		yaml_fail(&w->g->rd, between ? between : map,
			  "a link is between two ends: 'between: [h1, s1]'");
	else if (w->g->rd.r == 0)
		add_ranges(w, between->items[0]->text, between->items[1]->text, between, map);
}

/* which interface */

static bool is_free(const struct node *node, const struct interface *in)
{
	(void)node;
	return in->kind == IF_CABLE && in->link == NO_INDEX;
}

static struct interface *first_free(struct reading *g, struct node *node, const struct yaml *at)
{
	char name[IF_NAMESIZE];

	for (unsigned i = 0; i <= LAB_PORTS_MAX; i++) {
		size_t at_index;

		(void)snprintf(name, sizeof(name), "eth%u", i);
		at_index = node_find_interface(node, name);
		if (at_index == NO_INDEX)
			return read_interface_named(g, node, name, at);
		if (is_free(node, &node->interfaces[at_index]))
			return &node->interfaces[at_index];
	}
	return NULL;
}

static void plug(struct wiring *w, size_t link, int side)
{
	struct reading *g = w->g;
	const struct written *end = &w->ends[link * 2 + (size_t)side];
	struct node *node = &g->t->nodes[end->node];
	size_t i = node_find_interface(node, end->interface);
	struct interface *in =
		end->interface[0] ? &node->interfaces[i] : first_free(g, node, end->at);

	if (!in)
		return;
	if (!is_free(node, in)) {
		yaml_fail(&g->rd, end->at,
			  "%s:%s has a cable in it already, or is none to plug one into",
			  node->name, in->name);
		return;
	}
	in->link = link;
	g->t->links[link].ends[side] =
		(struct link_end) { .node = end->node,
				    .interface = (size_t)(in - node->interfaces) };
}

/* what the cable is like */

static uint32_t read_time(struct reading *g, const struct yaml *map, const char *key)
{
	static const struct {
		const char *unit;
		unsigned us;
	} units[] = { { "us", 1 }, { "ms", 1000 }, { "s", 1000000 } };
	const struct yaml *y = yaml_get(map, key);
	const char *text = yaml_text(&g->rd, y, key);
	size_t digits = text ? strspn(text, "0123456789.") : 0;
	autofree char *number = text ? xstrndup(text, digits) : NULL;
	uint64_t value;

	if (!text)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strcmp(text + digits, units[i].unit) == 0 &&
		    number_parse_fixed(number, 3, &value) == 0 &&
		    value <= DELAY_MAX_US * 1000 / units[i].us)
			return (uint32_t)(value * units[i].us / 1000);
	yaml_fail(&g->rd, y, "%s is a time such as 5ms or 200us, at most 60s, not '%.40s'", key,
		  text);
	return 0;
}

static uint32_t read_loss(struct reading *g, const struct yaml *map)
{
	const struct yaml *y = yaml_get(map, "loss");
	const char *text = yaml_text(&g->rd, y, "loss");
	size_t digits = text ? strspn(text, "0123456789.") : 0;
	autofree char *number = text ? xstrndup(text, digits) : NULL;
	uint64_t ppm = 0;

	if (text && (strcmp(text + digits, "%") != 0 || number_parse_fixed(number, 4, &ppm) < 0 ||
		     ppm > 1000000))
		yaml_fail(&g->rd, y, "loss is a part such as 1%% or 0.5%%, not '%.40s'", text);
	return (uint32_t)ppm;
}

static uint64_t read_rate(struct reading *g, const struct yaml *map)
{
	static const struct {
		const char *unit;
		uint64_t factor;
	} units[] = { { "bit", 1 }, { "kbit", 1000 }, { "mbit", 1000000 }, { "gbit", 1000000000 } };
	const struct yaml *y = yaml_get(map, "rate");
	const char *text = yaml_text(&g->rd, y, "rate");
	size_t digits = text ? strspn(text, "0123456789") : 0;
	autofree char *number = text ? xstrndup(text, digits) : NULL;
	uint64_t value;

	if (!text)
		return 0;
	for (size_t i = 0; i < ARRAY_SIZE(units); i++)
		if (strcasecmp(text + digits, units[i].unit) == 0 &&
		    number_parse(number, 1000000, &value) == 0 && value * units[i].factor >= 8000)
			return value * units[i].factor;
	yaml_fail(&g->rd, y,
		  "rate is bits a second such as 10mbit or 64kbit, at least 8kbit, not '%.40s'",
		  text);
	return 0;
}

static void read_macs(struct reading *g, const struct lab_link *link, const struct yaml *list)
{
	if (!list)
		return;
	if (list->kind != YAML_LIST || list->n != 2) {
		yaml_fail(&g->rd, list, "mac is two addresses here, in the order of 'between'");
		return;
	}
	for (size_t i = 0; i < 2; i++)
		read_mac(g, list->items[i],
			 g->t->nodes[link->ends[i].node].interfaces[link->ends[i].interface].mac);
}

static void read_cable(struct reading *g, struct lab_link *link, const struct yaml *map)
{
	bool is_port[2];

	link->mtu = (unsigned)yaml_number(&g->rd, yaml_get(map, "mtu"), "mtu", MTU_MIN, MTU_MAX, 0);
	link->impair.delay_us = read_time(g, map, "delay");
	link->impair.jitter_us = read_time(g, map, "jitter");
	link->impair.loss_ppm = read_loss(g, map);
	link->impair.rate_bps = read_rate(g, map);
	link->down = yaml_bool(&g->rd, yaml_get(map, "down"), "down", false);
	if (link->impair.jitter_us > link->impair.delay_us)
		yaml_fail(&g->rd, yaml_get(map, "jitter"),
			  "jitter is what a delay varies by, and no more than it");
	read_macs(g, link, yaml_get(map, "mac"));
	for (size_t i = 0; i < 2; i++) {
		struct node *node = &g->t->nodes[link->ends[i].node];

		is_port[i] = node->kind == NODE_SWITCH;
		if (is_port[i])
			read_port(g, &node->interfaces[link->ends[i].interface], map);
	}
	if (!is_port[0] && !is_port[1] && (yaml_get(map, "vlan") || yaml_get(map, "trunk")))
		yaml_fail(&g->rd, map,
			  "vlan and trunk are for ports of a switch; neither end is one");
}

static void set_mtus(struct topology *t, const struct lab_link *link)
{
	for (size_t i = 0; link->mtu && i < 2; i++) {
		struct interface *in =
			&t->nodes[link->ends[i].node].interfaces[link->ends[i].interface];

		in->mtu = in->mtu ? in->mtu : link->mtu;
	}
}

void read_links(struct reading *g, const struct yaml *list)
{
	struct wiring w = { .g = g };

	for (size_t i = 0; g->rd.r == 0 && i < yaml_count(&g->rd, list, "links"); i++) {
		const struct yaml *y = yaml_item(list, i);

		if (y->kind == YAML_SCALAR)
			add_short(&w, y);
		else
			add_mapping(&w, y);
	}
	for (int named = 1; named >= 0; named--)
		for (size_t i = 0; g->rd.r == 0 && i < w.n_ends; i++)
			if (!!w.ends[i].interface[0] == named)
				plug(&w, i / 2, (int)(i % 2));
	for (size_t i = 0; g->rd.r == 0 && i < w.n_ends / 2; i++) {
		if (w.ends[i * 2].map)
			read_cable(g, &g->t->links[i], w.ends[i * 2].map);
		set_mtus(g->t, &g->t->links[i]);
	}
	free(w.ends);
}
