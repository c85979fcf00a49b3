/* src/network/picture_svg.c
 *
 * The same columns as in picture_text.c, in pixels.  Text is set in a font of fixed width, so that
 * its length is known without a font.
 */
#include "network/picture_svg.h"

#include <limits.h>

#include "base/alloc.h"
#include "network/canvas.h"
#include "network/picture.h"

#define GLYPH      7.25 /* at 12 px, the widest of the usual fonts */
#define ROW        22U
#define MARGIN     24U
#define CLOUD      96U
#define LANE_STEP  34U
#define BAR        10U /* thickness of a lane */
#define BOX_GAP    16U
#define HEAD_GAP   14U
#define LEGEND_ROW 20U

/* Everything is laid out three times: to find the height, for the lines, which run behind the lanes
 * that they do not end at, and for all else.
 */
enum layer { LAYER_NONE, LAYER_LINES, LAYER_CARDS };

struct sheet {
	const struct picture *p;
	FILE *to;
	enum layer layer;
	unsigned frame, trunk, pills, pill_width, lanes, cables, wall, boxes, box_width;
	unsigned y, trunk_from, trunk_to, outside_to;
};

static const char *const inks[] = {
	"#0b7285", "#b35c00", "#7048a8", "#2b8a3e", "#1c5fb8", "#b02a4c"
};

static const char *ink(int segment)
{
	return segment < 0 ? "#495057" : inks[(unsigned)segment % ARRAY_SIZE(inks)];
}

static unsigned px(unsigned glyphs)
{
	return (unsigned)(glyphs * GLYPH + 0.5);
}

static unsigned longest(const struct strv *v, unsigned least)
{
	for (size_t i = 0; i < v->n; i++)
		least = MAX(least, canvas_text_width(v->items[i]));
	return least;
}

/* Names come from outside: nothing in them may end the text or be no character of XML. */
static void put_escaped(FILE *to, const char *s)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '&')
			(void)fputs("&amp;", to);
		else if (c == '<')
			(void)fputs("&lt;", to);
		else if (c == '>')
			(void)fputs("&gt;", to);
		else if (c == '"')
			(void)fputs("&quot;", to);
		else
			(void)fputc(c < ' ' || c >= 0x7f ? '?' : c, to);
	}
}

static void put_text(const struct sheet *s, unsigned x, unsigned y, const char *class,
		     const char *text)
{
	if (s->layer != LAYER_CARDS)
		return;
	(void)fprintf(s->to, "<text x=\"%u\" y=\"%u\" class=\"%s\">", x, y, class);
	put_escaped(s->to, text);
	(void)fputs("</text>\n", s->to);
}

static void put_line(const struct sheet *s, unsigned x1, unsigned y1, unsigned x2, unsigned y2,
		     const char *colour, const char *more)
{
	if (s->layer != LAYER_LINES)
		return;
	(void)fprintf(s->to,
		      "<line x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\" stroke=\"%s\" "
		      "stroke-width=\"2\" %s/>\n",
		      x1, y1, x2, y2, colour, more);
}

static void put_rect(const struct sheet *s, unsigned x, unsigned y, unsigned width, unsigned height,
		     const char *more)
{
	if (s->layer != LAYER_CARDS)
		return;
	(void)fprintf(s->to, "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" %s/>\n", x, y,
		      width, height, more);
}

static void put_dot(const struct sheet *s, unsigned x, unsigned y, const char *colour)
{
	if (s->layer != LAYER_CARDS)
		return;
	(void)fprintf(s->to, "<circle cx=\"%u\" cy=\"%u\" r=\"4\" fill=\"%s\"/>\n", x, y, colour);
}

