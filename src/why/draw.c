/* src/why/draw.c
 *
 *	wire > prerouting > forward > postrouting > wire
 *		  |			  ^
 *		input > programs here > output
 *
 * One layout in characters serves both forms; an SVG has a font of fixed width.
 */
#include "why/draw.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/strv.h"
#include "base/text.h"
#include "network/canvas.h"
#include "why/eval.h"
#include "why/ruleset.h"

#define LINE_MAX_LEN 60 /* of a chain; longer names are cut */
#define GAP          5  /* between two stations */
#define GLYPH        7.25
#define ROW          18U
#define MARGIN       16U

enum cell { PREROUTING, FORWARD, POSTROUTING, INPUT, PROGRAMS, OUTPUT, CELLS };

struct station {
	struct strv lines;
	bool *hot; /* of each line: the path went there */
	size_t room;
	bool any_hot;
	unsigned x, y, width, height; /* in characters */
};

struct layout {
	struct station cells[CELLS];
	unsigned width, height;
};

static const struct {
	const char *title;
	enum hook hooks[2];
	unsigned column, row;
} cells[CELLS] = {
	[PREROUTING] = { "prerouting", { HOOK_INGRESS, HOOK_PREROUTING }, 0, 0 },
	[FORWARD] = { "forward", { HOOK_FORWARD, HOOK_NONE }, 1, 0 },
	[POSTROUTING] = { "postrouting", { HOOK_POSTROUTING, HOOK_EGRESS }, 2, 0 },
	[INPUT] = { "input", { HOOK_INPUT, HOOK_NONE }, 0, 1 },
	[PROGRAMS] = { "programs here", { HOOK_NONE, HOOK_NONE }, 1, 1 },
	[OUTPUT] = { "output", { HOOK_OUTPUT, HOOK_NONE }, 2, 1 },
};

/* what stands in a station */

static void line(struct station *s, bool hot, bool is_end, const char *text)
{
	autofree char *cut = xstrndup(text, LINE_MAX_LEN);
	autofree char *clean = xasprintf("%s%s", cut, is_end ? " <== here" : "");

	text_clean(clean);
	if (s->lines.n == s->room) {
		s->room = s->room ? 2 * s->room : 16;
		s->hot = xrealloc(s->hot, s->room, sizeof(bool));
	}
	s->hot[s->lines.n] = hot;
	s->any_hot |= hot;
	strv_add(&s->lines, clean);
}

static bool went_through(const struct path *path, const struct chain *chain)
{
	for (size_t i = 0; path && i < path->n; i++)
		if (path->steps[i].chain == chain && path->steps[i].kind != STEP_NAT_SKIP)
			return true;
	return false;
}

/* The packet came no further. */
static bool ended_in(const struct path *path, const struct chain *chain)
{
	return path && path->chain == chain &&
	       (path->outcome == OUTCOME_DROPPED || path->outcome == OUTCOME_REFUSED);
}

/* Chains that a chain's rules call, each once. */
static void put_calls(struct station *s, const struct path *path, const struct chain *chain)
{
	struct strv told = { 0 };

	for (size_t i = 0; i < chain->n; i++)
		for (size_t k = 0; k < chain->rules[i].n; k++) {
			const struct chain *to = chain->rules[i].statements[k].chain;
			autofree char *text = NULL;

			if (!to || strv_has(&told, to->name))
				continue;
			strv_add(&told, to->name);
			text = xasprintf("      > %s (%zu)", to->name, to->n);
			line(s, went_through(path, to), ended_in(path, to), text);
		}
	strv_done(&told);
}

static void put_chain(struct station *s, const struct path *path, const struct chain *c)
{
	autofree char *text = xasprintf("%5d %s %s %s: %zu rule%s, %s%s%s", c->priority,
					family_name(c->table->family), c->table->name, c->name,
					c->n, c->n == 1 ? "" : "s", verdict_name(c->policy),
					c->device ? " on " : "", c->device ? c->device : "");

	line(s, went_through(path, c), ended_in(path, c), text);
	put_calls(s, path, c);
}

/* A packet goes by a hook that has no chains, too. */
static bool went_by(const struct path *path, enum hook hook)
{
	for (size_t i = 0; path && i < path->n; i++)
		if (path->steps[i].kind == STEP_HOOK && path->steps[i].hook == hook)
			return true;
	return false;
}

