/* src/lab/draw.c - the sheet, in pixels; text is set in a font of fixed width. */
#include "lab/draw.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "lab/domains.h"

#define GLYPH        7.3
#define ROW          17
#define HEAD         24
#define PAD          8
#define PORT         15 /* from one cable to the next */
#define MARGIN       28
#define GAP_Y        18
#define GAP_X        150 /* for names of interfaces at both ends of a cable */
#define LEGEND_Y     20
#define BOX_MIN      96
#define BEND         90 /* of a cable that is not in the tree */
#define IP_NET_LABEL 18 /* glyphs of a subnet beside its outline */

static const char *const inks[] = { "#0b7285", "#c2410c", "#6d3fb0", "#2b8a3e", "#1c5fb8",
				    "#b02a4c", "#8a6d00", "#0f766e", "#9d174d", "#4b5563" };

const char *draw_ink(size_t domain)
{
	return domain == NO_INDEX ? "#868e96" : inks[domain % ARRAY_SIZE(inks)];
}

/* the tree */

static size_t degree(const struct topology *t, size_t node)
{
	size_t n = 0;

	for (size_t i = 0; i < t->nodes[node].n_interfaces; i++)
		n += t->nodes[node].interfaces[i].link != NO_INDEX &&
		     t->nodes[node].interfaces[i].kind == IF_CABLE;
	return n;
}

static unsigned rank(const struct topology *t, size_t node)
{
	switch (t->nodes[node].kind) {
	case NODE_ROUTER:
		return 2;
	case NODE_SWITCH:
	case NODE_HUB:
		return 1;
	case NODE_HOST:
	case NODE_CONTAINER:
		return 0;
	}
	return 0;
}

/* Farthest from it: the middle of a lab is where this is least. */
static size_t reach_of(const struct topology *t, size_t start)
{
	autofree size_t *far = xcalloc(t->n_nodes, sizeof(*far));
	autofree size_t *queue = xcalloc(t->n_nodes, sizeof(*queue));
	size_t head = 0, tail = 0, most = 0;

	queue[tail++] = start;
	far[start] = 1;
	while (head < tail) {
		size_t node = queue[head++];

		most = MAX(most, far[node]);
		for (size_t i = 0; i < t->n_links; i++)
			for (size_t e = 0; e < 2; e++) {
				size_t other = t->links[i].ends[!e].node;

				if (t->links[i].ends[e].node != node || far[other])
					continue;
				far[other] = far[node] + 1;
				queue[tail++] = other;
			}
	}
	return most;
}

static size_t root_of(const struct topology *t, const bool *placed)
{
	size_t best = NO_INDEX, best_reach = 0;

	for (size_t i = 0; i < t->n_nodes; i++) {
		size_t reach;

		if (placed[i])
			continue;
		reach = reach_of(t, i);
		if (best == NO_INDEX || rank(t, i) > rank(t, best) ||
		    (rank(t, i) == rank(t, best) &&
		     (reach < best_reach ||
		      (reach == best_reach && degree(t, i) > degree(t, best))))) {
			best = i;
			best_reach = reach;
		}
	}
	return best;
}

/* Each node hangs on the one from which a walk in breadth came to it first. */
static void hang(const struct topology *t, size_t root, struct box *found, bool *placed)
{
	autofree size_t *queue = xcalloc(t->n_nodes, sizeof(*queue));
	size_t head = 0, tail = 0;

	queue[tail++] = root;
	placed[root] = true;
	found[root] = (struct box) { .node = root, .up = NO_INDEX, .up_link = NO_INDEX };
	while (head < tail) {
		size_t node = queue[head++];

		for (size_t i = 0; i < t->n_links; i++)
			for (size_t e = 0; e < 2; e++) {
				size_t other = t->links[i].ends[!e].node;

				if (t->links[i].ends[e].node != node || placed[other])
					continue;
				placed[other] = true;
				found[other] = (struct box) { .node = other,
							      .up = node,
							      .up_link = i,
							      .depth = found[node].depth + 1 };
				queue[tail++] = other;
			}
	}
}

