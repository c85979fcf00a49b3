/* src/lab/read_check.c - a lab's file: its checks, as far as they can be judged without the lab.
 *
 * What only a lab that is up can say (whether a node has an address by now, whether a port is an
 * end of Ethernet) is found out when the check is run.
 */
#include <string.h>

#include "lab/read.h"
#include "lab/verdict.h"

static void need_node(struct reading *g, const struct yaml *y)
{
	const char *text = yaml_text(&g->rd, y, "a node");
	struct error err = { 0 };
	size_t node;

	if (text && topology_need_node(g->t, text, &node, &err) < 0)
		yaml_fail(&g->rd, y, "%s", err.text);
}

static void need_end(struct reading *g, const struct yaml *y)
{
	const char *text = yaml_text(&g->rd, y, "an interface");
	struct error err = { 0 };
	struct link_end end;

	if (text && topology_find_end(g->t, text, &end, &err) < 0)
		yaml_fail(&g->rd, y, "%s", err.text);
}

static void need_ends(struct reading *g, const struct yaml *list, const char *name)
{
	for (size_t i = 0; i < yaml_count(&g->rd, list, name); i++)
		need_end(g, yaml_item(list, i));
}

static void need_address(struct reading *g, const struct yaml *y, const char *name)
{
	struct ip ip;

	if (y)
		read_ip(g, y, name, &ip);
}

static void need_cause(struct reading *g, const struct yaml *y)
{
	const char *text = yaml_text(&g->rd, y, "because"), *near = NULL;

	if (text && !cause_is_name(text, &near))
		yaml_fail(&g->rd, y, "because: there is no reason '%.40s'%s%s%s", text,
			  near ? "; did you mean '" : "", near ? near : "", near ? "'?" : "");
}

/* kinds */

static void read_nodes_of(struct reading *g, const struct lab_check *check)
{
	const struct yaml *list = check->arguments;
	size_t n = yaml_count(&g->rd, list, check->kind);

	if (n < 2)
		yaml_fail(&g->rd, list, "%s takes two nodes or more", check->kind);
	for (size_t i = 0; i < n; i++)
		need_node(g, yaml_item(list, i));
}

static void read_reach(struct reading *g, const struct lab_check *check)
{
	read_nodes_of(g, check);
	(void)yaml_number(&g->rd, yaml_get(check->map, "port"), "port", 1, UINT16_MAX, 0);
	(void)yaml_number(&g->rd, yaml_get(check->map, "ttl"), "ttl", 1, UINT8_MAX, 0);
	need_address(g, yaml_get(check->map, "address"), "address");
	need_cause(g, yaml_get(check->map, "because"));
}

/* A node, and another or an address. */
static void read_pair(struct reading *g, const struct lab_check *check)
{
	const struct yaml *list = check->arguments;
	struct ip ip;

	if (yaml_count(&g->rd, list, check->kind) != 2) {
		yaml_fail(&g->rd, list, "%s takes two nodes, such as [h1, h2]", check->kind);
		return;
	}
	need_node(g, yaml_item(list, 0));
	if (!yaml_item(list, 1)->text || ip_parse(yaml_item(list, 1)->text, &ip) < 0)
		need_node(g, yaml_item(list, 1));
}

static void read_same_domain(struct reading *g, const struct lab_check *check)
{
	need_ends(g, check->arguments, check->kind);
}

static void read_domains(struct reading *g, const struct lab_check *check)
{
	const struct yaml *what = check->arguments;

	if (what->kind != YAML_LIST)
		(void)yaml_number(&g->rd, what, "domains", 0, LAB_NODES_MAX, 0);
	for (size_t i = 0; what->kind == YAML_LIST && i < what->n; i++)
		need_ends(g, what->items[i], "a domain");
}

static void read_arp(struct reading *g, const struct lab_check *check)
{
	const struct yaml *by = yaml_get(check->map, "answered-by");

	read_pair(g, check);
	if (!by)
		yaml_fail(&g->rd, check->map, "arp wants answered-by beside it");
	/* A node, by whichever interface, or one of them. */
	if (by && by->text && !strchr(by->text, ':'))
		need_node(g, by);
	else
		need_end(g, by);
}