static void fill(struct station *s, const struct ruleset *rs, const struct path *path,
		 enum cell cell, bool bridge)
{
	for (size_t h = 0; h < ARRAY_SIZE(cells[cell].hooks); h++) {
		enum hook hook = cells[cell].hooks[h];

		s->any_hot |= hook != HOOK_NONE && !bridge && went_by(path, hook);
		for (size_t i = 0; hook != HOOK_NONE && i < rs->nhooks[hook]; i++)
			if ((rs->hooks[hook][i]->table->family == FAMILY_BRIDGE) == bridge &&
			    rs->hooks[hook][i]->table->family != FAMILY_ARP)
				put_chain(s, path, rs->hooks[hook][i]);
	}
	if (s->lines.n == 0)
		line(s, false, false, cell == PROGRAMS ? "" : "no chains");
}

static void measure(struct station *s, const char *title)
{
	s->width = (unsigned)strlen(title) + 6; /* it stands in the frame, between its corners */
	for (size_t i = 0; i < s->lines.n; i++)
		s->width = MAX(s->width, canvas_text_width(s->lines.items[i]) + 4);
	s->height = (unsigned)s->lines.n + 2;
}

static void lay_out(struct layout *l, const struct ruleset *rs, const struct path *path,
		    bool bridge)
{
	unsigned width[3] = { 0 }, height[2] = { 0 }, x = 3;

	*l = (struct layout) { 0 };
	for (enum cell c = 0; c < CELLS; c++) {
		struct station *s = &l->cells[c];

		fill(s, rs, path, c, bridge);
		measure(s, cells[c].title);
		width[cells[c].column] = MAX(width[cells[c].column], s->width);
		height[cells[c].row] = MAX(height[cells[c].row], s->height);
	}
	for (enum cell c = 0; c < CELLS; c++) {
		struct station *s = &l->cells[c];

		s->x = x + (cells[c].column > 0 ? width[0] + GAP : 0) +
		       (cells[c].column > 1 ? width[1] + GAP : 0);
		s->y = cells[c].row ? height[0] + 3 : 0;
		s->width = width[cells[c].column];
	}
	l->width = x + width[0] + width[1] + width[2] + 2 * GAP + 3;
	l->height = height[0] + height[1] + 3;
}

static void layout_done(struct layout *l)
{
	for (enum cell c = 0; c < CELLS; c++) {
		strv_done(&l->cells[c].lines);
		free(l->cells[c].hot);
	}
}

/* arrows, as pairs of points in characters; the second has the head */

struct arrow {
	unsigned x1, y1, x2, y2;
	bool hot;
};
#define ARROWS 7

static void arrows(const struct layout *l, struct arrow ret[ARROWS])
{
	const struct station *c = l->cells;
	bool in = c[INPUT].any_hot, on = c[FORWARD].any_hot, out = c[OUTPUT].any_hot;
	bool left = c[POSTROUTING].any_hot;
	const unsigned middle = 1;

	ret[0] = (struct arrow) { 0, middle, c[PREROUTING].x - 1, middle, c[PREROUTING].any_hot };
	ret[1] = (struct arrow) { c[PREROUTING].x + c[PREROUTING].width, middle, c[FORWARD].x - 1,
				  middle, on };
	ret[2] = (struct arrow) { c[FORWARD].x + c[FORWARD].width, middle, c[POSTROUTING].x - 1,
				  middle, on && left };
	ret[3] = (struct arrow) { c[POSTROUTING].x + c[POSTROUTING].width, middle, l->width - 1,
				  middle, left };
	ret[4] = (struct arrow) { c[PREROUTING].x + 3, c[PREROUTING].y + c[PREROUTING].height,
				  c[PREROUTING].x + 3, c[INPUT].y - 1, in };
	ret[5] = (struct arrow) { c[INPUT].x + c[INPUT].width, c[INPUT].y + middle, c[OUTPUT].x - 1,
				  c[INPUT].y + middle, in && out };
	ret[6] = (struct arrow) { c[OUTPUT].x + 3, c[OUTPUT].y - 1, c[OUTPUT].x + 3,
				  c[POSTROUTING].y + c[POSTROUTING].height, out };
}

