/* src/network/dns_resolve.h - what we say to a question, or that somebody else has to be asked. */
#ifndef NETWORK_DNS_RESOLVE_H
#define NETWORK_DNS_RESOLVE_H

#include <netinet/in.h>
#include <stdbool.h>

#include "network/dns_message.h"
#include "network/dns_records.h"

#define DNS_DOMAIN       "strake.internal"
#define DNS_GATEWAYS_MAX 8

/* The network that one resolver serves. */
struct dns_zone {
	struct dns_records *records; /* owned by the server */
	const char *network;
	const char *gateways[DNS_GATEWAYS_MAX]; /* the host's addresses in it, NULL-terminated */
	bool internal;                          /* nothing outside is asked */
};

enum { DNS_FORWARD = -1 };

/* The rcode of an answer that is in a, or DNS_FORWARD.
 *
 * Ours are: the names of view, alone, behind "." and their network's name, or in DNS_DOMAIN;
 * host.DNS_DOMAIN and what Docker and Podman call it; addresses of containers backwards; names
 * without a dot, which no server outside can know; and in an internal network all the rest.
 */
int dns_resolve(const struct dns_zone *zone, const struct dns_view *view,
		const struct dns_query *query, struct dns_answer *a) must_check;

#endif