/* A card with a coloured bar that names it. */
static void put_card(const struct sheet *s, unsigned x, unsigned y, unsigned width, unsigned height,
		     const char *colour, const char *title)
{
	autofree char *style =
		xasprintf("rx=\"6\" fill=\"#fff\" stroke=\"%s\" stroke-width=\"2\"", colour);

	put_rect(s, x, y, width, height, style);
	if (s->layer == LAYER_CARDS)
		(void)fprintf(s->to,
			      "<path d=\"M%u %uv-16a6 6 0 0 1 6-6h%ua6 6 0 0 1 6 6v16z\" "
			      "fill=\"%s\"/>\n",
			      x, y + ROW, width - 12, colour);
	put_text(s, x + 14, y + 16, "title", title);
}

/* columns */

static unsigned lane(const struct sheet *s, int segment)
{
	return s->lanes + LANE_STEP * (unsigned)segment;
}

static char *port_text(const struct picture_port *port)
{
	const char *remark = port->answered  ? ""
			     : port->box < 0 ? "  nobody has this address"
					     : "  nobody listens";

	return xasprintf("%s -> %s%s", port->from, port->to, remark);
}

static void head_lines(const struct picture_segment *s, struct strv *ret)
{
	if (s->network)
		strv_addf(ret, "network %s", s->network);
	else
		strv_add(ret, s->kind);
	strv_extend(ret, s->addresses.items, s->addresses.n);
	strv_extend(ret, s->remarks.items, s->remarks.n);
}

static unsigned head_width(const struct picture_segment *s)
{
	struct strv lines = { 0 };
	unsigned least = canvas_text_width(s->name) + 2;

	head_lines(s, &lines);
	least = longest(&lines, least);
	strv_done(&lines);
	return px(least) + 28;
}

static unsigned segment_ways(const struct sheet *s, size_t segment, unsigned *ret_ports)
{
	const struct picture_segment *g = &s->p->segments[segment];
	unsigned ports = 0;

	for (size_t i = 0; i < s->p->nuplinks; i++)
		ports += s->p->uplinks[i].segment == (int)segment;
	*ret_ports = ports;
	return MAX((unsigned)g->routes.n, g->routed ? 1U : 0U);
}

static unsigned head_height(const struct sheet *s, size_t segment)
{
	struct strv lines = { 0 };
	unsigned ports, ways = segment_ways(s, segment, &ports), rows;

	head_lines(&s->p->segments[segment], &lines);
	rows = MAX((unsigned)lines.n, ways + ports);
	strv_done(&lines);
	return ROW * (rows + 1) + 10;
}

static unsigned box_glyphs(const struct picture_box *b)
{
	autofree char *title = picture_box_title(b);
	unsigned least = longest(&b->lines, MAX(canvas_text_width(title), 16U));

	for (size_t i = 0; i < b->nplugs; i++) {
		autofree char *text = picture_plug_text(&b->plugs[i]);

		least = MAX(least, canvas_text_width(text));
		least = longest(&b->plugs[i].addresses, least);
	}
	return least;
}

static void place_wall(struct sheet *s)
{
	const struct picture *p = s->p;
	unsigned names = 4, texts = longest(&p->guests, 0);

	for (size_t i = 0; i < p->nboxes; i++)
		for (size_t k = 0; k < p->boxes[i].nplugs; k++)
			if (p->boxes[i].plugs[k].cable)
				names = MAX(names, canvas_text_width(p->boxes[i].plugs[k].cable));
	for (size_t i = 0; i < p->nuplinks; i++)
		texts = MAX(texts, longest(&p->uplinks[i].addresses, 0) +
					   longest(&p->uplinks[i].routes, 0) + 3);
	s->cables = (p->nsegments ? lane(s, (int)p->nsegments - 1) : s->trunk) + 18;
	s->wall = MAX(s->cables + px(names) + 30, s->trunk + px(texts) + 40);
	for (size_t i = 0; i < p->nsegments; i++)
		s->wall = MAX(s->wall, lane(s, (int)i) + head_width(&p->segments[i]) + 16);
	s->wall = MAX(s->wall, s->frame + px(canvas_text_width(p->host) + 8) + 40);
}