/* Down the tree, each before its own: without recursion, with a stack. */
static void order(struct layout *l, const struct box *found, size_t root, size_t *n)
{
	const struct topology *t = l->t;
	autofree size_t *stack = xcalloc(t->n_nodes + 1, sizeof(*stack));
	size_t depth = 0;

	stack[depth++] = root;
	while (depth > 0) {
		size_t node = stack[--depth];

		l->of_node[node] = *n;
		l->boxes[*n] = found[node];
		if (found[node].up != NO_INDEX)
			l->boxes[*n].up = l->of_node[found[node].up];
		(*n)++;
		for (size_t i = t->n_links; i-- > 0;)
			for (size_t e = 0; e < 2; e++) {
				size_t other = t->links[i].ends[!e].node;

				if (t->links[i].ends[e].node == node && found[other].up == node &&
				    found[other].up_link == i && other != node)
					stack[depth++] = other;
			}
	}
}

/* sizes */

static char *interface_text(const struct interface *i, size_t address)
{
	char text[IP_NET_TEXT_LEN] = "";

	if (address < i->n_addresses)
		ip_net_format(&i->addresses[address], text);
	if (i->kind == IF_VXLAN && i->n_addresses == 0)
		return xasprintf("%s VNI %u", i->name, i->vxlan.vni);
	return xasprintf("%s %s", address == 0 ? i->name : "", text);
}

static bool is_shown(const struct interface *i)
{
	return i->n_addresses > 0 || i->kind == IF_VXLAN;
}

static void measure(const struct topology *t, struct box *b)
{
	const struct node *n = &t->nodes[b->node];
	size_t longest = strlen(n->name) + strlen(node_kind_name(n->kind)) + 4, rows = 0;

	for (size_t i = 0; i < n->n_interfaces; i++) {
		if (!is_shown(&n->interfaces[i]))
			continue;
		for (size_t k = 0; k < MAX(n->interfaces[i].n_addresses, (size_t)1); k++) {
			autofree char *text = interface_text(&n->interfaces[i], k);

			longest = MAX(longest, strlen(text) + 2);
			rows++;
		}
	}
	b->width = MAX((int)((double)longest * GLYPH) + 2 * PAD, BOX_MIN);
	b->height = HEAD + (int)rows * ROW + (rows ? PAD : 0);
}

static bool is_tree_link(const struct layout *l, size_t link)
{
	const struct lab_link *w = &l->t->links[link];

	return l->boxes[l->of_node[w->ends[0].node]].up_link == link ||
	       l->boxes[l->of_node[w->ends[1].node]].up_link == link;
}

/* Cables leave a box side by side on its right: to what hangs on it, then those that are not in the
 * tree.  Returns how many; ret is the place of one, from 0.
 */
static size_t slot_of(const struct layout *l, size_t box, size_t link, size_t *ret)
{
	size_t n = 0;

	for (size_t i = 0; i < l->t->n_nodes; i++)
		if (l->boxes[i].up == box) {
			if (l->boxes[i].up_link == link)
				*ret = n;
			n++;
		}
	for (size_t i = 0; i < l->t->n_links; i++) {
		const struct link_end *ends = l->t->links[i].ends;

		if (is_tree_link(l, i) ||
		    (l->of_node[ends[0].node] != box && l->of_node[ends[1].node] != box))
			continue;
		if (i == link)
			*ret = n;
		n++;
	}
	return n;
}

static size_t slots_of(const struct layout *l, size_t box)
{
	size_t unused = 0;

	return slot_of(l, box, NO_INDEX, &unused);
}

static int slot_y(const struct layout *l, size_t box, size_t link)
{
	size_t slot = 0, n = slot_of(l, box, link, &slot);

	return l->boxes[box].y + (int)((slot + 1) * (size_t)l->boxes[box].height / (n + 1));
}

