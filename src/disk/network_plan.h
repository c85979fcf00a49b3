/* src/disk/network_plan.h - how a machine is to reach its network, as --network says it. */
#ifndef DISK_NETWORK_PLAN_H
#define DISK_NETWORK_PLAN_H

#include <stddef.h>

#include "base/error.h"
#include "base/ip.h"

#define PLAN_ADDRESSES_MAX 8
#define PLAN_GATEWAYS_MAX  2 /* one of a family */
#define PLAN_DNS_MAX       3 /* as resolv.conf takes */
#define PLAN_INTERFACE_MAX 15

enum network_way {
	NETWORK_UNSAID,
	NETWORK_NONE,
	NETWORK_DHCP,
	NETWORK_STATIC,
};

struct network_plan {
	enum network_way way;
	char interface[PLAN_INTERFACE_MAX + 1]; /* "": whatever is Ethernet */
	struct ip_net addresses[PLAN_ADDRESSES_MAX];
	size_t naddresses; /* of NETWORK_STATIC: at least one */
	struct ip gateways[PLAN_GATEWAYS_MAX];
	size_t ngateways;
	struct ip dns[PLAN_DNS_MAX];
	size_t ndns;
};

/* "none", "dhcp", "192.0.2.5/24,2001:db8::5/64,gateway=192.0.2.1,dns=192.0.2.53"; each may have
 * "interface=eth1".  NULL: unsaid.
 */
int network_plan_parse(const char *text, struct network_plan *ret, struct error *err) must_check;

#endif