static void place(struct sheet *s)
{
	const struct picture *p = s->p;
	unsigned names = 4, ways = 0;

	s->frame = MARGIN + CLOUD + 40;
	for (size_t i = 0; i < p->nuplinks; i++)
		names = MAX(names, canvas_text_width(p->uplinks[i].name));
	s->trunk = s->frame + px(names) + 72;
	for (size_t i = 0; i < p->nports; i++) {
		autofree char *text = port_text(&p->ports[i]);

		ways = MAX(ways, canvas_text_width(text));
	}
	for (size_t i = 0; i < p->nsegments; i++)
		ways = MAX(ways, longest(&p->segments[i].routes, 0));
	s->pills = s->trunk + 26;
	s->pill_width = px(ways) + 24;
	s->lanes = s->pills + s->pill_width + 44;
	place_wall(s);
	s->boxes = s->wall + 46;
	s->box_width = 0;
	for (size_t i = 0; i < p->nboxes; i++)
		s->box_width = MAX(s->box_width, px(box_glyphs(&p->boxes[i])) + 34);
}

/* rows */

static void on_trunk(struct sheet *s, unsigned y)
{
	s->trunk_from = MIN(s->trunk_from, y);
	s->trunk_to = MAX(s->trunk_to, y);
}

/* From the cloud through the frame to column to, and its name on a tag. */
static void put_uplink(struct sheet *s, const struct picture_uplink *u, unsigned y, unsigned to)
{
	unsigned width = px(canvas_text_width(u->name)) + 20, x = s->frame + 20;

	s->outside_to = MAX(s->outside_to, y);
	put_line(s, MARGIN + CLOUD / 2, y, to, y, u->up ? "#495057" : "#c92a2a",
		 u->up ? "" : "stroke-dasharray=\"4 4\"");
	put_rect(s, x, y - 11, width, 22, "rx=\"4\" fill=\"#fff\" stroke=\"#495057\"");
	put_text(s, x + 10, y + 4, "strong", u->name);
}

static void put_uplinks(struct sheet *s)
{
	const struct picture *p = s->p;

	for (size_t i = 0; i < p->nuplinks; i++) {
		const struct picture_uplink *u = &p->uplinks[i];
		unsigned second = s->trunk + 40 + px(longest(&u->addresses, 0));

		if (u->segment >= 0 && u->addresses.n == 0)
			continue;
		put_uplink(s, u, s->y, s->trunk);
		on_trunk(s, s->y);
		for (size_t k = 0; k < u->addresses.n; k++)
			put_text(s, s->trunk + 18, s->y + 4 + ROW * (unsigned)k, "plain",
				 u->addresses.items[k]);
		for (size_t k = 0; k < u->routes.n; k++)
			put_text(s, second, s->y + 4 + ROW * (unsigned)k, "faint",
				 u->routes.items[k]);
		s->y += ROW * (unsigned)MAX(MAX(u->addresses.n, u->routes.n), 1U) + 8;
	}
	for (size_t i = 0; i < p->guests.n; i++) {
		put_line(s, s->trunk, s->y, s->trunk + 12, s->y, "#495057", "");
		on_trunk(s, s->y);
		put_text(s, s->trunk + 18, s->y + 4, "plain", p->guests.items[i]);
		s->y += ROW;
	}
}

static void put_way(struct sheet *s, unsigned y, unsigned to, const char *text)
{
	put_line(s, s->trunk, y, to, y, "#495057", "");
	on_trunk(s, y);
	if (!text)
		return;
	put_rect(s, s->pills, y - 10, px(canvas_text_width(text)) + 12, 20, "fill=\"#f8f9fa\"");
	put_text(s, s->pills + 6, y + 4, "faint", text);
}

static void put_head_card(const struct sheet *s, size_t segment, unsigned y)
{
	const struct picture_segment *g = &s->p->segments[segment];
	unsigned x = lane(s, (int)segment) - BAR / 2;
	struct strv lines = { 0 };

	put_card(s, x, y, head_width(g), head_height(s, segment), ink((int)segment), g->name);
	head_lines(g, &lines);
	for (size_t i = 0; i < lines.n; i++)
		put_text(s, x + 14, y + 16 + ROW * (unsigned)(i + 1), "plain", lines.items[i]);
	strv_done(&lines);
}

