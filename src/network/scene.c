/* src/network/scene.c
 *
 * A cable is matched by both of its ends: each link tells the index of its other end and how its
 * own namespace numbers the one that the other end is in.
 */
#include "network/scene.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <linux/rtnetlink.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/alloc.h"
#include "kernel/netns_list.h"
#include "kernel/nft.h"
#include "kernel/stack.h"
#include "network/picture.h"
#include "network/scene_ports.h"

#define LINES_MAX 8 /* routes and sockets of a box that are told one by one */

/* A namespace beside the host's; the box of the same number shows it. */
struct place {
	struct stack stack;
	int fd;
	int nsid;      /* how the host numbers it */
	int host_nsid; /* how it numbers the host */
};

struct camera {
	const struct scene *scene;
	struct picture *picture;
	struct stack host;
	struct place *places;
	size_t nplaces;
	int *links; /* segment by segment, its link's index on the host */
};

static void camera_done(struct camera *c)
{
	for (size_t i = 0; i < c->nplaces; i++) {
		stack_done(&c->places[i].stack);
		if (c->places[i].fd >= 0)
			(void)close(c->places[i].fd);
	}
	free(c->places);
	free(c->links);
	stack_done(&c->host);
}

/* addresses and routes as texts */

static void add_addresses(const struct stack *stack, int index, struct strv *ret)
{
	for (size_t i = 0; i < stack->addresses.n; i++) {
		const struct stack_address *a = &stack->addresses.items[i];

		if (a->index == index && !a->link_local)
			strv_addf(ret, "%s/%u", a->ip, a->prefix_len);
	}
}

static bool is_link_local(const struct stack_route *r)
{
	return r->v6 && strcmp(r->to, "fe80::/64") == 0;
}

static void route_line(const struct stack_route *r, struct strv *ret)
{
	if (r->type != RTN_UNICAST)
		strv_addf(ret, "%s %s", stack_route_type(r->type), r->to);
	else if (r->via[0])
		strv_addf(ret, "%s via %s", r->to, r->via);
	else
		strv_addf(ret, "%s", r->to);
}

/* Of an uplink what is not told by its addresses. */
static void add_uplink_routes(const struct stack *stack, int index, struct strv *ret)
{
	for (size_t i = 0; i < stack->routes.n; i++) {
		const struct stack_route *r = &stack->routes.items[i];

		if (r->index == index && r->proto != RTPROT_KERNEL && r->table == RT_TABLE_MAIN)
			route_line(r, ret);
	}
}

static void add_segment_routes(const struct stack *stack, int index, struct strv *ret)
{
	for (size_t i = 0; i < stack->routes.n; i++) {
		const struct stack_route *r = &stack->routes.items[i];

		if (r->index == index && r->table == RT_TABLE_MAIN && !is_link_local(r))
			route_line(r, ret);
	}
}

/* segments */

static int find_segment(const struct camera *c, int link)
{
	for (size_t i = 0; i < c->picture->nsegments; i++)
		if (c->links[i] == link)
			return (int)i;
	return -1;
}

static int add_segment(struct camera *c, const struct stack_link *link, const char *kind)
{
	struct picture_segment *s = picture_add_segment(c->picture, link->name, kind);
	size_t n = c->picture->nsegments;

	c->links = xrealloc(c->links, n, sizeof(*c->links));
	c->links[n - 1] = link->index;
	s->up = link->up;
	for (size_t i = 0; i < c->scene->nnetworks; i++)
		if (strcmp(c->scene->networks[i].link, link->name) == 0)
			s->network = xstrdup(c->scene->networks[i].name);
	return (int)n - 1;
}