/* Columns as wide as their widest box; leaves one below the other, the rest beside the middle of
 * what hangs on it.
 */
static void place(struct layout *l)
{
	size_t n = l->t->n_nodes;
	autofree int *widths = xcalloc(n + 1, sizeof(*widths));
	autofree int *bottoms = xcalloc(n + 1, sizeof(*bottoms));
	int y = MARGIN + GAP_Y;

	for (size_t i = 0; i < n; i++) {
		size_t below = 0;

		measure(l->t, &l->boxes[i]);
		below = slots_of(l, i);
		l->boxes[i].height = MAX(l->boxes[i].height, (int)(below + 1) * PORT);
		widths[l->boxes[i].depth] = MAX(widths[l->boxes[i].depth], l->boxes[i].width);
	}
	for (size_t i = 0; i < n; i++) {
		int x = MARGIN;

		for (unsigned d = 0; d < l->boxes[i].depth; d++)
			x += widths[d] + GAP_X;
		l->boxes[i].x = x;
	}
	for (size_t i = 0; i < n; i++) {
		bool leaf = i + 1 == n || l->boxes[i + 1].up != i;

		if (!leaf)
			continue;
		l->boxes[i].y = y;
		y += l->boxes[i].height + GAP_Y;
	}
	for (size_t i = n; i-- > 0;) {
		struct box *b = &l->boxes[i];
		int first = -1, last = 0;

		for (size_t k = i + 1; k < n; k++)
			if (l->boxes[k].up == i) {
				first = first < 0 ? l->boxes[k].y : first;
				last = l->boxes[k].y + l->boxes[k].height;
			}
		if (first >= 0)
			b->y = MAX((first + last - b->height) / 2, MARGIN + GAP_Y);
	}
	/* A tall one with few below it would lie over its neighbour in the column. */
	for (size_t i = 0; i < n; i++) {
		struct box *b = &l->boxes[i];

		if (bottoms[b->depth] && b->y < bottoms[b->depth] + GAP_Y)
			b->y = bottoms[b->depth] + GAP_Y;
		bottoms[b->depth] = b->y + b->height;
		l->height = MAX(l->height, b->y + b->height);
		l->width = MAX(l->width, b->x + b->width);
	}
	l->width += MARGIN + (int)(IP_NET_LABEL * GLYPH);
	l->height += MARGIN;
}

void layout_make(const struct topology *t, const struct domains *domains, struct layout *ret)
{
	struct layout l = { .t = t, .domains = domains };
	autofree struct box *found = xcalloc(t->n_nodes + 1, sizeof(*found));
	autofree bool *placed = xcalloc(t->n_nodes + 1, sizeof(*placed));
	size_t n = 0, root;

	l.boxes = xcalloc(t->n_nodes + 1, sizeof(*l.boxes));
	l.of_node = xcalloc(t->n_nodes + 1, sizeof(*l.of_node));
	while ((root = root_of(t, placed)) != NO_INDEX) {
		hang(t, root, found, placed);
		order(&l, found, root, &n);
	}
	place(&l);
	*ret = l;
}

void layout_done(struct layout *l)
{
	free(l->boxes);
	free(l->of_node);
}

/* colours */

size_t link_domains(const struct layout *l, size_t link, size_t ret[DRAW_DOMAINS_MAX])
{
	const struct domains *d = l->domains;
	size_t n = 0;

	for (size_t i = 0; d && i < d->n; i++) {
		const struct link_end *ends = l->t->links[link].ends;
		bool known = false, seen = domains_seen(d, i, &ends[0], false) ||
					   domains_seen(d, i, &ends[1], false);

		for (size_t k = 0; k < n; k++)
			known = known || ret[k] == d->points[i].broadcast;
		if (seen && !known && d->points[i].broadcast != NO_INDEX && n < DRAW_DOMAINS_MAX)
			ret[n++] = d->points[i].broadcast;
	}
	return n;
}

