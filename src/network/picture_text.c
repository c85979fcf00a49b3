/* src/network/picture_text.c
 *
 * Columns, left to right: outside, the frame of the host with its uplinks' names, the trunk (the
 * host's own stack, a thick line down), published ports and routes, one lane a segment, names of
 * cables, the frame's right side, boxes.  Rows: uplinks, a head for each segment (a staircase, so
 * that lanes run down beside it), then boxes; what belongs to an interface lies in its row, so that
 * a packet's way is that row.
 */
#include "network/picture_text.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "network/picture.h"

#define OUTSIDE       "outside"
#define MARGIN        9
#define LANE_STEP     4
#define MARGIN_NARROW 2
#define BOX_MIN       16 /* narrower than this a box tells nothing */

/* What is left out when there is no room for it, one after the other.  NO_WALL: the frame has the
 * boxes inside, so that they need not begin behind the widest head; addresses go last.
 */
enum level { WHOLE, NO_CABLE_NAMES, NO_MARGIN, NO_WALL, NO_PORT_ADDRESSES };

struct drawing {
	const struct picture *p;
	struct canvas c;
	enum level level;
	unsigned frame, trunk, lanes, cables, wall, boxes, box_width; /* columns */
	unsigned width;
	unsigned trunk_from, trunk_to, outside_from, outside_to; /* rows */
	unsigned y;
};

/* columns */

static unsigned longest(const struct strv *v, unsigned least)
{
	for (size_t i = 0; i < v->n; i++)
		least = MAX(least, canvas_text_width(v->items[i]));
	return least;
}

static char *port_text(const struct picture_port *port, enum level level)
{
	const char *to = level >= NO_PORT_ADDRESSES ? strrchr(port->to, ':') : port->to;

	return xasprintf("%s ▶ %s%s", port->from, to ? to : port->to, port->answered ? "" : " ✗");
}

static unsigned head_width(const struct picture_segment *s)
{
	unsigned least = MAX(canvas_text_width(s->name) + 2, longest(&s->addresses, 0));

	least = longest(&s->remarks, least);
	if (s->network)
		least = MAX(least, canvas_text_width(s->network) + 8);
	return MAX(least, canvas_text_width(s->kind)) + 4;
}

static unsigned box_width(const struct picture_box *b)
{
	autofree char *title = picture_box_title(b);
	unsigned least = MAX(longest(&b->lines, BOX_MIN), canvas_text_width(title) + 2);

	for (size_t i = 0; i < b->nplugs; i++) {
		autofree char *text = picture_plug_text(&b->plugs[i]);

		least = MAX(least, canvas_text_width(text));
		least = MAX(least, longest(&b->plugs[i].addresses, 0) +
					   canvas_text_width(b->plugs[i].name) + 2);
	}
	return least + 4;
}

static unsigned lane(const struct drawing *d, int segment)
{
	return d->lanes + LANE_STEP * (unsigned)segment;
}

static unsigned host_text_width(const struct drawing *d)
{
	const struct picture *p = d->p;
	unsigned least = longest(&p->guests, 0);

	for (size_t i = 0; i < p->nuplinks; i++)
		least = MAX(least, longest(&p->uplinks[i].addresses, 0) +
					   longest(&p->uplinks[i].routes, 0) + 3);
	return least;
}

static void place_wall(struct drawing *d)
{
	const struct picture *p = d->p;
	unsigned last = p->nsegments ? lane(d, (int)p->nsegments - 1) : d->trunk, names = 0;

	for (size_t i = 0; i < p->nboxes && d->level < NO_CABLE_NAMES; i++)
		for (size_t k = 0; k < p->boxes[i].nplugs; k++)
			if (p->boxes[i].plugs[k].cable)
				names = MAX(names,
					    canvas_text_width(p->boxes[i].plugs[k].cable) + 4);
	d->cables = last + 2;
	d->wall = d->cables + names + 2;
	for (size_t i = 0; i < p->nsegments; i++)
		d->wall = MAX(d->wall, lane(d, (int)i) + head_width(&p->segments[i]) + 1);
	d->wall = MAX(d->wall, d->trunk + 4 + host_text_width(d));
	d->wall = MAX(d->wall, d->frame + 10 + canvas_text_width(p->host));
	d->boxes = d->wall + 4;
	d->width = d->boxes + d->box_width;
	if (d->level < NO_WALL)
		return;
	d->boxes = d->cables + 2 - (d->level == NO_PORT_ADDRESSES);
	d->wall = MAX(d->wall, d->boxes + d->box_width + (d->level < NO_PORT_ADDRESSES));
	d->width = d->wall + 1;
}

