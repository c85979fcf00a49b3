/* src/disk/machine/dhcp.h - the four messages of RFC 2131 that a client needs: bytes in, bytes out.
 */
#ifndef DISK_MACHINE_DHCP_H
#define DISK_MACHINE_DHCP_H

#include <stddef.h>
#include <stdint.h>

#define DHCP_MESSAGE_MAX 1472 /* of UDP, in one Ethernet frame */
#define DHCP_SEARCH_MAX  256
#define DHCP_DNS_MAX     3

enum dhcp_type {
	DHCP_DISCOVER = 1,
	DHCP_OFFER = 2,
	DHCP_REQUEST = 3,
	DHCP_ACK = 5,
	DHCP_NAK = 6,
	DHCP_RENEW = 256, /* a REQUEST of an address that we have; never received */
};

/* Addresses in the order of the network. */
struct dhcp_lease {
	uint32_t address, mask, router, server;
	uint32_t dns[DHCP_DNS_MAX];
	size_t ndns;
	uint32_t seconds;       /* 0: not said, for ever */
	uint32_t renew, rebind; /* seconds, renew <= rebind <= seconds */
	char domain[DHCP_SEARCH_MAX];
};

/* lease: what is asked for, of a REQUEST and a RENEW.  Returns the length. */
size_t dhcp_build(unsigned char bytes[DHCP_MESSAGE_MAX], enum dhcp_type type, uint32_t xid,
		  const unsigned char mac[6], const struct dhcp_lease *lease);
/* Its type, or 0: it is none, damaged, or meant for another. */
int dhcp_parse(const unsigned char *bytes, size_t len, uint32_t xid, const unsigned char mac[6],
	       struct dhcp_lease *ret);

#endif
