/* src/lab/topology.c - looking things up in a topology, by the names that people type. */
#include "lab/topology.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/nearest.h"
#include "lab/yaml.h"

const char *node_kind_name(enum node_kind kind)
{
	static const char *const names[] = { "host", "hub", "switch", "router", "container" };

	return names[kind];
}

static void node_done(struct node *n)
{
	for (size_t i = 0; i < n->n_interfaces; i++) {
		free(n->interfaces[i].addresses);
		free(n->interfaces[i].trunk);
		free(n->interfaces[i].proxied);
		free(n->interfaces[i].vxlan.remotes);
	}
	free(n->interfaces);
	free(n->routes);
	free(n->nat);
	free(n->publish);
	for (size_t i = 0; i < n->n_records; i++)
		free(n->records[i].name);
	free(n->records);
	free(n->resolvers);
	free(n->image);
	free(n->directory);
	free(n->bare);
	strv_done(&n->run);
	strv_done(&n->command);
}

void topology_free(struct topology *t)
{
	if (!t)
		return;
	for (size_t i = 0; i < t->n_nodes; i++)
		node_done(&t->nodes[i]);
	free(t->nodes);
	free(t->links);
	free(t->checks);
	free(t->what);
	free(t->description);
	yaml_free(t->document);
	free(t);
}

size_t topology_find_node(const struct topology *t, const char *name)
{
	for (size_t i = 0; i < t->n_nodes; i++)
		if (strcmp(t->nodes[i].name, name) == 0)
			return i;
	return NO_INDEX;
}

size_t node_find_interface(const struct node *n, const char *name)
{
	for (size_t i = 0; i < n->n_interfaces; i++)
		if (strcmp(n->interfaces[i].name, name) == 0)
			return i;
	return NO_INDEX;
}

static int no_node(const struct topology *t, const char *name, struct error *err)
{
	struct nearest near = nearest_init(name);

	for (size_t i = 0; i < t->n_nodes; i++)
		nearest_try(&near, t->nodes[i].name);
	return error_set(err, -ENOENT, "lab %s has no node '%.70s'%s%s%s", t->name, name,
			 near.best ? "; did you mean '" : "", near.best ? near.best : "",
			 near.best ? "'?" : "");
}

int topology_need_node(const struct topology *t, const char *name, size_t *ret, struct error *err)
{
	size_t i = topology_find_node(t, name);

	if (i == NO_INDEX)
		return no_node(t, name, err);
	*ret = i;
	return 0;
}

static int no_interface(const struct node *n, const char *name, struct error *err)
{
	char list[200] = "";
	size_t len = 0;

	for (size_t i = 0; i < n->n_interfaces && len < sizeof(list) - IF_NAMESIZE - 2; i++)
		len += (size_t)snprintf(list + len, sizeof(list) - len, "%s%s", i ? ", " : "",
					n->interfaces[i].name);
	return error_set(err, -ENOENT, "%s %s has no interface '%.20s'; it has %s",
			 node_kind_name(n->kind), n->name, name, len ? list : "none");
}

/* The one that somebody means who says no more than the node: its bridge, or its only cable. */
static int sole_interface(const struct node *n, size_t *ret, struct error *err)
{
	size_t cables = 0, last = NO_INDEX;

	if (node_is_bridge(n)) {
		*ret = node_find_interface(n, BRIDGE_NAME);
		return 0;
	}
	for (size_t i = 0; i < n->n_interfaces; i++) {
		if (n->interfaces[i].kind != IF_CABLE)
			continue;
		cables++;
		last = i;
	}
	if (cables == 0)
		return error_set(err, -ENOENT, "%s has no interface with a link", n->name);
	if (cables > 1)
		return error_set(err, -EINVAL, "%s has %zu interfaces; say which, such as %s:%s",
				 n->name, cables, n->name, n->interfaces[last].name);
	*ret = last;
	return 0;
}

int topology_find_end(const struct topology *t, const char *text, struct link_end *ret,
		      struct error *err)
{
	const char *colon = strchr(text, ':');
	autofree char *name = colon ? xstrndup(text, (size_t)(colon - text)) : xstrdup(text);
	struct link_end end = { .node = topology_find_node(t, name) };
	int r = 0;

	if (end.node == NO_INDEX)
		return no_node(t, name, err);
	if (colon) {
		end.interface = node_find_interface(&t->nodes[end.node], colon + 1);
		if (end.interface == NO_INDEX)
			return no_interface(&t->nodes[end.node], colon + 1, err);
	} else {
		r = sole_interface(&t->nodes[end.node], &end.interface, err);
	}
	if (r == 0)
		*ret = end;
	return r;
}

static bool end_is(const struct topology *t, const struct link_end *end, const char *text)
{
	const char *colon = strchr(text, ':');
	size_t len = colon ? (size_t)(colon - text) : strlen(text);
	const char *name = t->nodes[end->node].name;

	return strlen(name) == len && memcmp(name, text, len) == 0 &&
	       (!colon || strcmp(link_end_interface(t, end)->name, colon + 1) == 0);
}

int topology_find_link(const struct topology *t, const char *a, const char *b, size_t *ret,
		       struct error *err)
{
	const char *const names[] = { a, b };
	size_t found = NO_INDEX, n = 0;
	char first[LINK_END_LEN], second[LINK_END_LEN];

	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		autofree char *name = xstrndup(names[i], strcspn(names[i], ":"));

		if (topology_find_node(t, name) == NO_INDEX)
			return no_node(t, name, err);
	}
	for (size_t i = 0; i < t->n_links; i++) {
		const struct link_end *ends = t->links[i].ends;

		if (!(end_is(t, &ends[0], a) && end_is(t, &ends[1], b)) &&
		    !(end_is(t, &ends[0], b) && end_is(t, &ends[1], a)))
			continue;
		found = i;
		n++;
	}
	if (n == 0)
		return error_set(err, -ENOENT, "no link joins %s and %s in lab %s", a, b, t->name);
	link_end_format(t, &t->links[found].ends[0], first);
	link_end_format(t, &t->links[found].ends[1], second);
	if (n > 1)
		return error_set(err, -EINVAL, "%zu links join %s and %s; say which, such as %s %s",
				 n, a, b, first, second);
	*ret = found;
	return 0;
}

void link_end_format(const struct topology *t, const struct link_end *end, char ret[LINK_END_LEN])
{
	(void)snprintf(ret, LINK_END_LEN, "%s:%s", t->nodes[end->node].name,
		       link_end_interface(t, end)->name);
}
