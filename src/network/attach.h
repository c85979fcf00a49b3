/* src/network/attach.h - a container's places in networks: reserved in the database, then made.
 *
 * The order is the promise that a kill at any moment is cleaned up:
 *	network_reserve()  inside the caller's transaction: addresses, link names, ports are ours
 *	network_attach()   after its commit: bridges, table, namespace, cables, addresses, ports
 *	network_detach()   when the run has ended, or in the next command; rows go last
 * network_connect() and network_disconnect() do the same for one network of a container that is
 * attached, running or not.
 */
#ifndef NETWORK_ATTACH_H
#define NETWORK_ATTACH_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"
#include "base/strv.h"
#include "network/network.h"
#include "network/port.h"

#define NETWORK_LINK_PREFIX                                                                        \
	"sk-" /* of cables; the rest is the container's short ID and a number                      \
	       */
#define NETWORK_MAC_LEN 6

struct db;

/* One network of a container, as its user or a CNI configuration asks for it. */
struct endpoint_request {
	const char *network; /* its name; "bridge" is made at first use */
	struct ip ip, ip6;   /* family 0: any */
	bool has_mac;
	unsigned char mac[NETWORK_MAC_LEN];
	const char *interface;      /* its name inside; NULL: ethN */
	const struct strv *aliases; /* may be NULL */
};

struct network_request {
	const char *id;   /* of the container */
	const char *name; /* what names are made of; NULL: none */
	const struct endpoint_request *endpoints;
	size_t nendpoints;
	const struct strv *publish;  /* as port.h; may be NULL */
	const struct strv *dns;      /* who is asked for names of others; may be NULL */
	uint64_t rate_up, rate_down; /* bits a second from and to the container; 0: no limit */
};

/* One network of a container, reserved. */
struct endpoint {
	struct network network; /* owned */
	char link[IF_NAMESIZE]; /* the host's end of the cable; "" for macvlan and ipvlan */
	char interface[IF_NAMESIZE];
	unsigned char mac[NETWORK_MAC_LEN];
	struct ip_net ip, ip6; /* addresses with their subnet's length; family 0: none */
	struct ip gateway, gateway6;
	struct strv aliases; /* owned */
};

struct network_lease {
	char id[65];
	char table[NETWORK_TABLE_LEN];
	struct endpoint
		*endpoints; /* owned; the first that has a gateway gives the default route */
	size_t nendpoints;
	struct port *ports; /* owned; with host ports chosen */
	size_t nports;
	uint64_t rate_up, rate_down;
	struct strv dns; /* owned; whom strake-dns asks for it: --dns */
};
void network_lease_done(struct network_lease *lease); /* leaves it empty */
/* The endpoint that published ports lead to, or NULL. */
const struct endpoint *network_lease_gate(const struct network_lease *lease);
/* How its i-th port is told: on an IPv6 network a port of any address is one of [::].  The caller's
 * to free.
 */
char *network_lease_port(const struct network_lease *lease, size_t i);

/* For names.h: its addresses, where names are answered to it, and the host's address that it
 * reaches ("": none).
 */
void network_lease_names(const struct network_lease *lease, struct strv *ret_addresses,
			 struct strv *ret_resolvers, char ret_gateway[IP_TEXT_LEN]);

struct table_elements;
/* Its elements of the table. */
void network_lease_collect(const struct network_lease *lease, struct table_elements *ret);

/* Where an instance keeps what networks need beside the database. */
struct network_site {
	struct db *db;
	int root_fd;          /* of the lasting state; -1 in a dry run if it is not there */
	const char *root;     /* absolute, of the lasting state: what is made bears it as a note */
	const char *run_root; /* absolute; run_root/networks/NAME/ is a network's own place */
	const char *libexec;  /* directory of strake-dns */
	struct nft_door *nft; /* for who detaches several in a row; NULL: none is kept open */
};

/* Inside a transaction.  -ENOENT: no such network; -EADDRINUSE: an address or a port is taken, the
 * text says by whom; -ENOSPC: no address is left.  ret is the caller's on success.
 */
int network_reserve(const struct network_site *site, const struct network_request *req,
		    struct network_lease *ret, struct error *err) must_check;
/* What network_reserve() gave, read again; nendpoints is 0 if there is nothing. */
int network_lease_read(struct db *db, const char *id, struct network_lease *ret,
		       struct error *err) must_check;

/* The kernel's side.  netns is a path where a namespace is made (and kept by that file), or with
 * ATTACH_EXISTING one that there is: a CNI runtime's, or that of a container that runs.
 * ATTACH_MENDED: the bridge has just been made again, in a dry run by the script.
 */
enum attach_flags { ATTACH_NEW = 0, ATTACH_EXISTING = 1, ATTACH_MENDED = 2 };
int network_attach(const struct network_site *site, const struct network_lease *lease,
		   const char *netns, enum attach_flags flags, struct error *err) must_check;
/* The rest for one network that was added to a lease; netns is that of a container that runs. */
int network_attach_again(const struct network_site *site, const struct network_lease *lease,
			 const char *network, const char *netns, enum attach_flags flags,
			 struct error *err) must_check;
/* A namespace file with nothing but its loopback, up. */
int network_none(const char *netns, struct error *err) must_check;

/* Takes back whatever there is of it, in the kernel and in the database; nothing there is fine.
 * netns is the file that network_attach() made, or NULL if it made none.  With the last container
 * of a network its bridge goes too, with the last of all networks the table.
 */
int network_detach(const struct network_site *site, const char *id, const char *netns,
		   struct error *err) must_check;

/* One network more or less for a container that runs, in the namespace netns; with transactions of
 * their own.
 */
int network_connect(const struct network_site *site, const char *id, const char *name,
		    const struct endpoint_request *req, const char *netns,
		    struct error *err) must_check;
int network_disconnect(const struct network_site *site, const char *id, const char *network,
		       const char *netns, struct error *err) must_check;

#endif
