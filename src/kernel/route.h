/* src/kernel/route.h - addresses of links, and routes.  where and nl as in link.h. */
#ifndef KERNEL_ROUTE_H
#define KERNEL_ROUTE_H

#include <stdbool.h>

#include "base/error.h"
#include "base/ip.h"

struct nl;

/* Usable at once: an IPv6 address is not tried out on the wire first.  One that is there is fine.
 */
int address_add(struct nl *nl, int index, const char *name, const struct ip_net *address,
		const char *where, struct error *err) must_check;
/* Whether an address is one of this namespace's own; its subnet's length goes to ret_prefix_len. */
int address_find(struct nl *nl, const struct ip *ip, bool *ret) must_check;
/* The first address of a family on a link; -ENOENT. */
int address_of_link(struct nl *nl, int index, uint8_t family, struct ip_net *ret) must_check;
/* The first on it that lies in a subnet; -ENOENT. */
int address_of_link_in(struct nl *nl, int index, const struct ip_net *net,
		       struct ip *ret) must_check;

#define ROUTE_ALSO_MAX 15
struct route {
	struct ip_net to; /* family 0: the default route of via's family */
	struct ip via;
	const struct ip *also; /* gateways of the same cost beside via; index is 0 then */
	size_t n_also;         /* at most ROUTE_ALSO_MAX */
	int index;             /* of the link; 0: as via says */
	unsigned metric;       /* 0: the kernel's */
	const char *name;      /* of the link, for narration; NULL without index */
	bool is_maybe; /* one that is there is left (-EEXIST); a script must not end over it */
};
int route_add(struct nl *nl, const struct route *route, const char *where,
	      struct error *err) must_check;
/* The link that the default route leaves by, IPv4's first; -ENOENT. */
int route_uplink(struct nl *nl) must_check;

/* Where a default route by the link leads to that lies inside net; -ENOENT. */
int route_gateway_in(struct nl *nl, int index, const struct ip_net *net, struct ip *ret) must_check;

/* The first unicast route of the main table, other than default ones, that overlaps, and not by the
 * link except; "" if there is none, else such as "10.0.0.0/8 dev eth0".
 */
#define ROUTE_TEXT_LEN 80
int route_overlaps(struct nl *nl, const struct ip_net *net, int except, char ret[ROUTE_TEXT_LEN],
		   struct error *err) must_check;

#endif
