/* src/disk/machine/resolver.h - /etc/resolv.conf, of what DHCP, routers and orders know. */
#ifndef DISK_MACHINE_RESOLVER_H
#define DISK_MACHINE_RESOLVER_H

#include <stddef.h>

#define RESOLVER_FROM_MAX    3 /* servers of one source; more are not read by any libc */
#define RESOLVER_ADDRESS_MAX 46
#define RESOLVER_DOMAIN_MAX  256

enum resolver_from { FROM_ORDERS, FROM_DHCP, FROM_ROUTER, RESOLVER_FROMS };

struct resolver {
	char servers[RESOLVER_FROMS][RESOLVER_FROM_MAX][RESOLVER_ADDRESS_MAX];
	size_t n[RESOLVER_FROMS];
	char domain[RESOLVER_DOMAIN_MAX];
};

void resolver_clear(struct resolver *r, enum resolver_from from);
/* family: AF_INET, AF_INET6; bytes in the order of the network. */
void resolver_add(struct resolver *r, enum resolver_from from, int family, const void *bytes);
/* Writes the file, if anything is known. */
void resolver_write(const struct resolver *r, const char *path);

/* RFC 8106: the servers that a router's advertisement names; options as they were in it. */
void resolver_read_router(struct resolver *r, const unsigned char *options, size_t len);

#endif