static void place(struct drawing *d)
{
	const struct picture *p = d->p;
	unsigned ways = 0, names = 2;

	for (size_t i = 0; i < p->nuplinks; i++)
		names = MAX(names, canvas_text_width(p->uplinks[i].name) + 3);
	d->frame = d->level < NO_MARGIN ? MARGIN : MARGIN_NARROW;
	d->trunk = d->frame + 2 + names;
	for (size_t i = 0; i < p->nports; i++) {
		autofree char *text = port_text(&p->ports[i], d->level);

		ways = MAX(ways, canvas_text_width(text));
	}
	for (size_t i = 0; i < p->nsegments; i++)
		ways = MAX(ways, longest(&p->segments[i].routes, 0));
	d->lanes = d->trunk + ways + 6 - (d->level == NO_PORT_ADDRESSES);
	d->box_width = 0;
	for (size_t i = 0; i < p->nboxes; i++)
		d->box_width = MAX(d->box_width, box_width(&p->boxes[i]));
	place_wall(d);
}

/* rows */

static void on_trunk(struct drawing *d, unsigned y)
{
	d->trunk_from = MIN(d->trunk_from, y);
	d->trunk_to = MAX(d->trunk_to, y);
}

static void text(struct drawing *d, unsigned x, unsigned y, unsigned colour, const char *s)
{
	canvas_text(&d->c, x, y, 0, colour, s);
}

/* A word on a line: blanks around it. */
static void label(struct drawing *d, unsigned x, unsigned y, unsigned colour, const char *s)
{
	autofree char *padded = xasprintf(" %s ", s);

	text(d, x, y, colour, padded);
}

/* From outside through the frame to column to. */
static void draw_uplink_wire(struct drawing *d, const struct picture_uplink *u, unsigned y,
			     unsigned to)
{
	canvas_wire(&d->c, d->frame - 2, to, y, INK_PLAIN);
	d->outside_from = MIN(d->outside_from, y);
	d->outside_to = MAX(d->outside_to, y);
	label(d, d->frame + 2, y, u->up ? INK_PLAIN : INK_ALARM, u->name);
}

static void draw_uplinks(struct drawing *d)
{
	const struct picture *p = d->p;

	for (size_t i = 0; i < p->nuplinks; i++) {
		const struct picture_uplink *u = &p->uplinks[i];
		unsigned rows = (unsigned)MAX(MAX(u->addresses.n, u->routes.n), 1U);
		unsigned second = d->trunk + 5 + longest(&u->addresses, 0);

		if (u->segment >= 0 && u->addresses.n == 0)
			continue; /* only a port: drawn at its bridge */
		draw_uplink_wire(d, u, d->y, d->trunk);
		on_trunk(d, d->y);
		if (!u->up)
			text(d, d->trunk + 2, d->y, INK_ALARM, "down");
		for (size_t k = 0; k < u->addresses.n; k++)
			text(d, d->trunk + 2, d->y + (unsigned)k, INK_PLAIN, u->addresses.items[k]);
		for (size_t k = 0; k < u->routes.n; k++)
			text(d, second, d->y + (unsigned)k, INK_FAINT, u->routes.items[k]);
		d->y += rows;
	}
	for (size_t i = 0; i < p->guests.n; i++) {
		on_trunk(d, d->y);
		canvas_wire(&d->c, d->trunk, d->trunk + 1, d->y, INK_PLAIN);
		label(d, d->trunk + 2, d->y++, INK_PLAIN, p->guests.items[i]);
	}
}

static unsigned head_lines(const struct picture_segment *s, struct strv *ret)
{
	if (s->network)
		strv_addf(ret, "network %s", s->network);
	else
		strv_add(ret, s->kind);
	strv_extend(ret, s->addresses.items, s->addresses.n);
	strv_extend(ret, s->remarks.items, s->remarks.n);
	return (unsigned)ret->n;
}

/* The uplinks that are ports of this bridge come from the left, behind the trunk. */
static unsigned draw_head_ports(struct drawing *d, size_t segment, unsigned y)
{
	unsigned n = 0;

	for (size_t i = 0; i < d->p->nuplinks; i++)
		if (d->p->uplinks[i].segment == (int)segment)
			draw_uplink_wire(d, &d->p->uplinks[i], y + n++, lane(d, (int)segment) - 1);
	return n;
}

