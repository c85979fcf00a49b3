/* src/lab/verdict.c */
#include "lab/verdict.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/nearest.h"

static const char *const names[] = {
	[CAUSE_NONE] = "none",
	[CAUSE_NO_ROUTE] = "no-route",
	[CAUSE_NO_RETURN_ROUTE] = "no-return-route",
	[CAUSE_ROUTE_REFUSES] = "route-refuses",
	[CAUSE_ROUTING_LOOP] = "routing-loop",
	[CAUSE_TTL] = "ttl",
	[CAUSE_WRONG_GATEWAY] = "wrong-gateway",
	[CAUSE_FORWARDING_OFF] = "forwarding-off",
	[CAUSE_RP_FILTER] = "rp-filter",
	[CAUSE_FIREWALL] = "firewall",
	[CAUSE_MTU] = "mtu",
	[CAUSE_ARP_UNANSWERED] = "arp-unanswered",
	[CAUSE_PROXY_ARP_OFF] = "proxy-arp-off",
	[CAUSE_WRONG_NEIGHBOUR] = "wrong-neighbour",
	[CAUSE_MASK_MISMATCH] = "mask-mismatch",
	[CAUSE_DUPLICATE_ADDRESS] = "duplicate-address",
	[CAUSE_DUPLICATE_MAC] = "duplicate-mac",
	[CAUSE_ADDRESS_MISSING] = "address-missing",
	[CAUSE_LINK_DOWN] = "link-down",
	[CAUSE_NOT_CONNECTED] = "not-connected",
	[CAUSE_UNPLUGGED] = "unplugged",
	[CAUSE_ISOLATED] = "isolated-port",
	[CAUSE_VLAN] = "vlan-mismatch",
	[CAUSE_STP] = "spanning-tree",
	[CAUSE_FLOOD_OFF] = "flood-off",
	[CAUSE_FRAMES_LOST] = "frames-lost",
	[CAUSE_VXLAN] = "vxlan",
	[CAUSE_NAT] = "nat",
	[CAUSE_IGNORED] = "ignored",
	[CAUSE_ROUTE_CLASH] = "route-clash",
	[CAUSE_STORM] = "storm",
	[CAUSE_DNS_SERVER] = "name-server-down",
	[CAUSE_DNS_ADDRESS] = "wrong-name-server",
	[CAUSE_DNS_NAME] = "name-unknown",
	[CAUSE_DNS_RECORD] = "wrong-record",
	[CAUSE_UNKNOWN] = "unknown",
};

const char *cause_name(enum cause cause)
{
	return names[cause];
}

bool cause_is_name(const char *text, const char **ret_near)
{
	struct nearest near = nearest_init(text);

	for (size_t i = CAUSE_NONE + 1; i < ARRAY_SIZE(names); i++) {
		if (strcmp(names[i], text) == 0)
			return true;
		nearest_try(&near, names[i]);
	}
	*ret_near = near.best;
	return false;
}

bool verdict_set(struct verdict *v, enum cause cause, size_t node, const char *fmt, ...)
{
	va_list ap;

	if (v->cause != CAUSE_NONE)
		return true;
	v->cause = cause;
	v->node = node;
	va_start(ap, fmt);
	(void)vsnprintf(v->text, sizeof(v->text), fmt, ap);
	va_end(ap);
	return true;
}
