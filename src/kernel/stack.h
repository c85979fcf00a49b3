/* src/kernel/stack.h - one network namespace as the kernel describes it: links, addresses, routes,
 * rules, neighbours and listening sockets.
 *
 * Only reads.  Addresses are texts, as inet_ntop() writes them, so that two can be compared and
 * shown.  What is of no interest to people is left out: the local table, multicast routes.
 */
#ifndef KERNEL_STACK_H
#define KERNEL_STACK_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"

#define STACK_LIST_MAX 4096 /* entries kept of each list: a router may have a million routes */
#define STACK_MAC_LEN  18
#define STACK_KIND_LEN 16

struct stack_link {
	int index;
	int master;    /* index of the bridge that it is plugged into; 0: none */
	int peer;      /* index of a cable's other end, or of what a macvlan stands on; 0: none */
	int peer_nsid; /* the namespace that peer is in, see stack_nsid(); -1: this one */
	bool up, carrier, loopback;
	uint32_t mtu;
	char name[IF_NAMESIZE];
	char kind[STACK_KIND_LEN]; /* "veth", "bridge", "macvlan"; "" of a device */
	char mac[STACK_MAC_LEN];
};

struct stack_address {
	int index; /* of its link */
	bool v6, link_local;
	unsigned prefix_len;
	char ip[INET6_ADDRSTRLEN];
};

struct stack_route {
	int index; /* of the link that it leads out of; 0: none, or several ways */
	bool v6;
	uint8_t type;      /* RTN_UNICAST, RTN_BLACKHOLE, ... */
	uint8_t proto;     /* RTPROT_KERNEL: came with an address */
	bool shadowed;     /* an equal one comes first: this one is never taken */
	uint8_t rp_filter; /* of the link of a shadowed one: 0, 1, 2 */
	uint32_t table, metric;
	char to[INET6_ADDRSTRLEN + 4]; /* "default", "10.0.0.0/8" */
	char via[INET6_ADDRSTRLEN];    /* "" */
};

struct stack_rule {
	bool v6;
	uint32_t priority, table, mark;
	char from[INET6_ADDRSTRLEN + 4], to[INET6_ADDRSTRLEN + 4]; /* "all" */
	char in[IF_NAMESIZE];
};

struct stack_neighbour {
	int index;
	uint16_t state; /* NUD_REACHABLE, ... */
	char ip[INET6_ADDRSTRLEN];
	char mac[STACK_MAC_LEN];
};

struct stack_socket {
	uint8_t protocol; /* IPPROTO_TCP: listens; IPPROTO_UDP: bound and not connected */
	uint16_t port;
	uint64_t inode;
	char ip[INET6_ADDRSTRLEN]; /* "0.0.0.0", "::" */
	char program[16];          /* see stack_name_sockets(); "" */
};

#define STACK_LIST(type)                                                                           \
	struct {                                                                                   \
		struct type *items;                                                                \
		size_t n, room;                                                                    \
	}

struct stack {
	dev_t dev; /* with ino: which namespace this is */
	ino_t ino;
	STACK_LIST(stack_link) links;
	STACK_LIST(stack_address) addresses;
	STACK_LIST(stack_route) routes;
	STACK_LIST(stack_rule) rules;
	STACK_LIST(stack_neighbour) neighbours;
	STACK_LIST(stack_socket) sockets;
	bool cut; /* a list was longer than STACK_LIST_MAX */
};

/* Of the namespace netns_fd; -1: the one that we are in.  The calling process has one thread.
 * Reading the sockets takes the kernel longer than all else (10 ms: it looks through a table of all
 * namespaces): without them the list is empty.
 */
enum stack_depth { STACK_WITHOUT_SOCKETS, STACK_WHOLE };
int stack_read(int netns_fd, enum stack_depth depth, struct stack *ret,
	       struct error *err) must_check;
void stack_done(struct stack *stack);

/* How the namespace at home_fd numbers the one at netns_fd, in peer_nsid of its links: -1 if it
 * never met it.  home_fd may be -1 for our own.
 */
int stack_nsid(int home_fd, int netns_fd, int *ret, struct error *err) must_check;

struct nl;
/* One link by its name; -ENODEV. */
int stack_find_link(struct nl *nl, const char *name, struct stack_link *ret) must_check;
const struct stack_link *stack_link(const struct stack *stack, int index); /* or NULL */
/* Fills in the programs that hold the sockets, found among the descriptors of process pid. */
void stack_name_sockets(struct stack *stack, pid_t pid);
const char *stack_neighbour_state(uint16_t state); /* "reachable", "stale", ... */
const char *stack_route_type(uint8_t type);        /* "unicast", "blackhole", ... */

#endif