/* text */

static void draw_station(struct canvas *canvas, const struct station *s, const char *title,
			 unsigned y, bool boxed)
{
	autofree char *head = xasprintf(" %s ", title);

	if (boxed)
		canvas_box(canvas, s->x, y + s->y, s->width, s->height,
			   s->any_hot ? PEN_THICK : PEN_THIN, INK_PLAIN);
	canvas_text(canvas, s->x + 2, y + s->y, 0, INK_PLAIN, head);
	for (size_t i = 0; i < s->lines.n; i++) {
		canvas_text(canvas, s->x + 2, y + s->y + 1 + (unsigned)i, 0, INK_PLAIN,
			    s->lines.items[i]);
		if (s->hot[i])
			canvas_text(canvas, s->x + 1, y + s->y + 1 + (unsigned)i, 0, INK_PLAIN,
				    "*");
	}
}

static void draw_layout(struct canvas *canvas, const struct layout *l, unsigned y)
{
	struct arrow list[ARROWS];

	arrows(l, list);
	for (size_t i = 0; i < ARROWS; i++) {
		const struct arrow *a = &list[i];
		enum canvas_pen pen = a->hot ? PEN_THICK : PEN_THIN;
		const char *head = a->x1 != a->x2 ? ">" : a->y1 < a->y2 ? "v" : "^";

		/* What goes by the programs here is behind their box. */
		canvas_line(canvas, a->x1, y + a->y1, a->x2, y + a->y2, pen, INK_PLAIN);
		canvas_text(canvas, a->x2, y + a->y2, 0, INK_PLAIN, head);
	}
	for (enum cell c = 0; c < CELLS; c++)
		draw_station(canvas, &l->cells[c], cells[c].title, y, c != PROGRAMS);
}

static bool has_bridge(const struct ruleset *rs)
{
	for (size_t h = 0; h < HOOK_COUNT; h++)
		for (size_t i = 0; i < rs->nhooks[h]; i++)
			if (rs->hooks[h][i]->table->family == FAMILY_BRIDGE)
				return true;
	return false;
}

/* The packets', and below it that of frames on a bridge. */
static unsigned parts(const struct ruleset *rs)
{
	return has_bridge(rs) ? 2 : 1;
}

static unsigned text_picture(struct canvas *canvas, const struct picture *p, unsigned y)
{
	struct layout l;

	if (p->title) {
		autofree char *title = xstrdup(p->title);

		text_clean(title);
		canvas_text(canvas, 0, y, 0, INK_PLAIN, title);
		y += 2;
	}
	for (unsigned bridge = 0; bridge < parts(p->rs); bridge++) {
		if (bridge == 1) {
			canvas_text(canvas, 0, y, 0, INK_PLAIN, "frames on a bridge");
			y += 2;
		}
		lay_out(&l, p->rs, p->path, bridge == 1);
		draw_layout(canvas, &l, y);
		y += l.height + 1;
		layout_done(&l);
	}
	return y + 1;
}

void draw_text(const struct picture *pictures, size_t n, bool ascii, FILE *to)
{
	struct canvas canvas;
	unsigned y = 0;

	canvas_init(&canvas, CANVAS_COLUMNS_MAX);
	for (size_t i = 0; i < n; i++)
		y = text_picture(&canvas, &pictures[i], y);
	canvas_print(&canvas, ascii ? CANVAS_ASCII : CANVAS_PLAIN, to);
	canvas_done(&canvas);
}

/* SVG */

static unsigned px(unsigned column)
{
	return MARGIN + (unsigned)(column * GLYPH);
}

static unsigned py(unsigned row)
{
	return MARGIN + row * ROW;
}

/* Names come from outside: nothing in them may end the text. */
static void put_escaped(const char *s, FILE *to)
{
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;

		if (c == '&' || c == '<' || c == '>' || c == '"')
			(void)fprintf(to, "&#%u;", c);
		else
			(void)fputc(c < ' ' || c >= 0x7f ? '?' : c, to);
	}
}

