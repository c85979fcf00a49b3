/* src/network/picture.c */
#include "network/picture.h"

#include <limits.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"

#define TITLE_BYTES 4096

/* One more at the end of a counted array; these are short, so it grows one by one. */
#define ADD(items, n)                                                                              \
	({                                                                                         \
		(items) = xrealloc((items), (n) + 1, sizeof(*(items)));                            \
		(items)[n] = (__typeof__(*(items))) { 0 };                                         \
		&(items)[(n)++];                                                                   \
	})

struct picture_uplink *picture_add_uplink(struct picture *p, const char *name, const char *kind)
{
	struct picture_uplink *u = ADD(p->uplinks, p->nuplinks);

	u->name = xstrdup(name);
	u->kind = xstrdup(kind);
	u->up = true;
	u->segment = -1;
	return u;
}

struct picture_segment *picture_add_segment(struct picture *p, const char *name, const char *kind)
{
	struct picture_segment *s = ADD(p->segments, p->nsegments);

	s->name = xstrdup(name);
	s->kind = xstrdup(kind);
	s->up = true;
	return s;
}

struct picture_box *picture_add_box(struct picture *p, const char *name)
{
	struct picture_box *b = ADD(p->boxes, p->nboxes);

	strv_add(&b->names, name);
	return b;
}

struct picture_plug *picture_add_plug(struct picture_box *box, const char *name, int segment,
				      const char *cable)
{
	struct picture_plug *plug = ADD(box->plugs, box->nplugs);

	plug->name = xstrdup(name);
	plug->segment = segment;
	plug->cable = xstrdup_or_null(cable);
	plug->up = true;
	return plug;
}

struct picture_port *picture_add_port(struct picture *p, const char *from, const char *to, int box,
				      int plug)
{
	struct picture_port *port = ADD(p->ports, p->nports);

	port->from = xstrdup(from);
	port->to = xstrdup(to);
	port->box = box;
	port->plug = plug;
	port->answered = true;
	return port;
}

static void box_done(struct picture_box *b)
{
	for (size_t i = 0; i < b->nplugs; i++) {
		free(b->plugs[i].name);
		free(b->plugs[i].cable);
		strv_done(&b->plugs[i].addresses);
	}
	free(b->plugs);
	strv_done(&b->names);
	strv_done(&b->lines);
}

static void port_done(struct picture_port *port)
{
	free(port->from);
	free(port->to);
}

static void segment_done(struct picture_segment *s)
{
	free(s->name);
	free(s->network);
	free(s->kind);
	strv_done(&s->remarks);
	strv_done(&s->addresses);
	strv_done(&s->routes);
}

void picture_done(struct picture *p)
{
	for (size_t i = 0; i < p->nuplinks; i++) {
		free(p->uplinks[i].name);
		free(p->uplinks[i].kind);
		strv_done(&p->uplinks[i].addresses);
		strv_done(&p->uplinks[i].routes);
	}
	for (size_t i = 0; i < p->nsegments; i++)
		segment_done(&p->segments[i]);
	for (size_t i = 0; i < p->nboxes; i++)
		box_done(&p->boxes[i]);
	for (size_t i = 0; i < p->nports; i++)
		port_done(&p->ports[i]);
	free(p->uplinks);
	free(p->segments);
	free(p->boxes);
	free(p->ports);
	free(p->host);
	strv_done(&p->guests);
	*p = (struct picture) { .host = NULL };
}

/* sorting */

static unsigned first_segment(const struct picture_box *b)
{
	unsigned first = UINT_MAX;

	for (size_t i = 0; i < b->nplugs; i++)
		first = MIN(first, (unsigned)b->plugs[i].segment);
	return first;
}

/* By insertion: stable, and mostly sorted already.  order[i] is the old place of the new i. */
static void sort_order(const struct picture *p, size_t *order)
{
	for (size_t i = 0; i < p->nboxes; i++) {
		unsigned key = first_segment(&p->boxes[i]);
		size_t k = i;

		for (; k > 0 && first_segment(&p->boxes[order[k - 1]]) > key; k--)
			order[k] = order[k - 1];
		order[k] = i;
	}
}

