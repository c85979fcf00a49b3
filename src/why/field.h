/* src/why/field.h - what of a packet can be asked for, and how it is called.
 *
 * A selector is a field with what must hold before it can be read: "tcp dport" is the destination
 * port of a packet whose protocol is TCP.  Of any other packet it is absent, and a rule that asks
 * for what is absent does not match, whatever it compares.
 */
#ifndef WHY_FIELD_H
#define WHY_FIELD_H

#include <stdint.h>

#include "why/value.h"

enum field {
	FIELD_UNKNOWN, /* a selector of that field has a text of its own */
	FIELD_IIF,
	FIELD_OIF,
	FIELD_MARK,
	FIELD_FAMILY,
	FIELD_ETHERTYPE,
	FIELD_PROTOCOL,
	FIELD_PACKET_TYPE,
	FIELD_UID,
	FIELD_GID,
	FIELD_LENGTH,
	FIELD_ETHER_SADDR,
	FIELD_ETHER_DADDR,
	FIELD_VLAN,
	FIELD_IP_SADDR,
	FIELD_IP_DADDR,
	FIELD_IP6_SADDR,
	FIELD_IP6_DADDR,
	FIELD_TTL, /* hop limit, too */
	FIELD_DSCP,
	FIELD_FRAGMENT, /* offset of a fragment that is not the first */
	FIELD_VERSION,
	FIELD_SPORT,
	FIELD_DPORT,
	FIELD_TCP_FLAGS,
	FIELD_ICMP_TYPE,
	FIELD_ICMP_CODE,
	FIELD_ICMP6_TYPE,
	FIELD_ICMP6_CODE,
	FIELD_CT_STATE,
	FIELD_CT_STATUS,
	FIELD_CT_MARK,
	FIELD_CT_DIRECTION,
	FIELD_CT_PROTOCOL,
	FIELD_CT_IP_SADDR, /* of the connection's first packet, as it came */
	FIELD_CT_IP_DADDR,
	FIELD_CT_IP6_SADDR,
	FIELD_CT_IP6_DADDR,
	FIELD_CT_SPORT,
	FIELD_CT_DPORT,
	FIELD_FIB_SADDR_TYPE,
	FIELD_FIB_DADDR_TYPE,
	FIELD_PHYSIN, /* the bridge's port, with bridge netfilter */
	FIELD_PHYSOUT,
	FIELD_COUNT,
};

struct selector {
	enum field field;
	uint8_t family;   /* KIND_FAMILY's number that the packet must have; 0: any */
	uint8_t protocol; /* KIND_PROTOCOL's; 0: any */
	u128 mask;        /* VALUE_ALL usually */
	const char *text; /* as nft(8) calls it */
};

enum kind field_kind(enum field field);
/* "from 10.0.0.1": what stands before the value for people; NULL: the selector's text. */
const char *field_words(enum field field);

/* By nft(8)'s two names, "tcp" "dport"; meta, ct and fib fields have these words as the first.
 * FIELD_UNKNOWN if there is none; text is left to the caller then.
 */
struct selector selector_of_nft(const char *group, const char *name);
struct selector selector_of(enum field field); /* with nothing that must hold */

#endif