static void draw_head(struct drawing *d, size_t segment)
{
	const struct picture_segment *s = &d->p->segments[segment];
	unsigned x = lane(d, (int)segment) - 1, colour = INK_FIRST + (unsigned)segment;
	unsigned ways = MAX((unsigned)s->routes.n, s->routed), ports = 0, rows;
	struct strv lines = { 0 };

	for (size_t i = 0; i < d->p->nuplinks; i++)
		ports += d->p->uplinks[i].segment == (int)segment;
	rows = head_lines(s, &lines);
	rows = MAX(rows, ways + ports);
	canvas_box(&d->c, x, d->y, head_width(s), rows + 2, PEN_THICK, colour);
	label(d, x + 2, d->y, s->up ? colour : INK_ALARM, s->name);
	for (size_t i = 0; i < lines.n; i++)
		text(d, x + 2, d->y + 1 + (unsigned)i, INK_PLAIN, lines.items[i]);
	for (unsigned i = 0; i < ways; i++) {
		canvas_wire(&d->c, d->trunk, x, d->y + 1 + i, INK_PLAIN);
		on_trunk(d, d->y + 1 + i);
		if (i < s->routes.n)
			label(d, d->trunk + 2, d->y + 1 + i, INK_PLAIN, s->routes.items[i]);
	}
	(void)draw_head_ports(d, segment, d->y + 1 + ways);
	d->y += rows + 2;
	strv_done(&lines);
}

/* Each lane from below its head down to its last plug. */
static void draw_lanes(struct drawing *d, const unsigned *from, const unsigned *to)
{
	for (size_t i = 0; i < d->p->nsegments; i++)
		if (to[i] > from[i])
			canvas_line(&d->c, lane(d, (int)i), from[i], lane(d, (int)i), to[i],
				    PEN_THICK, INK_FIRST + (unsigned)i);
}

static size_t ports_of(const struct picture *p, size_t box, size_t plug)
{
	size_t n = 0;

	for (size_t i = 0; i < p->nports; i++)
		n += p->ports[i].box == (int)box && p->ports[i].plug == (int)plug;
	return n;
}

static unsigned plug_rows(const struct picture *p, size_t box, size_t plug)
{
	const struct picture_plug *g = &p->boxes[box].plugs[plug];
	size_t ports = g->segment >= 0 ? ports_of(p, box, plug) : 0;

	return (unsigned)MAX(MAX(g->addresses.n, ports), 1U);
}

static unsigned box_rows(const struct picture *p, size_t box)
{
	unsigned rows = (unsigned)p->boxes[box].lines.n + 2;

	for (size_t k = 0; k < p->boxes[box].nplugs; k++)
		rows += plug_rows(p, box, k);
	return rows;
}

static void draw_port(struct drawing *d, const struct picture_port *port, unsigned y,
		      unsigned colour)
{
	autofree char *words = port_text(port, d->level);

	on_trunk(d, y);
	label(d, d->trunk + 2, y, port->answered ? colour : INK_ALARM, words);
}

static void draw_plug(struct drawing *d, size_t box, size_t plug, unsigned y)
{
	const struct picture *p = d->p;
	const struct picture_plug *g = &p->boxes[box].plugs[plug];
	autofree char *words = picture_plug_text(g);
	unsigned colour = INK_FIRST + (unsigned)g->segment, x = lane(d, g->segment), row = y;
	unsigned indent = canvas_text_width(g->name) + 2;

	canvas_text(&d->c, d->boxes + 2, y, d->box_width - 4, g->up ? INK_PLAIN : INK_ALARM, words);
	for (size_t i = 1; i < g->addresses.n; i++)
		canvas_text(&d->c, d->boxes + 2 + indent, y + (unsigned)i,
			    d->box_width - 4 - MIN(indent, d->box_width - 5), INK_PLAIN,
			    g->addresses.items[i]);
	if (g->segment < 0)
		return;
	canvas_wire(&d->c, x, d->boxes, y, colour);
	if (g->cable && d->level < NO_CABLE_NAMES)
		label(d, d->cables, y, INK_FAINT, g->cable);
	for (size_t i = 0; i < p->nports; i++) {
		if (p->ports[i].box != (int)box || p->ports[i].plug != (int)plug)
			continue;
		canvas_wire(&d->c, d->trunk, x, row, colour);
		draw_port(d, &p->ports[i], row++, colour);
	}
}

static void draw_box(struct drawing *d, size_t box)
{
	const struct picture_box *b = &d->p->boxes[box];
	autofree char *title = picture_box_title(b);
	unsigned y = d->y, rows = box_rows(d->p, box);

	canvas_box(&d->c, d->boxes, y, d->box_width, rows, PEN_THIN, INK_PLAIN);
	label(d, d->boxes + 1, y++, INK_PLAIN, title);
	for (size_t k = 0; k < b->nplugs; k++) {
		draw_plug(d, box, k, y);
		y += plug_rows(d->p, box, k);
	}
	for (size_t i = 0; i < b->lines.n; i++)
		canvas_text(&d->c, d->boxes + 2, y++, d->box_width - 4, INK_FAINT,
			    b->lines.items[i]);
	d->y += rows;
}