static void put_head_ways(struct sheet *s, size_t segment)
{
	const struct picture_segment *g = &s->p->segments[segment];
	unsigned x = lane(s, (int)segment) - BAR / 2, ports;
	unsigned ways = segment_ways(s, segment, &ports), y = s->y + ROW + 12;

	for (unsigned i = 0; i < ways; i++)
		put_way(s, y + ROW * i, x, i < g->routes.n ? g->routes.items[i] : NULL);
	y += ROW * ways;
	for (size_t i = 0; i < s->p->nuplinks; i++) {
		if (s->p->uplinks[i].segment != (int)segment)
			continue;
		put_uplink(s, &s->p->uplinks[i], y, x);
		y += ROW;
	}
}

static size_t ports_of(const struct picture *p, size_t box, size_t plug)
{
	size_t n = 0;

	for (size_t i = 0; i < p->nports; i++)
		n += p->ports[i].box == (int)box && p->ports[i].plug == (int)plug;
	return n;
}

static unsigned plug_height(const struct picture *p, size_t box, size_t plug)
{
	const struct picture_plug *g = &p->boxes[box].plugs[plug];
	size_t ports = g->segment >= 0 ? ports_of(p, box, plug) : 0;

	return (unsigned)(ROW * MAX(g->addresses.n, 1U) > 26 * ports ? ROW * MAX(g->addresses.n, 1U)
								     : 26 * ports);
}

static unsigned box_height(const struct picture *p, size_t box)
{
	unsigned height = ROW + 16 + (unsigned)p->boxes[box].lines.n * (ROW - 3);

	for (size_t k = 0; k < p->boxes[box].nplugs; k++)
		height += plug_height(p, box, k);
	return height;
}

/* The way of a published port, from the trunk over its tag onto the lane. */
static void put_port(struct sheet *s, const struct picture_port *port, unsigned y, int segment)
{
	autofree char *text = port_text(port);
	const char *colour = port->answered ? ink(segment) : "#c92a2a";
	autofree char *style = xasprintf("rx=\"11\" fill=\"#fff\" stroke=\"%s\" "
					 "stroke-width=\"1.5\"%s",
					 colour, port->answered ? "" : " stroke-dasharray=\"4 3\"");
	unsigned width = px(canvas_text_width(text)) + 24;

	on_trunk(s, y);
	put_line(s, s->trunk, y, s->pills, y, colour, "");
	if (segment >= 0)
		put_line(s, s->pills + width, y, lane(s, segment) - BAR / 2 - 1, y, colour,
			 "marker-end=\"url(#tip)\"");
	put_rect(s, s->pills, y - 11, width, 22, style);
	put_text(s, s->pills + 12, y + 4, port->answered ? "strong" : "alarm", text);
}

static void put_plug(struct sheet *s, size_t box, size_t plug, unsigned y)
{
	const struct picture *p = s->p;
	const struct picture_plug *g = &p->boxes[box].plugs[plug];
	autofree char *text = picture_plug_text(g);
	unsigned row = y;

	put_text(s, s->boxes + 16, y + 4, g->up ? "plain" : "alarm", text);
	for (size_t i = 1; i < g->addresses.n; i++)
		put_text(s, s->boxes + 16 + px(canvas_text_width(g->name) + 2),
			 y + 4 + ROW * (unsigned)i, "plain", g->addresses.items[i]);
	if (g->segment < 0)
		return;
	put_line(s, lane(s, g->segment), y, s->boxes, y, ink(g->segment),
		 g->up ? "" : "stroke-dasharray=\"4 4\"");
	put_dot(s, lane(s, g->segment), y, "#fff");
	put_dot(s, s->boxes, y, ink(g->segment));
	if (g->cable)
		put_text(s, s->cables, y - 5, "small", g->cable);
	for (size_t i = 0; i < p->nports; i++) {
		if (p->ports[i].box != (int)box || p->ports[i].plug != (int)plug)
			continue;
		put_port(s, &p->ports[i], row, g->segment);
		row += 26;
	}
}