static void add_bridges(struct camera *c)
{
	for (size_t i = 0; i < c->host.links.n; i++) {
		const struct stack_link *link = &c->host.links.items[i];
		struct picture_segment *s;
		int n;

		if (strcmp(link->kind, "bridge") != 0)
			continue;
		n = add_segment(c, link, "bridge"); /* which moves the array */
		s = &c->picture->segments[n];
		add_addresses(&c->host, link->index, &s->addresses);
		add_segment_routes(&c->host, link->index, &s->routes);
		s->routed = s->addresses.n > 0 || s->routes.n > 0;
		scene_segment_remark(c->scene->table, link->name, &s->remarks);
	}
}

/* boxes */

static int add_place(struct camera *c, int fd, const char *name, pid_t pid, struct error *err)
{
	struct place place = { .fd = fd };
	int r = stack_read(fd, STACK_WHOLE, &place.stack, err);

	if (r == 0)
		r = stack_nsid(-1, fd, &place.nsid, err);
	if (r == 0) {
		autoclose int host = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);

		r = host < 0 ? error_sys(err, -errno, "open the host's network namespace")
			     : stack_nsid(fd, host, &place.host_nsid, err);
	}
	if (r < 0) {
		stack_done(&place.stack);
		(void)close(fd);
		return r;
	}
	if (pid > 0)
		stack_name_sockets(&place.stack, pid);
	c->places = xrealloc(c->places, c->nplaces + 1, sizeof(*c->places));
	c->places[c->nplaces++] = place;
	(void)picture_add_box(c->picture, name);
	return 0;
}

static struct place *find_place(struct camera *c, ino_t ino)
{
	for (size_t i = 0; i < c->nplaces; i++)
		if (c->places[i].stack.ino == ino)
			return &c->places[i];
	return NULL;
}

static int add_container(struct camera *c, const struct scene_container *container,
			 struct error *err)
{
	autoclose int fd = open(container->netns, O_RDONLY | O_CLOEXEC);
	struct place *known;
	struct stat st;
	int r;

	if (fd < 0 || fstat(fd, &st) < 0)
		return 0; /* it ended meanwhile */
	if (st.st_ino == c->host.ino) {
		strv_addf(&c->picture->guests, "%s  in this namespace (network host)",
			  container->name);
		return 0;
	}
	known = find_place(c, st.st_ino);
	if (known) {
		strv_add(&c->picture->boxes[known - c->places].names, container->name);
		stack_name_sockets(&known->stack, container->pid);
		return 0;
	}
	r = add_place(c, steal_fd(&fd), container->name, container->pid, err);
	return r < 0 ? error_wrap(err, r, "look into container %s", container->name) : 0;
}

static const struct place *place_of(const struct camera *c, const struct stack_link *host_end)
{
	for (size_t i = 0; i < c->nplaces; i++)
		if (host_end->peer_nsid >= 0 && c->places[i].nsid == host_end->peer_nsid)
			return &c->places[i];
	return NULL;
}

/* A port of a bridge whose other end is in a namespace of somebody else: find out whose. */
static bool has_unknown_ports(const struct camera *c)
{
	for (size_t i = 0; i < c->host.links.n; i++) {
		const struct stack_link *link = &c->host.links.items[i];

		if (link->master && link->peer_nsid >= 0 && !place_of(c, link))
			return true;
	}
	return false;
}

static bool numbers_a_port(const struct camera *c, int nsid)
{
	for (size_t i = 0; nsid >= 0 && i < c->host.links.n; i++)
		if (c->host.links.items[i].master && c->host.links.items[i].peer_nsid == nsid)
			return true;
	return false;
}

static int add_strangers(struct camera *c, struct error *err)
{
	struct netns_list list;
	int r = 0;

	if (!has_unknown_ports(c))
		return 0;
	netns_list_read(&list);
	for (size_t i = 0; r == 0 && i < list.n; i++) {
		const struct netns_item *item = &list.items[i];
		autoclose int fd = -1;
		int nsid = -1;

		if (item->ino == c->host.ino || find_place(c, item->ino))
			continue;
		fd = open(item->path, O_RDONLY | O_CLOEXEC);
		if (fd >= 0 && stack_nsid(-1, fd, &nsid, NULL) == 0 && numbers_a_port(c, nsid))
			r = add_place(c, steal_fd(&fd), item->name, item->pid, err);
	}
	netns_list_done(&list);
	return r;
}

