/* src/why/value.h - what firewalls compare: addresses, ports, names of links, flags, as numbers.
 *
 * Everything fits 128 bits: an address or a number is itself, the name of a link is its bytes from
 * the left, so that "eth*" is a range as 10.0.0.0/8 is one.  A kind says how people write it.
 */
#ifndef WHY_VALUE_H
#define WHY_VALUE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/macros.h"

struct buf;
struct ip;

__extension__ typedef unsigned __int128 u128;
#define VALUE_ALL (~(u128)0)

enum kind {
	KIND_NUMBER,
	KIND_HEX,
	KIND_IP,
	KIND_IP6,
	KIND_MAC,
	KIND_NAME, /* of a link */
	KIND_PORT,
	KIND_PROTOCOL,
	KIND_ETHERTYPE,
	KIND_FAMILY,
	KIND_STATE,
	KIND_STATUS,
	KIND_TCP_FLAGS,
	KIND_ICMP,
	KIND_ICMP6,
	KIND_ICMP_CODE,
	KIND_ICMP6_CODE,
	KIND_PACKET_TYPE,
	KIND_ADDRESS_TYPE,
	KIND_DIRECTION,
	KIND_DSCP,
	KIND_EXISTS,
	KIND_COUNT,
};

struct range {
	u128 lo, hi; /* both belong to it */
};

/* Bits of KIND_STATE, as ct state has them, and two of iptables alone. */
enum ct_state {
	STATE_INVALID = 1,
	STATE_ESTABLISHED = 2,
	STATE_RELATED = 4,
	STATE_NEW = 8,
	STATE_UNTRACKED = 64,
	STATE_SNAT = 1 << 8,
	STATE_DNAT = 1 << 9,
};
/* Bits of KIND_STATUS. */
enum ct_status { STATUS_SEEN_REPLY = 2, STATUS_SNAT = 16, STATUS_DNAT = 32 };
/* Of KIND_ADDRESS_TYPE, as rtnetlink(7) has them. */
enum address_type {
	ADDRESS_UNICAST = 1,
	ADDRESS_LOCAL = 2,
	ADDRESS_BROADCAST = 3,
	ADDRESS_MULTICAST = 5,
};

/* One value, a prefix ("10.0.0.0/8", "eth*") or, with a dash, a range of a kind.  -EINVAL */
int value_parse(enum kind kind, const char *text, struct range *ret) must_check;
/* "syn,ack" in place of one value of a kind that is bits; a single word is fine with any. */
int value_parse_list(enum kind kind, const char *text, u128 *ret) must_check;
bool kind_is_bits(enum kind kind);
/* As nft(8) writes it: a single value, a prefix, or "a-b". */
void value_format(enum kind kind, const struct range *range, struct buf *to);
/* The number that a word stands for; -EINVAL. */
int value_of_word(enum kind kind, const char *word, u128 *ret) must_check;

u128 value_of_ip(const struct ip *ip);
void value_to_ip(u128 value, bool v6, struct ip *ret);
u128 value_of_name(const char *name);
struct range value_of_prefix(u128 address, unsigned bits, unsigned prefix_len);

#endif