void picture_sort(struct picture *p)
{
	autofree size_t *order = xcalloc(p->nboxes + 1, sizeof(*order));
	autofree size_t *place = xcalloc(p->nboxes + 1, sizeof(*place));
	struct picture_box *sorted = xcalloc(p->nboxes + 1, sizeof(*sorted));

	sort_order(p, order);
	for (size_t i = 0; i < p->nboxes; i++) {
		sorted[i] = p->boxes[order[i]];
		place[order[i]] = i;
	}
	for (size_t i = 0; i < p->nports; i++)
		if (p->ports[i].box >= 0)
			p->ports[i].box = (int)place[p->ports[i].box];
	free(p->boxes);
	p->boxes = sorted;
}

/* texts */

char *picture_box_title(const struct picture_box *box)
{
	struct buf text = BUF_INIT(TITLE_BYTES);

	for (size_t i = 0; i < box->names.n; i++)
		buf_addf(&text, "%s%s", i ? ", " : "", box->names.items[i]);
	return buf_steal(&text);
}

char *picture_plug_text(const struct picture_plug *plug)
{
	const char *address = plug->addresses.n ? plug->addresses.items[0] : "no address";

	return xasprintf("%s  %s%s", plug->name, address, plug->up ? "" : "  (down)");
}

/* a part of it */

static bool box_has_name(const struct picture_box *b, const char *name)
{
	return strv_has(&b->names, name);
}

/* What stays: the segments of that name and the boxes in them, else the boxes of that name. */
static bool choose(const struct picture *p, const char *name, bool *segments, bool *boxes)
{
	bool found = false, by_segment = false;

	for (size_t i = 0; i < p->nsegments; i++) {
		const struct picture_segment *s = &p->segments[i];

		segments[i] =
			strcmp(s->name, name) == 0 || (s->network && strcmp(s->network, name) == 0);
		by_segment = by_segment || segments[i];
	}
	for (size_t i = 0; i < p->nboxes; i++) {
		const struct picture_box *b = &p->boxes[i];

		boxes[i] = !by_segment && box_has_name(b, name);
		for (size_t k = 0; by_segment && k < b->nplugs; k++)
			boxes[i] = boxes[i] ||
				   (b->plugs[k].segment >= 0 && segments[b->plugs[k].segment]);
		for (size_t k = 0; boxes[i] && !by_segment && k < b->nplugs; k++)
			if (b->plugs[k].segment >= 0)
				segments[b->plugs[k].segment] = true;
		found = found || boxes[i];
	}
	return found || by_segment;
}

/* Moves what is kept to the front; place[old] is where it is now, or -1. */
#define COMPACT(items, n, keep, place, done)                                                       \
	do {                                                                                       \
		size_t kept_ = 0;                                                                  \
		for (size_t i_ = 0; i_ < (n); i_++) {                                              \
			(place)[i_] = (keep)[i_] ? (int)kept_ : -1;                                \
			if ((keep)[i_])                                                            \
				(items)[kept_++] = (items)[i_];                                    \
			else                                                                       \
				done(&(items)[i_]);                                                \
		}                                                                                  \
		(n) = kept_;                                                                       \
	} while (0)

static void renumber(struct picture *p, const int *segments, const int *boxes)
{
	size_t n = 0;

	for (size_t i = 0; i < p->nuplinks; i++)
		if (p->uplinks[i].segment >= 0)
			p->uplinks[i].segment = segments[p->uplinks[i].segment];
	for (size_t i = 0; i < p->nboxes; i++)
		for (size_t k = 0; k < p->boxes[i].nplugs; k++)
			if (p->boxes[i].plugs[k].segment >= 0)
				p->boxes[i].plugs[k].segment =
					segments[p->boxes[i].plugs[k].segment];
	for (size_t i = 0; i < p->nports; i++) {
		struct picture_port port = p->ports[i];

		port.box = port.box >= 0 ? boxes[port.box] : -1;
		if (port.box >= 0)
			p->ports[n++] = port;
		else
			port_done(&port);
	}
	p->nports = n;
}

int picture_keep(struct picture *p, const char *name)
{
	autofree bool *segments = xcalloc(p->nsegments + 1, sizeof(*segments));
	autofree bool *boxes = xcalloc(p->nboxes + 1, sizeof(*boxes));
	autofree int *segment_place = xcalloc(p->nsegments + 1, sizeof(*segment_place));
	autofree int *box_place = xcalloc(p->nboxes + 1, sizeof(*box_place));

	if (!choose(p, name, segments, boxes))
		return -ENOENT;
	COMPACT(p->segments, p->nsegments, segments, segment_place, segment_done);
	COMPACT(p->boxes, p->nboxes, boxes, box_place, box_done);
	renumber(p, segment_place, box_place);
	strv_done(&p->guests);
	return 0;
}
