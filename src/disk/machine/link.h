/* src/disk/machine/link.h - the network link of the machine: up, with an address that stays ours.
 *
 * The link is the one that is named, else the first that the kernel found of those that are
 * Ethernet cards and have a cable; the others stay down.  Its IPv6 addresses and routes are the
 * kernel's work, by what routers advertise.  No call waits for anything but link_start().
 */
#ifndef DISK_MACHINE_LINK_H
#define DISK_MACHINE_LINK_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "disk/machine/dhcp.h"
#include "disk/machine/resolver.h"

#define LINK_ADDRESSES_MAX 8

enum link_state {
	LINK_OFF,        /* there is none, or it has addresses of the orders */
	LINK_SELECTING,  /* DISCOVER is out */
	LINK_REQUESTING, /* REQUEST is out */
	LINK_BOUND,      /* the lease is ours */
	LINK_RENEWING,   /* and runs out, if nobody says otherwise */
};

struct link {
	char name[IFNAMSIZ]; /* wanted, then chosen */
	bool dhcp;
	const char *addresses[LINK_ADDRESSES_MAX]; /* "192.0.2.5/24" */
	size_t naddresses;
	const char *gateways[2];
	size_t ngateways;
	struct resolver resolver;
	enum link_state state;
	int sock;   /* UDP, while there is something to say; else -1 */
	int router; /* what routers advertise about names; else -1 */
	uint32_t xid;
	unsigned char mac[6];
	unsigned tries;
	struct dhcp_lease lease;
	int64_t bound_ms, next_ms; /* next_ms: when link_tick() has something to do; -1: never */
};

/* Returns when the link has an address, or has waited for it long enough. */
void link_start(struct link *l);
/* Milliseconds until link_tick() is due, -1: never. */
int link_wait_ms(const struct link *l);
void link_tick(struct link *l);
/* Something has come in on l->sock, l->router. */
void link_hear_server(struct link *l);
void link_hear_router(struct link *l);

#endif