/* The host's end of a cable into this place, or NULL. */
static const struct stack_link *host_end(const struct camera *c, const struct place *place,
					 const struct stack_link *link)
{
	const struct stack_link *end;

	if (link->peer_nsid < 0 || link->peer_nsid != place->host_nsid)
		return NULL;
	end = stack_link(&c->host, link->peer);
	return end;
}

static void add_plug(struct camera *c, size_t box, const struct stack_link *link)
{
	const struct stack_link *end = host_end(c, &c->places[box], link);
	const char *cable = end ? end->name : NULL;
	struct picture_plug *plug;
	int segment = -1;

	if (end && strcmp(link->kind, "veth") == 0) {
		segment = end->master ? find_segment(c, end->master) : -1;
	} else if (end) { /* a macvlan or its like, on a device of the host */
		segment = find_segment(c, end->index);
		if (segment < 0)
			segment = add_segment(c, end, link->kind);
		cable = link->kind;
	}
	plug = picture_add_plug(&c->picture->boxes[box], link->name, segment, cable);
	plug->up = link->up;
	add_addresses(&c->places[box].stack, link->index, &plug->addresses);
}

static void add_route_lines(const struct stack *stack, struct strv *ret)
{
	for (size_t i = 0; i < stack->routes.n; i++) {
		const struct stack_route *r = &stack->routes.items[i];

		if (r->proto != RTPROT_KERNEL && r->table == RT_TABLE_MAIN && !is_link_local(r))
			route_line(r, ret);
	}
}

static bool told_before(const struct stack *stack, size_t socket)
{
	const struct stack_socket *s = &stack->sockets.items[socket];

	for (size_t i = 0; i < socket; i++)
		if (stack->sockets.items[i].port == s->port &&
		    stack->sockets.items[i].protocol == s->protocol)
			return true;
	return false;
}

static void add_socket_lines(const struct stack *stack, struct strv *ret)
{
	for (size_t i = 0; i < stack->sockets.n; i++) {
		const struct stack_socket *s = &stack->sockets.items[i];
		bool any = strcmp(s->ip, "0.0.0.0") == 0 || strcmp(s->ip, "::") == 0;

		if (!told_before(stack, i))
			strv_addf(ret, "listens %s%s%u/%s%s%s", any ? "" : s->ip, any ? "" : " ",
				  s->port, s->protocol == IPPROTO_TCP ? "tcp" : "udp",
				  s->program[0] ? " " : "", s->program);
	}
}

static void fill_box(struct camera *c, size_t box)
{
	const struct stack *stack = &c->places[box].stack;
	struct picture_box *b;
	struct strv lines = { 0 };

	for (size_t i = 0; i < stack->links.n; i++)
		if (!stack->links.items[i].loopback)
			add_plug(c, box, &stack->links.items[i]);
	b = &c->picture->boxes[box];
	if (b->nplugs == 0)
		strv_add(&lines, "loopback only: no way in or out");
	add_route_lines(stack, &lines);
	add_socket_lines(stack, &lines);
	strv_extend(&b->lines, lines.items, MIN(lines.n, (size_t)LINES_MAX));
	if (lines.n > LINES_MAX)
		strv_addf(&b->lines, "and %zu more", lines.n - LINES_MAX);
	strv_done(&lines);
}

/* uplinks: what is neither loopback nor a bridge, and leads into no box */

static void add_uplink(struct camera *c, const struct stack_link *link)
{
	struct picture_uplink *u;

	if (link->loopback || strcmp(link->kind, "bridge") == 0 || place_of(c, link))
		return;
	u = picture_add_uplink(c->picture, link->name, link->kind);
	u->up = link->up;
	u->segment = find_segment(c, link->master ? link->master : link->index);
	add_addresses(&c->host, link->index, &u->addresses);
	add_uplink_routes(&c->host, link->index, &u->routes);
}