static void svg_text(unsigned x, unsigned y, const char *class, const char *text, FILE *to)
{
	(void)fprintf(to, "<text x=\"%u\" y=\"%u\" class=\"%s\" xml:space=\"preserve\">", x, y,
		      class);
	put_escaped(text, to);
	(void)fputs("</text>\n", to);
}

static void svg_station(const struct station *s, const char *title, unsigned y, FILE *to)
{
	(void)fprintf(
		to, "<rect x=\"%u\" y=\"%u\" width=\"%u\" height=\"%u\" rx=\"6\" class=\"%s\"/>\n",
		px(s->x), py(y + s->y), px(s->width) - MARGIN, s->height * ROW,
		s->any_hot ? "station hot" : "station");
	svg_text(px(s->x) + 8, py(y + s->y) + 14, "title", title, to);
	for (size_t i = 0; i < s->lines.n; i++)
		svg_text(px(s->x) + 8, py(y + s->y + 1 + (unsigned)i) + 14,
			 s->hot[i] ? "hot" : "chain", s->lines.items[i], to);
}

static void svg_layout(const struct layout *l, unsigned y, FILE *to)
{
	struct arrow list[ARROWS];

	arrows(l, list);
	for (size_t i = 0; i < ARROWS; i++)
		(void)fprintf(
			to,
			"<line x1=\"%u\" y1=\"%u\" x2=\"%u\" y2=\"%u\" class=\"%s\" "
			"marker-end=\"url(#head)\"/>\n",
			px(list[i].x1), py(y + list[i].y1) + (list[i].x1 == list[i].x2 ? 2 : 9),
			px(list[i].x2), py(y + list[i].y2) + (list[i].x1 == list[i].x2 ? 14 : 9),
			list[i].hot ? "arrow hot" : "arrow");
	for (enum cell c = 0; c < CELLS; c++)
		svg_station(&l->cells[c], cells[c].title, y, to);
}

/* The row below it. */
static unsigned svg_picture(const struct picture *p, unsigned y, unsigned *width, FILE *to)
{
	struct layout l;

	if (p->title) {
		if (to)
			svg_text(px(0), py(y) + 14, "title", p->title, to);
		y += 2;
	}
	for (unsigned bridge = 0; bridge < parts(p->rs); bridge++) {
		if (bridge == 1 && to)
			svg_text(px(0), py(y) + 14, "title", "frames on a bridge", to);
		y += 2 * bridge;
		lay_out(&l, p->rs, p->path, bridge == 1);
		if (to)
			svg_layout(&l, y, to);
		y += l.height + 1;
		*width = MAX(*width, l.width);
		layout_done(&l);
	}
	return y;
}

/* Their size; they are drawn if to is set. */
static void svg_pictures(const struct picture *pictures, size_t n, unsigned *width,
			 unsigned *height, FILE *to)
{
	*width = *height = 0;
	for (size_t i = 0; i < n; i++)
		*height = svg_picture(&pictures[i], *height + (i > 0), width, to);
}

void draw_svg(const struct picture *pictures, size_t n, FILE *to)
{
	static const char style[] =
		"text{font:12px monospace;fill:#212529}.title{font-weight:bold}"
		".station{fill:#fff;stroke:#495057;stroke-width:1.5}.station.hot{stroke:#b02a4c;"
		"stroke-width:3}text.hot{fill:#b02a4c;font-weight:bold}"
		".arrow{stroke:#495057;stroke-width:1.5}.arrow.hot{stroke:#b02a4c;stroke-width:3}";
	unsigned width = 0, height = 0;

	svg_pictures(pictures, n, &width, &height, NULL);
	(void)fprintf(
		to,
		"<svg xmlns=\"http://www.w3.org/2000/svg\" width=\"%u\" height=\"%u\">\n"
		"<style>%s</style>\n<defs><marker id=\"head\" markerUnits=\"userSpaceOnUse\" markerWidth=\"8\" markerHeight=\"8\" "
		"refX=\"7\" refY=\"4\" orient=\"auto\"><path d=\"M0 0L8 4L0 8z\"/></marker></defs>\n"
		"<rect width=\"100%%\" height=\"100%%\" fill=\"#f8f9fa\"/>\n",
		px(width) + MARGIN, py(height) + MARGIN, style);
	svg_pictures(pictures, n, &width, &height, to);
	(void)fputs("</svg>\n", to);
}
