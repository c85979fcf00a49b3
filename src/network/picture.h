/* src/network/picture.h - what a drawing of the host's networks shows, and nothing about how.
 *
 * Left to right, as a packet from outside goes: uplinks into the host's stack; published ports and
 * routes out of it; segments, which are bridges or what a macvlan stands on; boxes, which are the
 * network namespaces at the segments' cables.  A picture is made by scene_read(), or by hand in a
 * test; picture_text.h and picture_svg.h draw it.  It owns all its texts.
 */
#ifndef NETWORK_PICTURE_H
#define NETWORK_PICTURE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/strv.h"

struct picture_uplink {
	char *name;
	char *kind; /* "" of a device */
	bool up;
	int segment; /* it is itself a port of this bridge, or what this macvlan stands on; -1 */
	struct strv addresses, routes; /* "192.0.2.1/24"; "default via 192.0.2.254" */
};

struct picture_segment {
	char *name;                    /* of the bridge or the device */
	char *network;                 /* NULL: none of ours */
	char *kind;                    /* "bridge", "macvlan" */
	struct strv remarks;           /* "internal: no way out", "names: strake-dns" */
	struct strv addresses, routes; /* of the host in it, and to it */
	bool up, routed;               /* routed: packets of the host's stack come here */
};

struct picture_plug { /* an interface in a box */
	char *name;   /* "eth0" */
	int segment;  /* -1: it leads nowhere that we see */
	char *cable;  /* the other end's name, or "macvlan"; NULL */
	bool up;
	struct strv addresses;
};

struct picture_box {
	struct strv names; /* of the containers in it; or "netns blue", "process 4711 (dhcpd)" */
	struct picture_plug *plugs;
	size_t nplugs;
	struct strv lines; /* routes and listening sockets, for people */
};

struct picture_port {  /* a published one */
	char *from;    /* "8080/tcp", "127.0.0.1:53/udp", "[::1]:8000-8010/tcp" */
	char *to;      /* "10.120.0.2:80" */
	int box, plug; /* both -1: no interface has this address */
	bool answered; /* somebody listens there */
};

struct picture {
	char *host;
	struct picture_uplink *uplinks;
	struct picture_segment *segments;
	struct picture_box *boxes;
	struct picture_port *ports;
	size_t nuplinks, nsegments, nboxes, nports;
	struct strv guests; /* containers in the host's own namespace, and other remarks about it */
};

void picture_done(struct picture *p);
/* Each returns the new last one, zeroed but for what "none" is; good until the next is added. */
struct picture_uplink *picture_add_uplink(struct picture *p, const char *name, const char *kind);
struct picture_segment *picture_add_segment(struct picture *p, const char *name, const char *kind);
struct picture_box *picture_add_box(struct picture *p, const char *name);
struct picture_plug *picture_add_plug(struct picture_box *box, const char *name, int segment,
				      const char *cable);
struct picture_port *picture_add_port(struct picture *p, const char *from, const char *to, int box,
				      int plug);
/* Boxes in the order of their first segment, those at none last; ports follow. */
void picture_sort(struct picture *p);
/* Leaves the network or bridge of that name with all in it, or the container of that name with its
 * networks; -ENOENT: there is neither.
 */
int picture_keep(struct picture *p, const char *name) must_check;
char *picture_box_title(const struct picture_box *box); /* "web, helper"; the caller frees */
/* What the interface alone tells: "eth0 10.120.0.2/20", or "eth0 (down)"; the caller frees. */
char *picture_plug_text(const struct picture_plug *plug);

#endif
