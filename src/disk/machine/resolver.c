/* src/disk/machine/resolver.c */
#include "disk/machine/resolver.h"

#include <arpa/inet.h>
#include <stdio.h>
#include <string.h>

#define OPTION_RDNSS 25 /* type, length in units of 8 bytes, 2 reserved, 4 lifetime, addresses */
#define HEAD_LEN     8
#define IN6_LEN      16

void resolver_clear(struct resolver *r, enum resolver_from from)
{
	r->n[from] = 0;
	if (from == FROM_DHCP)
		r->domain[0] = '\0';
}

void resolver_add(struct resolver *r, enum resolver_from from, int family, const void *bytes)
{
	size_t n = r->n[from];

	if (n == RESOLVER_FROM_MAX ||
	    !inet_ntop(family, bytes, r->servers[from][n], RESOLVER_ADDRESS_MAX))
		return;
	for (size_t i = 0; i < n; i++)
		if (strcmp(r->servers[from][i], r->servers[from][n]) == 0)
			return;
	r->n[from]++;
}

void resolver_write(const struct resolver *r, const char *path)
{
	FILE *to;

	if (r->n[FROM_ORDERS] + r->n[FROM_DHCP] + r->n[FROM_ROUTER] == 0)
		return;
	to = fopen(path, "we");
	if (!to)
		return;
	if (r->domain[0])
		(void)fprintf(to, "search %s\n", r->domain);
	for (size_t from = 0; from < RESOLVER_FROMS; from++)
		for (size_t i = 0; i < r->n[from]; i++)
			(void)fprintf(to, "nameserver %s\n", r->servers[from][i]);
	(void)fclose(to);
}

void resolver_read_router(struct resolver *r, const unsigned char *options, size_t len)
{
	static const unsigned char over[4] = { 0, 0, 0, 0 };

	for (size_t at = 0; at + HEAD_LEN <= len;) {
		size_t n = (size_t)options[at + 1] * 8;

		if (n == 0 || at + n > len)
			return;
		if (options[at] == OPTION_RDNSS)
			resolver_clear(r, FROM_ROUTER);
		/* A lifetime of zero takes them back. */
		if (options[at] == OPTION_RDNSS && memcmp(options + at + 4, over, 4) != 0)
			for (size_t k = HEAD_LEN; k + IN6_LEN <= n; k += IN6_LEN)
				resolver_add(r, FROM_ROUTER, AF_INET6, options + at + k);
		at += n;
	}
}
