/* src/network/attach.h - a container's place in a network: reserved in the database, then made.
 *
 * The order is the promise that a kill at any moment is cleaned up: network_reserve() inside the
 * caller's transaction, network_attach() after its commit, network_detach() when the run ended or
 * in the next command; its rows go last.
 */
#ifndef NETWORK_ATTACH_H
#define NETWORK_ATTACH_H

#include <net/if.h>
#include <netinet/in.h>
#include <stdbool.h>

#include "base/error.h"
#include "network/port.h"

#define NETWORK_LINK_PREFIX "sk-" /* of cables; the rest is the container's short ID */

struct db;
struct strv;

struct network_request {
	const char *id;             /* of the container */
	const char *network;        /* its name; "bridge" is made at first use */
	const struct strv *publish; /* as port.h */
};

struct network_lease {
	char id[65];
	char network[64];
	char bridge[IF_NAMESIZE]; /* the link on the host */
	char table[32];           /* in nftables */
	char link[IF_NAMESIZE];   /* the host's end of the cable */
	char address[INET_ADDRSTRLEN];
	char gateway[INET_ADDRSTRLEN];
	struct in_addr ip, gateway_ip;
	unsigned prefix_len;
	struct port *ports; /* with host ports chosen; owned */
	size_t nports;
};
void network_lease_done(struct network_lease *lease);

/* Inside a transaction.  -ENOENT: no such network; -EADDRINUSE: a port is taken, the text says by
 * whom; -ENOSPC: no address is left.
 */
int network_reserve(struct db *db, const struct network_request *req, struct network_lease *ret,
		    struct error *err) must_check;

/* The kernel's side: bridge, table, namespace file, cable, address, route, ports. */
int network_attach(struct db *db, const struct network_lease *lease, const char *netns,
		   struct error *err) must_check;
/* A namespace file with nothing but its loopback. */
int network_none(const char *netns, struct error *err) must_check;

/* Takes back whatever there is of it, in the kernel and in the database; nothing there is fine.
 * With the last container of a network its bridge and table go too.
 */
int network_detach(struct db *db, const char *id, const char *netns, struct error *err) must_check;

#endif