struct wire_line layout_line(const struct layout *l, size_t link)
{
	const struct lab_link *w = &l->t->links[link];
	size_t at[2] = { l->of_node[w->ends[0].node], l->of_node[w->ends[1].node] };
	const struct box *a = &l->boxes[at[0]], *b = &l->boxes[at[1]];

	int left = a->x + a->width, right = b->x + b->width, half;

	if (!is_tree_link(l, link))
		return (struct wire_line) { left,        slot_y(l, at[0], link),
					    right,       slot_y(l, at[1], link),
					    left + BEND, right + BEND };
	/* From the right of one to the left of what hangs on it. */
	if (b->up_link == link) {
		half = (left + b->x) / 2;
		return (struct wire_line) { left, slot_y(l, at[0], link),
					    b->x, b->y + b->height / 2,
					    half, half };
	}
	half = (a->x + right) / 2;
	return (struct wire_line) { a->x, a->y + a->height / 2, right, slot_y(l, at[1], link), half,
				    half };
}

/* SVG */

void draw_escaped(FILE *to, const char *s)
{
	for (; *s; s++)
		switch (*s) {
		case '&':
			(void)fputs("&amp;", to);
			break;
		case '<':
			(void)fputs("&lt;", to);
			break;
		case '>':
			(void)fputs("&gt;", to);
			break;
		case '"':
			(void)fputs("&quot;", to);
			break;
		default:
			(void)fputc((unsigned char)*s < ' ' ? '?' : *s, to);
		}
}

static void put_text(FILE *to, int x, int y, const char *class, const char *text)
{
	(void)fprintf(to, "<text x=\"%d\" y=\"%d\" class=\"%s\">", x, y, class);
	draw_escaped(to, text);
	(void)fputs("</text>\n", to);
}

static void put_curve(FILE *to, const struct wire_line *w, int shift, const char *style)
{
	(void)fprintf(to, "<path d=\"M%d %dC%d %d %d %d %d %d\" fill=\"none\" %s/>\n", w->x1,
		      w->y1 + shift, w->c1, w->y1 + shift, w->c2, w->y2 + shift, w->x2,
		      w->y2 + shift, style);
}

static bool is_collision(const struct layout *l, size_t link)
{
	const struct lab_link *w = &l->t->links[link];

	return l->t->nodes[w->ends[0].node].kind == NODE_HUB ||
	       l->t->nodes[w->ends[1].node].kind == NODE_HUB;
}

static char *end_text(const struct topology *t, const struct link_end *e)
{
	const struct interface *i = link_end_interface(t, e);
	struct buf text = BUF_INIT(200);

	buf_add_str(&text, i->name);
	if (node_is_bridge(&t->nodes[e->node]) && i->vlan)
		buf_addf(&text, " vlan %u", i->vlan);
	for (size_t k = 0; k < i->n_trunk; k++)
		buf_addf(&text, "%s%u", k ? "," : " trunk ", i->trunk[k]);
	if (i->isolated)
		buf_add_str(&text, " isolated");
	return buf_steal(&text);
}

/* Between bridges frames were seen to arrive at one end alone: a port there is blocked. */
static bool is_one_way(const struct layout *l, size_t link)
{
	const struct lab_link *w = &l->t->links[link];
	bool in[2] = { false, false };

	if (!node_is_bridge(&l->t->nodes[w->ends[0].node]) ||
	    !node_is_bridge(&l->t->nodes[w->ends[1].node]))
		return false;
	for (size_t i = 0; l->domains && i < l->domains->n; i++)
		for (size_t e = 0; e < 2; e++)
			in[e] = in[e] || domains_seen(l->domains, i, &w->ends[e], false);
	return in[0] != in[1];
}

static bool is_silent(const struct layout *l, size_t link)
{
	size_t unused[DRAW_DOMAINS_MAX];

	return l->domains && link_domains(l, link, unused) == 0;
}

