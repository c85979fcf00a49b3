/* src/lab/facts.h - what the kernel has in a lab's nodes right now, as far as diagnosing needs it.
 *
 * Where the file says one thing and the kernel another, the kernel is right.  Everything is read
 * once, when it is asked for first.
 */
#ifndef LAB_FACTS_H
#define LAB_FACTS_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"
#include "lab/frame.h"
#include "lab/lab.h"

struct nl;

struct fact_link {
	int index, master;
	char name[IF_NAMESIZE];
	unsigned char mac[MAC_LEN];
	unsigned mtu;
	bool up, carrier, noarp;
	/* as a bridge's port */
	uint8_t stp_state; /* BR_STATE_FORWARDING, ... */
	bool isolated, flood, flood_broadcast, flood_multicast, learns;
	uint16_t pvid;      /* of a filtering bridge; 0: none */
	uint8_t vlans[512]; /* bits: which it takes */
	bool has_vlans;
	/* of a VXLAN link */
	uint32_t vni;
	uint16_t udp_port;
	struct ip group; /* family 0: it has a list, see fdb_read() */
};

struct fact_address {
	int index;
	struct ip_net net; /* with host bits */
};

struct facts_node {
	struct fact_link *links;
	size_t n_links, room_links;
	struct fact_address *addresses;
	size_t n_addresses, room_addresses;
	struct nl *nl;
};

struct facts {
	struct lab *lab;
	struct facts_node **nodes; /* NULL: not read */
};

void facts_init(struct facts *f, struct lab *lab);
void facts_done(struct facts *f);
int facts_node(struct facts *f, size_t node, const struct facts_node **ret,
	       struct error *err) must_check;
const struct fact_link *fact_link(const struct facts_node *n, int index); /* or NULL */
/* The address that ip is there, or NULL; and the first in whose subnet it is. */
const struct fact_address *fact_address(const struct facts_node *n, const struct ip *ip);
const struct fact_address *fact_subnet(const struct facts_node *n, const struct ip *ip);
/* A number below /proc/sys/net of the node; -1: it has none. */
int facts_sysctl(struct facts *f, size_t node, const char *path);

/* What the kernel would do with a packet; -errno is its refusal. */
struct way {
	int index;        /* out of this link */
	uint8_t type;     /* RTN_UNICAST, RTN_LOCAL, ... */
	struct ip via;    /* family 0: on link */
	struct ip source; /* what it would take as its own address */
};
/* from and in (an index) are of a packet that came in; 0: the node sends it itself. */
int facts_route(struct facts *f, size_t node, const struct ip *to, const struct ip *from, int in,
		struct way *ret) must_check;
/* What a node has for an address: NUD_ state, 0 if nothing. */
int facts_neighbour(struct facts *f, size_t node, int index, const struct ip *ip,
		    unsigned char ret_mac[MAC_LEN]);
/* Whether it has an entry to answer for that address there: "ip neigh add proxy". */
bool facts_proxies(struct facts *f, size_t node, int index, const struct ip *ip);

/* All interfaces in the lab that have an address: calls each until it returns true. */
bool facts_owners(struct facts *f, const struct ip *ip,
		  bool (*each)(void *data, size_t node, const struct fact_address *address),
		  void *data);
/* The node and link that have a hardware address; other: another than that node. */
bool facts_mac(struct facts *f, const unsigned char mac[MAC_LEN], size_t other, size_t *ret_node,
	       int *ret_index);
/* "h1:eth0"; the caller frees. */
char *facts_name(struct facts *f, size_t node, int index);

#endif