static void put_box(struct sheet *s, size_t box)
{
	const struct picture_box *b = &s->p->boxes[box];
	autofree char *title = picture_box_title(b);
	unsigned y = s->y + ROW + 16;

	put_card(s, s->boxes, s->y, s->box_width, box_height(s->p, box), "#343a40", title);
	for (size_t k = 0; k < b->nplugs; k++) {
		put_plug(s, box, k, y);
		y += plug_height(s->p, box, k);
	}
	for (size_t i = 0; i < b->lines.n; i++) {
		put_text(s, s->boxes + 16, y + 2, "faint", b->lines.items[i]);
		y += ROW - 3;
	}
	s->y += box_height(s->p, box) + BOX_GAP;
}

/* The lanes lie under everything: from its head to the row of its last plug. */
static void put_lanes(const struct sheet *s, const unsigned *from, const unsigned *to)
{
	for (size_t i = 0; i < s->p->nsegments; i++)
		if (to[i] > from[i])
			(void)fprintf(s->to,
				      "<line x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\" stroke=\"%s\" "
				      "stroke-width=\"%u\" stroke-linecap=\"round\"/>\n",
				      lane(s, (int)i), from[i], lane(s, (int)i), to[i], ink((int)i),
				      BAR);
}

static void find_ends(const struct sheet *s, unsigned y, unsigned *from, unsigned *to)
{
	for (size_t i = 0; i < s->p->nsegments; i++) {
		y += head_height(s, i) + HEAD_GAP;
		from[i] = y - HEAD_GAP;
	}
	for (size_t i = 0; i < s->p->nboxes; i++) {
		unsigned row = y + ROW + 16;

		for (size_t k = 0; k < s->p->boxes[i].nplugs; k++) {
			int segment = s->p->boxes[i].plugs[k].segment;
			unsigned ports = (unsigned)ports_of(s->p, i, k);

			if (segment >= 0)
				to[segment] = row + 26 * (MAX(ports, 1U) - 1);
			row += plug_height(s->p, i, k);
		}
		y += box_height(s->p, i) + BOX_GAP;
	}
}

static void put_rows(struct sheet *s)
{
	autofree unsigned *from = xcalloc(s->p->nsegments + 1, sizeof(*from));
	autofree unsigned *to = xcalloc(s->p->nsegments + 1, sizeof(*to));

	s->y = MARGIN + 52;
	put_uplinks(s);
	s->y += 6;
	find_ends(s, s->y, from, to);
	for (size_t i = 0; i < s->p->nsegments; i++) {
		put_head_ways(s, i);
		s->y += head_height(s, i) + HEAD_GAP;
	}
	for (size_t i = 0; i < s->p->nsegments; i++)
		put_head_card(s, i, from[i] - head_height(s, i));
	for (size_t i = 0; i < s->p->nboxes; i++)
		put_box(s, i);
	for (size_t i = 0; i < s->p->nports; i++) {
		const struct picture_port *port = &s->p->ports[i];

		if (port->box >= 0 && s->p->boxes[port->box].plugs[port->plug].segment >= 0)
			continue;
		put_port(s, port, s->y + 6, -1);
		s->y += 30;
	}
	if (s->layer == LAYER_LINES)
		put_lanes(s, from, to);
}

static const char style[] =
	"<style>\n"
	"text{font:12px ui-monospace,'DejaVu Sans Mono',Menlo,Consolas,monospace;fill:#212529}\n"
	".strong{font-weight:bold}.title{font-weight:bold;fill:#fff}.faint{fill:#5c636a}\n"
	".small{font-size:10px;fill:#5c636a}.alarm{fill:#c92a2a;font-weight:bold}\n"
	".host{font-weight:bold;font-size:14px}\n"
	"</style>\n"
	"<defs><marker id=\"tip\" viewBox=\"0 0 8 8\" refX=\"7\" refY=\"4\" markerWidth=\"6\" "
	"markerHeight=\"6\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\" fill=\"context-stroke\"/>"
	"</marker></defs>\n";

