/* src/why/packet.h - a packet as somebody describes it, or as a probe would be.
 *
 *	in eth0 from 10.0.0.1 to 10.0.0.2 tcp dport 80 state new
 *	tcp 10.0.0.1:1234 -> 10.0.0.2:80 in eth0 out br0
 *
 * With "bridged" the links are ports of a bridge, and the rules are those for its frames.
 * Of each field it is known what it is, that the packet has none, or nothing at all.
 */
#ifndef WHY_PACKET_H
#define WHY_PACKET_H

#include "base/error.h"
#include "why/field.h"

struct strv;
struct buf;

enum knowledge {
	NOT_KNOWN,
	ABSENT,
	KNOWN,
};

/* Where its way through the host begins and ends. */
enum way {
	WAY_IN,      /* to a program here */
	WAY_THROUGH, /* from one link to another */
	WAY_OUT,     /* from a program here */
};

struct packet {
	enum way way;
	bool is_frame; /* from one port of a bridge to another */
	u128 value[FIELD_COUNT];
	uint8_t known[FIELD_COUNT];
};

/* What else the host knows, where rules alone do not say it. */
struct world_route {
	struct range to;
	bool v6;
	char link[16];
};
struct world {
	struct world_address {
		u128 value;
		bool v6;
		char link[16]; /* "" if it was not said */
	} * local;
	size_t nlocal, local_room;
	struct world_route *routes;
	size_t nroutes, routes_room;
};
void world_done(struct world *w);
/* "10.0.0.1", "10.0.0.1=eth0"; "10.0.0.0/8=eth0", "default=eth0" */
int world_add_local(struct world *w, const char *text, struct error *err) must_check;
int world_add_route(struct world *w, const char *text, struct error *err) must_check;
/* The first address of a link; false: none is known. */
bool world_address_of(const struct world *w, bool v6, u128 link, u128 *ret);
bool world_is_local(const struct world *w, bool v6, u128 address);
/* The link of the longest prefix; NULL: nothing is known. */
const char *world_route(const struct world *w, bool v6, u128 address);

/* An error names the word that is wrong. */
int packet_parse(const struct strv *words, struct packet *ret, struct error *err) must_check;
bool packet_is_v6(const struct packet *p);
static inline bool packet_has(const struct packet *p, enum field field)
{
	return p->known[field] == KNOWN;
}
void packet_set(struct packet *p, enum field field, u128 value);
enum field packet_saddr(const struct packet *p); /* of its family */
enum field packet_daddr(const struct packet *p);
/* "10.0.0.1:1234 > 10.0.0.2:80 tcp" */
void packet_format(const struct packet *p, struct buf *to);

#endif
