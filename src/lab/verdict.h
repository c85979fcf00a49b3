/* src/lab/verdict.h - why two nodes do not reach each other: the first thing that went wrong. */
#ifndef LAB_VERDICT_H
#define LAB_VERDICT_H

#include <stdbool.h>
#include <stddef.h>

#include "base/ip.h"
#include "base/macros.h"

enum cause {
	CAUSE_NONE, /* nothing is wrong */
	CAUSE_NO_ROUTE,
	CAUSE_NO_RETURN_ROUTE,
	CAUSE_ROUTE_REFUSES,
	CAUSE_ROUTING_LOOP,
	CAUSE_TTL,
	CAUSE_WRONG_GATEWAY,
	CAUSE_FORWARDING_OFF,
	CAUSE_RP_FILTER,
	CAUSE_FIREWALL,
	CAUSE_MTU,
	CAUSE_ARP_UNANSWERED,
	CAUSE_PROXY_ARP_OFF,
	CAUSE_WRONG_NEIGHBOUR,
	CAUSE_MASK_MISMATCH,
	CAUSE_DUPLICATE_ADDRESS,
	CAUSE_DUPLICATE_MAC,
	CAUSE_ADDRESS_MISSING,
	CAUSE_LINK_DOWN,
	CAUSE_NOT_CONNECTED,
	CAUSE_UNPLUGGED,
	CAUSE_ISOLATED,
	CAUSE_VLAN,
	CAUSE_STP,
	CAUSE_FLOOD_OFF,
	CAUSE_FRAMES_LOST,
	CAUSE_VXLAN,
	CAUSE_NAT,
	CAUSE_IGNORED,
	CAUSE_ROUTE_CLASH,
	CAUSE_STORM,
	CAUSE_DNS_SERVER,
	CAUSE_DNS_ADDRESS,
	CAUSE_DNS_NAME,
	CAUSE_DNS_RECORD,
	CAUSE_UNKNOWN,
};

struct verdict {
	enum cause cause;
	bool on_return; /* the request arrived; this is about the answer */
	size_t node;    /* where to look; NO_INDEX */
	char text[400]; /* one line */
	/* A tunnel's: who cannot send to which address below it; family 0: it is about no tunnel */
	size_t below_from;
	struct ip below_to;
};

const char *cause_name(enum cause cause); /* "no-route" */
/* If it is none, *ret_near is the one that may be meant, or NULL. */
bool cause_is_name(const char *text, const char **ret_near);

/* Sets it, unless it is set; returns true. */
bool verdict_set(struct verdict *v, enum cause cause, size_t node, const char *fmt, ...)
	printf_like(4, 5);

#endif