/* Published to an address that no interface has. */
static void draw_lost_ports(struct drawing *d)
{
	for (size_t i = 0; i < d->p->nports; i++) {
		const struct picture_port *port = &d->p->ports[i];
		bool lost = port->box < 0 || d->p->boxes[port->box].plugs[port->plug].segment < 0;

		if (!lost)
			continue;
		canvas_wire(&d->c, d->trunk, d->trunk + 1, d->y, INK_ALARM);
		draw_port(d, port, d->y++, INK_ALARM);
	}
}

/* Where lanes begin and end is known before they are drawn: wires then go behind them. */
static void find_lane_ends(const struct drawing *d, unsigned y, unsigned *to)
{
	for (size_t i = 0; i < d->p->nboxes; i++) {
		unsigned row = y + 1;

		for (size_t k = 0; k < d->p->boxes[i].nplugs; k++) {
			const struct picture_plug *g = &d->p->boxes[i].plugs[k];
			size_t ports = ports_of(d->p, i, k);

			if (g->segment >= 0)
				to[g->segment] = row + (unsigned)MAX(ports, 1U) - 1;
			row += plug_rows(d->p, i, k);
		}
		y += box_rows(d->p, i);
	}
}

static unsigned heads_rows(const struct drawing *d, unsigned y, unsigned *from)
{
	for (size_t i = 0; i < d->p->nsegments; i++) {
		const struct picture_segment *s = &d->p->segments[i];
		unsigned ways = MAX((unsigned)s->routes.n, s->routed), rows;
		struct strv lines = { 0 };

		for (size_t k = 0; k < d->p->nuplinks; k++)
			ways += d->p->uplinks[k].segment == (int)i;
		rows = head_lines(s, &lines);
		y += MAX(rows, ways) + 2;
		from[i] = y - 1;
		strv_done(&lines);
	}
	return y;
}

/* The trunk and the lanes first, thick: whatever crosses them later goes behind. */
static void draw_thick(struct drawing *d)
{
	autofree unsigned *from = xcalloc(d->p->nsegments + 1, sizeof(*from));
	autofree unsigned *to = xcalloc(d->p->nsegments + 1, sizeof(*to));
	unsigned y = heads_rows(d, d->y, from);

	find_lane_ends(d, y, to);
	draw_lanes(d, from, to);
}

static void draw_frame(struct drawing *d)
{
	autofree char *title = xasprintf("host %s", d->p->host);

	canvas_box(&d->c, d->frame, 0, d->wall - d->frame + 1, d->y + 1, PEN_THIN, INK_PLAIN);
	label(d, d->frame + 2, 0, INK_PLAIN, title);
	if (d->outside_to == 0)
		return;
	canvas_line(&d->c, d->frame - 2, d->outside_from, d->frame - 2, d->outside_to, PEN_THIN,
		    INK_PLAIN);
	if (d->level < NO_MARGIN) {
		canvas_wire(&d->c, d->frame - 3, d->frame - 2, d->outside_from, INK_PLAIN);
		text(d, 0, d->outside_from, INK_PLAIN, OUTSIDE);
	}
}

static void draw_legend(struct drawing *d)
{
	static const char dnat[] =
		"▶ published port: its destination is rewritten (DNAT) to what follows";
	bool refused = false;

	d->y += 1;
	for (size_t i = 0; i < d->p->nports; i++)
		refused = refused || !d->p->ports[i].answered;
	if (d->p->nports > 0)
		text(d, d->frame, d->y++, INK_FAINT,
		     d->frame + canvas_text_width(dnat) <= d->width
			     ? dnat
			     : "▶ published port: DNAT to what follows");
	if (refused)
		text(d, d->frame, d->y++, INK_ALARM, "✗ nobody listens there");
}

static void draw(struct drawing *d)
{
	d->y = 1;
	draw_uplinks(d);
	d->y += 1;
	draw_thick(d);
	for (size_t i = 0; i < d->p->nsegments; i++)
		draw_head(d, i);
	for (size_t i = 0; i < d->p->nboxes; i++)
		draw_box(d, i);
	draw_lost_ports(d);
	if (d->trunk_to > d->trunk_from)
		canvas_line(&d->c, d->trunk, d->trunk_from, d->trunk, d->trunk_to, PEN_THICK,
			    INK_PLAIN);
	draw_frame(d);
	draw_legend(d);
}

void picture_print(const struct picture *p, unsigned columns, enum canvas_style style, FILE *to)
{
	struct drawing d = { .p = p,
			     .trunk_from = CANVAS_ROWS_MAX,
			     .outside_from = CANVAS_ROWS_MAX };

	for (;;) {
		place(&d);
		if (!columns || d.width <= columns || d.level == NO_PORT_ADDRESSES)
			break;
		d.level++;
	}
	canvas_init(&d.c, d.width);
	draw(&d);
	canvas_print(&d.c, style, to);
	canvas_done(&d.c);
}