/* How far above the middle the first of n lines of one cable is. */
static int domains_shift(size_t n)
{
	return n ? (int)(n - 1) * 2 : 0;
}

static void put_links(const struct layout *l, FILE *to)
{
	for (size_t i = 0; i < l->t->n_links; i++) {
		struct wire_line line = layout_line(l, i);
		size_t domains[DRAW_DOMAINS_MAX], n = link_domains(l, i, domains);

		if (is_collision(l, i))
			put_curve(to, &line, 0,
				  "stroke=\"#ffd43b\" stroke-width=\"16\" stroke-opacity=\"0.45\" "
				  "stroke-linecap=\"round\"");
		if (n == 0)
			put_curve(to, &line, 0,
				  "stroke=\"#868e96\" stroke-width=\"2\" stroke-dasharray=\"5 4\"");
		for (size_t k = 0; k < n; k++) {
			autofree char *style = xasprintf(
				"stroke=\"%s\" stroke-width=\"2.5\"%s", draw_ink(domains[k]),
				is_one_way(l, i) ? " stroke-dasharray=\"8 5\"" : "");

			put_curve(to, &line, (int)k * 4 - domains_shift(n), style);
		}
	}
}

/* Above its cable: a rim of the paper's colour keeps the letters free of others. */
static void put_end_name(const struct layout *l, const struct link_end *e, int x, int y,
			 bool to_the_right, FILE *to)
{
	autofree char *text = end_text(l->t, e);
	int width = (int)((double)strlen(text) * 6.1) + 4;

	put_text(to, to_the_right ? x + 7 : x - 3 - width, y - 4, "end", text);
}

static void put_end_names(const struct layout *l, FILE *to)
{
	for (size_t i = 0; i < l->t->n_links; i++) {
		const struct lab_link *w = &l->t->links[i];
		struct wire_line line = layout_line(l, i);
		const struct box *a = &l->boxes[l->of_node[w->ends[0].node]];
		const struct box *b = &l->boxes[l->of_node[w->ends[1].node]];
		size_t unused[DRAW_DOMAINS_MAX];
		int up = domains_shift(link_domains(l, i, unused));

		put_end_name(l, &w->ends[0], line.x1, line.y1 - up, line.x1 > a->x, to);
		put_end_name(l, &w->ends[1], line.x2, line.y2 - up, line.x2 > b->x, to);
	}
}

static const char *kind_fill(enum node_kind kind)
{
	static const char *const fills[] = { "#f8f9fa", "#fff3bf", "#d0ebff", "#ffe3e3",
					     "#e6fcf5" };

	return fills[kind];
}

/* A sign for each kind, 14 pixels high: a screen, a hub's star, a switch's and a router's arrows.
 */
static void put_sign(enum node_kind kind, int x, int y, FILE *to)
{
	static const char *const signs[] = {
		[NODE_HOST] = "M0 1h14v9h-14zM5 10v3h4v-3M3 13h8",
		[NODE_HUB] = "M7 7L0 2M7 7L14 2M7 7L0 12M7 7L14 12M7 7h0",
		[NODE_SWITCH] = "M0 4h13M10 1l3 3l-3 3M14 10h-13M4 7l-3 3l3 3",
		[NODE_ROUTER] =
			"M7 0v14M0 7h14M5 2l2-2l2 2M5 12l2 2l2-2M2 5l-2 2l2 2M12 5l2 2l-2 2",
		[NODE_CONTAINER] = "M0 2h14v10h-14zM4 2v10M7 2v10M10 2v10",
	};

	(void)fprintf(to,
		      "<path transform=\"translate(%d %d)\" d=\"%s\" fill=\"none\" "
		      "stroke=\"#343a40\" stroke-width=\"1.4\"/>\n",
		      x, y, signs[kind]);
}