static void put_frame(const struct sheet *s, unsigned height)
{
	autofree char *title = xasprintf("host %s", s->p->host);

	put_rect(s, s->frame, MARGIN, s->wall - s->frame, height,
		 "rx=\"10\" fill=\"#f8f9fa\" stroke=\"#868e96\" stroke-width=\"1.5\"");
	put_text(s, s->frame + 16, MARGIN + 24, "host", title);
}

static void put_cloud(const struct sheet *s)
{
	unsigned x = MARGIN, y = MARGIN + 18;

	if (s->p->nuplinks == 0)
		return;
	(void)fprintf(s->to,
		      "<path d=\"M%u %ua18 18 0 0 1-2-36a24 24 0 0 1 44-10a20 20 0 0 1 34 12"
		      "a17 17 0 0 1-2 34z\" fill=\"#e7f0fa\" stroke=\"#495057\" "
		      "stroke-width=\"1.5\"/>\n",
		      x + 18, y + 54);
	put_text(s, x + 22, y + 38, "strong", "outside");
}

static void put_legend(const struct sheet *s, unsigned y)
{
	unsigned x = s->frame;

	put_line(s, x, y, x + 26, y, ink(0), "stroke-linecap=\"round\" style=\"stroke-width:10\"");
	put_text(s, x + 40, y + 4, "faint", "a bridge, or what a macvlan stands on");
	y += LEGEND_ROW;
	put_line(s, x, y, x + 26, y, ink(0), "");
	put_text(s, x + 40, y + 4, "faint", "a cable (veth pair) into a network namespace");
	y += LEGEND_ROW;
	put_rect(s, x, y - 7, 26, 14, "rx=\"7\" fill=\"#fff\" stroke=\"#0b7285\"");
	put_text(s, x + 40, y + 4, "faint",
		 "a published port: its destination is rewritten (DNAT) to what follows the arrow");
}

/* What lies under everything; put_rows() has found out how high it gets. */
static void put_ground(struct sheet *s, unsigned width, unsigned height)
{
	s->layer = LAYER_CARDS;
	put_rect(s, 0, 0, width, height, "fill=\"#fff\"");
	put_frame(s, s->y - MARGIN + 8);
	put_legend(s, s->y + 8 + MARGIN);
	s->layer = LAYER_LINES;
	put_legend(s, s->y + 8 + MARGIN);
	if (s->outside_to > 0)
		put_line(s, MARGIN + CLOUD / 2, MARGIN + 52, MARGIN + CLOUD / 2, s->outside_to,
			 "#495057", "stroke-linecap=\"square\"");
	if (s->trunk_to > s->trunk_from)
		(void)fprintf(s->to,
			      "<line x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\" stroke=\"#495057\" "
			      "stroke-width=\"6\" stroke-linecap=\"round\"/>\n",
			      s->trunk, s->trunk_from, s->trunk, s->trunk_to);
}

void picture_write_svg(const struct picture *p, FILE *to)
{
	struct sheet s = { .p = p, .to = to, .trunk_from = UINT_MAX };
	unsigned width, height;

	place(&s);
	put_rows(&s);
	width = s.boxes + (p->nboxes ? s.box_width : 0) + MARGIN;
	height = s.y + MARGIN + 3 * LEGEND_ROW + MARGIN;
	(void)fprintf(to,
		      "<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\" "
		      "viewBox=\"0 0 %u %u\" role=\"img\" xml:space=\"preserve\">\n"
		      "<title>Networks of ",
		      width, height, width, height);
	put_escaped(to, p->host);
	(void)fprintf(to, "</title>\n%s", style);
	put_ground(&s, width, height);
	put_rows(&s);
	s.layer = LAYER_CARDS;
	put_rows(&s);
	put_cloud(&s);
	(void)fputs("</svg>\n", to);
}