static void find_plug(const struct camera *c, const char *ip, int *ret_box, int *ret_plug)
{
	size_t len = strlen(ip);

	for (size_t i = 0; i < c->picture->nboxes; i++) {
		for (size_t k = 0; k < c->picture->boxes[i].nplugs; k++) {
			const struct strv *a = &c->picture->boxes[i].plugs[k].addresses;

			for (size_t n = 0; n < a->n; n++) {
				if (strncmp(a->items[n], ip, len) != 0 || a->items[n][len] != '/')
					continue;
				*ret_box = (int)i;
				*ret_plug = (int)k;
				return;
			}
		}
	}
}

static bool somebody_listens(const struct stack *stack, const struct scene_port *port)
{
	if (port->count > 1 || (port->protocol != IPPROTO_TCP && port->protocol != IPPROTO_UDP))
		return true; /* not known, or not one answer */
	for (size_t i = 0; i < stack->sockets.n; i++) {
		const struct stack_socket *s = &stack->sockets.items[i];

		if (s->protocol != port->protocol || s->port != port->target)
			continue;
		if (strcmp(s->ip, port->to) == 0 || strcmp(s->ip, "::") == 0 ||
		    (strcmp(s->ip, "0.0.0.0") == 0 && !strchr(port->to, ':')))
			return true;
	}
	return false;
}

/* A port that leads to this host itself: the resolver of a network, at the network's gateway.  It
 * is part of the bridge, and no way from outside into a container.
 */
static bool is_service(struct camera *c, const struct scene_port *port)
{
	const struct stack *host = &c->host;
	int segment = -1;

	for (size_t i = 0; i < host->addresses.n && segment < 0; i++)
		if (strcmp(host->addresses.items[i].ip, port->to) == 0)
			segment = find_segment(c, host->addresses.items[i].index);
	if (segment < 0 || !somebody_listens(host, port))
		return false;
	scene_service_remark(port, &c->picture->segments[segment].remarks);
	return true;
}

static int add_ports(struct camera *c, struct error *err)
{
	struct scene_ports ports = { .n = 0 };
	int r = scene_ports_read(c->scene->table, &ports, err);

	for (size_t i = 0; r == 0 && i < ports.n; i++) {
		const struct scene_port *port = &ports.items[i];
		autofree char *from = scene_port_from(port), *to = scene_port_to(port);
		int box = -1, plug = -1;
		struct picture_port *p;

		if (is_service(c, port))
			continue;
		find_plug(c, port->to, &box, &plug);
		p = picture_add_port(c->picture, from, to, box, plug);
		p->answered = box >= 0 && somebody_listens(&c->places[box].stack, port);
	}
	free(ports.items);
	return r;
}

static int take(struct camera *c, struct error *err)
{
	char host[256] = "";
	int r = stack_read(-1, STACK_WHOLE, &c->host, err);

	(void)gethostname(host, sizeof(host) - 1);
	c->picture->host = xstrdup(host);
	for (size_t i = 0; r == 0 && i < c->scene->ncontainers; i++)
		r = add_container(c, &c->scene->containers[i], err);
	if (r == 0)
		r = add_strangers(c, err);
	if (r < 0)
		return r;
	add_bridges(c);
	for (size_t i = 0; i < c->nplaces; i++)
		fill_box(c, i);
	for (size_t i = 0; i < c->host.links.n; i++)
		add_uplink(c, &c->host.links.items[i]);
	return add_ports(c, err);
}

int scene_read(const struct scene *scene, struct picture *ret, struct error *err)
{
	struct picture picture = { .host = NULL };
	struct camera c = { .scene = scene, .picture = &picture };
	int r = take(&c, err);

	camera_done(&c);
	if (r < 0) {
		picture_done(&picture);
		return r;
	}
	picture_sort(&picture);
	*ret = picture;
	return 0;
}