static void put_rows(const struct layout *l, const struct box *b, FILE *to)
{
	const struct node *n = &l->t->nodes[b->node];
	int y = b->y + HEAD + ROW - 4;

	for (size_t i = 0; i < n->n_interfaces; i++) {
		size_t point = l->domains ? domains_find(l->domains, b->node, i) : NO_INDEX;
		size_t domain = point == NO_INDEX ? NO_INDEX : l->domains->points[point].broadcast;

		if (!is_shown(&n->interfaces[i]))
			continue;
		for (size_t k = 0; k < MAX(n->interfaces[i].n_addresses, (size_t)1); k++) {
			autofree char *text = interface_text(&n->interfaces[i], k);

			if (k == 0)
				(void)fprintf(to,
					      "<circle cx=\"%d\" cy=\"%d\" r=\"4\" fill=\"%s\"/>\n",
					      b->x + PAD + 3, y - 4, draw_ink(domain));
			put_text(to, b->x + PAD + 12, y, "row", text);
			y += ROW;
		}
	}
}

static void put_boxes(const struct layout *l, FILE *to)
{
	for (size_t i = 0; i < l->t->n_nodes; i++) {
		const struct box *b = &l->boxes[i];
		const struct node *n = &l->t->nodes[b->node];
		size_t point = l->domains && n->n_interfaces == 1
				       ? domains_find(l->domains, b->node, 0)
				       : NO_INDEX;

		(void)fprintf(to,
			      "<g id=\"node-%zu\"><rect x=\"%d\" y=\"%d\" width=\"%d\" "
			      "height=\"%d\" rx=\"%d\" fill=\"%s\" stroke=\"%s\" "
			      "stroke-width=\"1.6\"/>\n",
			      b->node, b->x, b->y, b->width, b->height,
			      n->kind == NODE_ROUTER ? 14 : 4, kind_fill(n->kind),
			      point == NO_INDEX ? "#343a40"
						: draw_ink(l->domains->points[point].broadcast));
		put_sign(n->kind, b->x + PAD, b->y + 5, to);
		put_text(to, b->x + PAD + 20, b->y + 16, "name", n->name);
		(void)fprintf(to, "<text x=\"%d\" y=\"%d\" class=\"kind\">%s</text>\n",
			      b->x + b->width - PAD, b->y + 16, node_kind_name(n->kind));
		put_rows(l, b, to);
		(void)fputs("</g>\n", to);
	}
}

/* Of hosts that stand one below the other. */
static void put_subnets(const struct layout *l, FILE *to)
{
	struct ip_net last = { .prefix_len = 0 };
	int top = 0, bottom = 0, left = 0, right = 0;
	bool open = false;

	for (size_t i = 0; i <= l->t->n_nodes; i++) {
		const struct box *b = i < l->t->n_nodes ? &l->boxes[i] : NULL;
		const struct node *n = b ? &l->t->nodes[b->node] : NULL;
		const struct ip_net *address = NULL;
		struct ip_net subnet = { .prefix_len = 0 };

		for (size_t k = 0; n && rank(l->t, b->node) == 0 && k < n->n_interfaces; k++)
			if (!address && n->interfaces[k].n_addresses)
				address = &n->interfaces[k].addresses[0];
		if (address)
			subnet = ip_net_of(address);
		if (open && (!address || subnet.prefix_len != last.prefix_len ||
			     !ip_equal(&subnet.ip, &last.ip) || b->x != left)) {
			char text[IP_NET_TEXT_LEN];

			ip_net_format(&last, text);
			(void)fprintf(
				to,
				"<rect x=\"%d\" y=\"%d\" width=\"%d\" height=\"%d\" rx=\"9\" "
				"fill=\"none\" stroke=\"#868e96\" stroke-dasharray=\"3 3\"/>\n",
				left - 7, top - 7, right - left + 14, bottom - top + 14);
			put_text(to, right + 12, top + 6, "subnet", text);
			open = false;
		}
		if (!address)
			continue;
		top = open ? top : b->y;
		left = b->x;
		right = open ? MAX(right, b->x + b->width) : b->x + b->width;
		bottom = b->y + b->height;
		last = subnet;
		open = true;
	}
}

