/* src/lab/topology.h - a lab as its file describes it: nodes, interfaces, links, checks.
 *
 * topology_parse() makes it out of a file's bytes, and it can only hold valid values: every name is
 * resolved to an index, every interface has a name and a MAC address, each address is one that its
 * interface may have.  Nothing changes it afterwards.
 *
 * A node is a network namespace.  Each interface is one that `ip link` shows inside it:
 *	host, router, container   eth0, eth1, ...; eth0.10 is VLAN 10 on eth0
 *	hub, switch               its ports eth0, eth1, ..., and BRIDGE_NAME, the bridge itself
 * BRIDGE_NAME has the switch's own addresses, if it has any.  A port of a switch that has addresses
 * (or "routed: true") is no port of the bridge but an interface of the switch as a router.
 *
 * An interface that a link does not name gets the first free ethN of its node, in the order of the
 * links.  MAC addresses are 02:SS:NN:NN:II:II: a hash of the lab's name, the node's number from 1
 * and the interface's number from 0, so that they are the same each time.
 */
#ifndef LAB_TOPOLOGY_H
#define LAB_TOPOLOGY_H

#include <net/if.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"
#include "base/strv.h"

struct yaml;

#define LAB_NAME_MAX      63
#define LAB_LOCK_ENDING   ".lock"
#define LAB_NODE_NAME_MAX 63 /* a label of DNS; interface names are the kernel's 15 */
#define LAB_NODES_MAX     4096
#define LAB_PORTS_MAX     1000  /* of one node: a bridge takes 1023 */
#define LAB_VLAN_MAX      4094  /* 0 and 4095 are reserved by 802.1Q */
#define BRIDGE_NAME       "br0" /* the bridge of a hub or switch */

#define NO_INDEX SIZE_MAX

enum node_kind { NODE_HOST, NODE_HUB, NODE_SWITCH, NODE_ROUTER, NODE_CONTAINER };

enum tristate { UNSET = -1, OFF, ON };

enum interface_kind {
	IF_CABLE,  /* end of a link */
	IF_VLAN,   /* eth0.10: a tag on another interface */
	IF_VXLAN,  /* frames in UDP */
	IF_BRIDGE, /* BRIDGE_NAME of a hub or switch */
	IF_LOCAL,  /* "lo", where a file gives it more addresses, as routers have */
};

struct vxlan {
	uint32_t vni;
	struct ip local;    /* family 0: the kernel chooses */
	struct ip *remotes; /* head-end list: broadcast goes to each of these */
	size_t n_remotes;
	struct ip group; /* or a multicast group; then dev is set */
	uint16_t port;
	size_t dev; /* index of the interface that it leaves by; NO_INDEX */
};

struct interface {
	char name[IF_NAMESIZE];
	enum interface_kind kind;
	unsigned char mac[6];
	unsigned mtu;             /* 0: the kernel's */
	struct ip_net *addresses; /* with host bits */
	size_t n_addresses;
	size_t link;     /* IF_CABLE: index into links; NO_INDEX: no cable in it */
	size_t parent;   /* IF_VLAN: index of the interface below it */
	uint16_t vlan;   /* IF_VLAN: the tag. A switch's port: access VLAN, 0: none */
	uint16_t *trunk; /* a switch's port: tagged VLANs */
	size_t n_trunk;
	uint16_t native; /* of a trunk: VLAN of untagged frames, 0: they are dropped */
	bool routed;     /* a switch's port that is no port of the bridge */
	bool isolated;   /* no frame from here to another isolated port */
	bool down;       /* not set up */
	enum tristate proxy_arp, proxy_ndp, rp_filter_set, forwarding;
	int rp_filter;      /* 0, 1, 2, when rp_filter_set is ON */
	struct ip *proxied; /* addresses that proxy NDP answers for */
	size_t n_proxied;
	struct vxlan vxlan; /* IF_VXLAN */
};

struct lab_route {
	struct ip_net to; /* all zero with prefix_len 0: default */
	struct ip via;    /* family 0: on link */
	size_t dev;       /* interface index, NO_INDEX: as via says */
	unsigned metric;  /* 0: the kernel's */
};

/* A destination rewritten on the way in: what publishing a port is. */
struct lab_publish {
	struct ip address; /* family 0: any of the node's own */
	uint16_t port;
	uint8_t protocol; /* IPPROTO_TCP, IPPROTO_UDP */
	struct ip to;
	uint16_t to_port;
	bool from_outside, from_itself; /* hook prerouting, hook output */
};

