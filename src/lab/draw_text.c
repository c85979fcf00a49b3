/* src/lab/draw_text.c - the same picture as a tree for a terminal. */
#include <string.h>

#include "base/alloc.h"
#include "lab/domains.h"
#include "lab/draw.h"

/* Numbers of the domains on a cable, in their colours: "[1]", "[1 2]"; "[-]": nothing is heard. */
static void put_domains(const struct layout *l, size_t link, bool colours, FILE *to)
{
	static const int codes[] = { 36, 33, 35, 32, 34, 31 };
	size_t domains[DRAW_DOMAINS_MAX], n = link_domains(l, link, domains);

	if (!l->domains)
		return;
	(void)fputs(n ? " [" : " [-", to);
	for (size_t i = 0; i < n; i++) {
		if (colours)
			(void)fprintf(to, "%s\033[%dm%zu\033[0m", i ? " " : "",
				      codes[domains[i] % ARRAY_SIZE(codes)], domains[i] + 1);
		else
			(void)fprintf(to, "%s%zu", i ? " " : "", domains[i] + 1);
	}
	(void)fputc(']', to);
}

static void put_node(const struct layout *l, const struct box *b, FILE *to)
{
	const struct node *n = &l->t->nodes[b->node];

	(void)fprintf(to, "%s (%s)", n->name, node_kind_name(n->kind));
	for (size_t i = 0; i < n->n_interfaces; i++)
		for (size_t k = 0; k < n->interfaces[i].n_addresses; k++) {
			char text[IP_NET_TEXT_LEN];

			ip_net_format(&n->interfaces[i].addresses[k], text);
			(void)fprintf(to, "  %s %s", n->interfaces[i].name, text);
		}
	(void)fputc('\n', to);
}

static bool has_later_sibling(const struct layout *l, size_t box)
{
	for (size_t i = box + 1; i < l->t->n_nodes; i++)
		if (l->boxes[i].up == l->boxes[box].up)
			return true;
	return false;
}

static void put_branch(const struct layout *l, size_t box, FILE *to)
{
	size_t path[LAB_NODES_MAX], n = 0;

	for (size_t at = box; l->boxes[at].up != NO_INDEX; at = l->boxes[at].up)
		path[n++] = at;
	while (n-- > 1)
		(void)fputs(has_later_sibling(l, path[n]) ? "│   " : "    ", to);
	(void)fputs(has_later_sibling(l, box) ? "├─ " : "└─ ", to);
}

static const char *end_name(const struct layout *l, size_t link, size_t node)
{
	const struct link_end *ends = l->t->links[link].ends;

	return link_end_interface(l->t, &ends[ends[0].node != node])->name;
}

static bool is_in_tree(const struct layout *l, size_t link)
{
	for (size_t i = 0; i < l->t->n_nodes; i++)
		if (l->boxes[i].up != NO_INDEX && l->boxes[i].up_link == link)
			return true;
	return false;
}

void draw_text(const struct layout *l, bool with_colours, FILE *to)
{
	for (size_t i = 0; i < l->t->n_nodes; i++) {
		const struct box *b = &l->boxes[i];

		if (b->up != NO_INDEX) {
			put_branch(l, i, to);
			(void)fprintf(to, "%s", end_name(l, b->up_link, l->boxes[b->up].node));
			put_domains(l, b->up_link, with_colours, to);
			(void)fprintf(to, " %s ", end_name(l, b->up_link, b->node));
		}
		put_node(l, b, to);
	}
	for (size_t i = 0; i < l->t->n_links; i++) {
		char a[LINK_END_LEN], b[LINK_END_LEN];

		if (is_in_tree(l, i))
			continue;
		link_end_format(l->t, &l->t->links[i].ends[0], a);
		link_end_format(l->t, &l->t->links[i].ends[1], b);
		(void)fprintf(to, "and %s", a);
		put_domains(l, i, with_colours, to);
		(void)fprintf(to, " %s\n", b);
	}
	for (size_t i = 0; l->domains && i < l->domains->n_broadcast; i++) {
		(void)fprintf(to, "[%zu]", i + 1);
		for (size_t k = 0; k < l->domains->n; k++) {
			char name[LINK_END_LEN];

			if (l->domains->points[k].broadcast != i)
				continue;
			link_end_format(l->t, &l->domains->points[k].at, name);
			(void)fprintf(to, " %s", name);
		}
		(void)fputs(" hear each other\n", to);
	}
}
