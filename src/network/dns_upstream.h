/* src/network/dns_upstream.h - whom to ask for names that are not ours. */
#ifndef NETWORK_DNS_UPSTREAM_H
#define NETWORK_DNS_UPSTREAM_H

#include <netinet/in.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "base/macros.h"

#define DNS_SERVERS_MAX 3 /* as libc: what more there is nobody asks */
#define DNS_CONF_MAX    (64U << 10)

union dns_address {
	struct sockaddr any;
	struct sockaddr_in in;
	struct sockaddr_in6 in6;
};

struct dns_servers {
	union dns_address list[DNS_SERVERS_MAX];
	size_t n;
	size_t first; /* where to begin: the one that answered last */
};

/* "192.0.2.53", "2001:db8::53", "fe80::1%eth0"; port 53. */
bool dns_server_parse(const char *text, union dns_address *ret);
/* As inet_ntop() writes it, without port and link. */
bool dns_address_format(const union dns_address *address, char ret[INET6_ADDRSTRLEN]);
socklen_t dns_address_len(const union dns_address *address);

/* The "nameserver" lines of a resolv.conf, without those in avoid (NULL-terminated): our own
 * addresses, which would ask themselves for ever.
 */
void dns_servers_parse(const char *text, const char *const *avoid, struct dns_servers *ret);

/* A file that is read again when it was changed. */
struct dns_conf {
	const char *path;
	struct stat seen;
	int64_t looked_ms;
	struct dns_servers servers;
};
struct dns_servers *dns_conf_servers(struct dns_conf *conf, const char *const *avoid,
				     int64_t now_ms);

#endif
