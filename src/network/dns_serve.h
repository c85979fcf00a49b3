/* src/network/dns_serve.h - strake-dns: the life of one network's resolver.
 *
 * Its sockets are made by the command that starts it (network/names_server.c), so that it needs no
 * privilege and takes off what it has before it reads the first byte from a container.  It ends
 * when a change leaves its network without containers.
 */
#ifndef NETWORK_DNS_SERVE_H
#define NETWORK_DNS_SERVE_H

#include <stdbool.h>

#include "base/strv.h"

struct dns_serve_request {
	const char *network;
	struct strv gateways; /* our addresses */
	struct strv subnets;  /* ADDRESS/LENGTH: who may ask; others get no answer */
	struct strv servers;  /* whom to ask; empty: the host's resolv.conf */
	struct strv udp, tcp; /* descriptors of bound sockets, as numbers; with tcp listening */
	int control_fd;       /* listens for changes */
	int records_fd;       /* the first change, a file */
	int status_fd;        /* where to report the start, as base/error.h */
	bool internal;
};

int dns_serve(const struct dns_serve_request *req);

#endif