static void read_mtu(struct reading *g, const struct lab_check *check)
{
	const struct yaml *is = yaml_get(check->map, "is");
	const struct yaml *at_least = yaml_get(check->map, "at-least");

	read_pair(g, check);
	(void)yaml_number(&g->rd, is, "is", CHECK_MTU_MIN, CHECK_MTU_MAX, 0);
	(void)yaml_number(&g->rd, at_least, "at-least", CHECK_MTU_MIN, CHECK_MTU_MAX, 0);
	if (!is && !at_least)
		yaml_fail(&g->rd, check->map, "mtu wants 'is: BYTES' or 'at-least: BYTES'");
}

static void read_nat(struct reading *g, const struct lab_check *check)
{
	const struct yaml *source = yaml_get(check->map, "source");

	read_pair(g, check);
	if (!source)
		yaml_fail(&g->rd, check->map, "nat wants 'source: ADDRESS' beside it");
	need_address(g, source, "source");
}

static void read_fdb(struct reading *g, const struct lab_check *check)
{
	const struct yaml *learned = yaml_get(check->map, "learned");
	const struct yaml *knows = yaml_get(check->map, "knows");

	need_node(g, check->arguments);
	(void)yaml_number(&g->rd, learned, "learned", 0, UINT32_MAX, 0);
	if (!learned && !knows)
		yaml_fail(&g->rd, check->map,
			  "fdb wants 'learned: NUMBER' or 'knows: {h1: eth0}' beside it");
	if (knows && knows->kind != YAML_MAP)
		yaml_fail(&g->rd, knows, "knows is a map such as {h1: eth0}");
	for (size_t i = 0; g->rd.r == 0 && knows && i < knows->n; i++) {
		need_end(g, knows->keys[i]);
		(void)yaml_text(&g->rd, knows->items[i], "a port");
	}
}

static void read_resolve(struct reading *g, const struct lab_check *check)
{
	const struct yaml *list = check->arguments, *is = yaml_get(check->map, "is");
	const char *name;

	if (yaml_count(&g->rd, list, check->kind) != 2) {
		yaml_fail(&g->rd, list, "resolve takes a node and a name, such as [h1, www]");
		return;
	}
	need_node(g, yaml_item(list, 0));
	name = yaml_text(&g->rd, yaml_item(list, 1), "a name");
	if (name && !name[0])
		yaml_fail(&g->rd, yaml_item(list, 1), "an empty name");
	for (size_t i = 0; i < yaml_count(&g->rd, is, "is"); i++)
		need_address(g, yaml_item(is, i), "is");
	need_cause(g, yaml_get(check->map, "because"));
}

static const struct {
	const char *kind;
	void (*read)(struct reading *g, const struct lab_check *check);
	const char *keys[6];
} kinds[] = {
	{ "reach", read_reach, { "reach", "port", "address", "ttl", NULL } },
	{ "no-reach", read_reach, { "no-reach", "port", "address", "because", NULL } },
	{ "same-domain", read_same_domain, { "same-domain", NULL } },
	{ "domains", read_domains, { "domains", NULL } },
	{ "path", read_nodes_of, { "path", NULL } },
	{ "arp", read_arp, { "arp", "answered-by", NULL } },
	{ "mtu", read_mtu, { "mtu", "is", "at-least", NULL } },
	{ "nat", read_nat, { "nat", "source", NULL } },
	{ "fdb", read_fdb, { "fdb", "learned", "knows", NULL } },
	{ "resolve", read_resolve, { "resolve", "is", "because", NULL } },
};

/* The first key is the kind; others may stand beside it. */
void read_check(struct reading *g, const struct yaml *y)
{
	struct lab_check *check;
	const char *names[ARRAY_SIZE(kinds) + 1] = { NULL };

	if (y->kind != YAML_MAP || y->n == 0) {
		yaml_fail(&g->rd, y, "a check is a map such as 'reach: [h1, h2]'");
		return;
	}
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		names[i] = kinds[i].kind;
		if (strcmp(kinds[i].kind, y->keys[0]->text) != 0)
			continue;
		check = VEC_ADD(g->t->checks, g->t->n_checks);
		check->kind = kinds[i].kind;
		check->arguments = y->items[0];
		check->map = y;
		yaml_check_keys(&g->rd, y, kinds[i].keys, check->kind);
		if (g->rd.r == 0)
			kinds[i].read(g, check);
		return;
	}
	yaml_check_keys(&g->rd, y, names, "a check");
	yaml_fail(&g->rd, y, "'%.40s' is not what a check begins with", y->keys[0]->text);
}