/* What else a cable can look like, told where one does. */
static const struct {
	bool (*is)(const struct layout *l, size_t link);
	const char *style, *text;
} notes[] = {
	{ is_collision, "stroke=\"#ffd43b\" stroke-width=\"10\" stroke-opacity=\"0.45\"",
	  "collision domain: a hub repeats to all" },
	{ is_one_way, "stroke=\"#343a40\" stroke-width=\"2.5\" stroke-dasharray=\"8 5\"",
	  "frames arrive at one end only: a port there is blocked" },
	{ is_silent, "stroke=\"#868e96\" stroke-width=\"2\" stroke-dasharray=\"5 4\"",
	  "no frame comes through" },
};

static bool note_applies(const struct layout *l, size_t note)
{
	for (size_t i = 0; i < l->t->n_links; i++)
		if (notes[note].is(l, i))
			return true;
	return false;
}

static void put_legend(const struct layout *l, FILE *to)
{
	int y = l->height + LEGEND_Y;

	for (size_t i = 0; l->domains && i < l->domains->n_broadcast && i < 12; i++) {
		autofree char *text = NULL;
		size_t members = 0;

		for (size_t k = 0; k < l->domains->n; k++)
			members += l->domains->points[k].broadcast == i;
		text = xasprintf("broadcast domain %zu: %zu interface%s hear each other", i + 1,
				 members, members == 1 ? "" : "s");
		(void)fprintf(to,
			      "<rect x=\"%d\" y=\"%d\" width=\"22\" height=\"4\" fill=\"%s\"/>\n",
			      MARGIN, y - 6, draw_ink(i));
		put_text(to, MARGIN + 30, y, "row", text);
		y += LEGEND_Y;
	}
	for (size_t i = 0; i < ARRAY_SIZE(notes); i++) {
		if (!note_applies(l, i))
			continue;
		(void)fprintf(to, "<path d=\"M%d %dh22\" fill=\"none\" %s/>\n", MARGIN, y - 4,
			      notes[i].style);
		put_text(to, MARGIN + 30, y, "row", notes[i].text);
		y += LEGEND_Y;
	}
	if (!l->domains) {
		put_text(to, MARGIN, y, "row",
			 "as the file has it: the lab is not up, nothing was observed");
	}
}

void draw_svg(const struct layout *l, FILE *to)
{
	int legend = l->domains ? (int)MIN(l->domains->n_broadcast, (size_t)12) : 1;
	int height, width = MAX(l->width, 480);

	for (size_t i = 0; i < ARRAY_SIZE(notes); i++)
		legend += note_applies(l, i);
	height = l->height + (legend + 1) * LEGEND_Y;
	(void)fprintf(to,
		      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%d\" height=\"%d\" "
		      "viewBox=\"0 0 %d %d\" font-family=\"'DejaVu Sans Mono',monospace\">\n"
		      "<style>text{font-size:12px;fill:#212529}.name{font-weight:bold}"
		      ".kind{font-size:10px;fill:#868e96;text-anchor:end}"
		      ".end{font-size:10px;fill:#495057;stroke:#fff;stroke-width:3px;"
		      "paint-order:stroke}.subnet{font-size:11px;fill:#868e96}"
		      ".title{font-size:15px;font-weight:bold}</style>\n"
		      "<rect width=\"100%%\" height=\"100%%\" fill=\"#fff\"/>\n",
		      width, height, width, height);
	put_text(to, MARGIN, 24, "title", l->t->name);
	put_subnets(l, to);
	put_links(l, to);
	put_end_names(l, to);
	put_boxes(l, to);
	put_legend(l, to);
	(void)fputs("</svg>\n", to);
}