/* A name that a node's name server knows beside those of the nodes. */
struct lab_record {
	char *name; /* small letters */
	struct ip ip;
};

struct node {
	char name[LAB_NODE_NAME_MAX + 1];
	enum node_kind kind;
	unsigned line; /* where the file declares it */
	struct interface *interfaces;
	size_t n_interfaces;
	struct lab_route *routes; /* with the default gateways */
	size_t n_routes;
	bool forwarding; /* of IPv4 and IPv6 */
	bool has_v6;     /* some interface has an IPv6 address: else IPv6 is off */
	/* hub, switch */
	bool stp;
	unsigned ageing_s; /* 0: nothing is learned */
	bool vlan_aware;   /* some port has a VLAN */
	/* masquerade what leaves by these */
	size_t *nat;
	size_t n_nat;
	struct lab_publish *publish;
	size_t n_publish;
	bool dns; /* answers for the names of all nodes, and for records */
	struct lab_record *records;
	size_t n_records;
	struct ip *resolvers; /* whom it asks for names; none: its /etc/hosts has them all */
	size_t n_resolvers;
	struct strv run; /* shell commands, in order, when the lab is up */
	/* container: exactly one of the three is set */
	char *image, *directory, *bare;
	struct strv command;
};

struct link_end {
	size_t node, interface; /* indices */
};

struct impairment {
	uint32_t delay_us, jitter_us;
	uint32_t loss_ppm; /* frames lost of a million */
	uint64_t rate_bps; /* bits a second; 0: as fast as it goes */
};

struct lab_link {
	struct link_end ends[2];
	struct impairment impair; /* of each direction */
	unsigned mtu;             /* 0: the kernel's */
	bool down;                /* unplugged from the start */
	unsigned line;
};

/* One entry of "checks:": {KIND: ARGUMENTS}. */
struct lab_check {
	const char *kind;             /* "reach", ...: see read_check.c */
	const struct yaml *arguments; /* borrowed from the topology's document */
	const struct yaml *map; /* the whole entry: keys beside the kind, such as answered-by */
};
#define CHECK_MTU_MIN 576U
#define CHECK_MTU_MAX 9216U

struct topology {
	char name[LAB_NAME_MAX + 1];
	char *what;        /* the file, as messages name it */
	char *description; /* one line; NULL */
	struct node *nodes;
	size_t n_nodes;
	struct lab_link *links;
	size_t n_links;
	struct lab_check *checks;
	size_t n_checks;
	struct yaml *document; /* what all this was read from */
};

/* what is the file's name, for messages; a lab without "name:" is called after it. */
int topology_parse(const char *bytes, size_t len, const char *what, struct topology **ret,
		   struct error *err) must_check;
void topology_free(struct topology *t);
DEFINE_CLEANUP(struct topology *, topology, topology_free);

const char *node_kind_name(enum node_kind kind);
static inline bool node_is_bridge(const struct node *n) /* has BRIDGE_NAME */
{
	return n->kind == NODE_HUB || n->kind == NODE_SWITCH;
}

/* NO_INDEX if there is none. */
size_t topology_find_node(const struct topology *t, const char *name);
/* The same with a text that names the nearest one. */
int topology_need_node(const struct topology *t, const char *name, size_t *ret,
		       struct error *err) must_check;
size_t node_find_interface(const struct node *n, const char *name);
/* "h1:eth0", or "h1", which is its only cable (or its bridge).  The text says what is wrong, with
 * the nearest name.
 */
int topology_find_end(const struct topology *t, const char *text, struct link_end *ret,
		      struct error *err) must_check;
/* Which link joins two ends, "h1" or "h1:eth0" each; -ENOENT. */
int topology_find_link(const struct topology *t, const char *a, const char *b, size_t *ret,
		       struct error *err) must_check;
/* "h1:eth0" */
#define LINK_END_LEN (LAB_NODE_NAME_MAX + IF_NAMESIZE + 2)
void link_end_format(const struct topology *t, const struct link_end *end, char ret[LINK_END_LEN]);
static inline const struct interface *link_end_interface(const struct topology *t,
							 const struct link_end *end)
{
	return &t->nodes[end->node].interfaces[end->interface];
}

#endif
