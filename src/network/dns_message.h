/* src/network/dns_message.h - questions and answers as they travel: RFC 1035, 6891, 2308.
 *
 * The walking and the names are libc's (arpa/nameser.h), which knows every bound; what is here is
 * what a server needs beyond it.  Nothing is allocated.
 */
#ifndef NETWORK_DNS_MESSAGE_H
#define NETWORK_DNS_MESSAGE_H

#include <arpa/nameser.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/macros.h"

#define DNS_HEADER      NS_HFIXEDSZ
#define DNS_PORT        53
#define DNS_MESSAGE_MAX 65535
#define DNS_UDP_PLAIN   512  /* without EDNS */
#define DNS_UDP_MAX     1232 /* no path fragments it: what DNS flag day 2020 settled on */
#define DNS_TTL_S       5    /* of container names: who caches longer meets the wrong container */

enum { DNS_NODATA = ns_r_noerror, DNS_BADVERS = 16 };

struct dns_query {
	uint16_t id; /* in network order, as it came */
	uint16_t flags;
	uint16_t type, class;
	bool edns;
	uint16_t udp_max;                   /* what the client takes in one datagram */
	size_t question_len;                /* behind the header */
	char name[NS_MAXDNAME];             /* small letters, no final dot; "" is the root */
	uint8_t question[NS_MAXCDNAME + 4]; /* as it came: its spelling is the client's to check */
};

/* 0: a question to answer.  A positive rcode: *ret is good enough for dns_answer_new() to say so.
 * -EBADMSG: not a query at all, and nobody to be told.
 */
int dns_query_parse(const void *bytes, size_t len, struct dns_query *ret) must_check;

/* An answer that grows in a buffer of the caller's. */
struct dns_answer {
	uint8_t *bytes;
	size_t len, max; /* max: where it is cut */
	const struct dns_query *query;
	uint16_t count;
	bool truncated;
};

/* max: at most what the transport takes; bytes holds that much, and at least DNS_UDP_PLAIN. */
void dns_answer_init(struct dns_answer *a, const struct dns_query *query, uint8_t *bytes,
		     size_t max);
/* address is 4 or 16 bytes for ns_t_a and ns_t_aaaa.  One that does not fit marks the answer as
 * cut.
 */
void dns_answer_address(struct dns_answer *a, uint16_t type, const void *address, size_t len);
void dns_answer_name(struct dns_answer *a, uint16_t type, const char *name);
/* Its length. */
size_t dns_answer_finish(struct dns_answer *a, int rcode);

/* Whether bytes answer the question: same ID, same spelling of the same question. */
bool dns_response_fits(const void *bytes, size_t len, uint16_t id, const struct dns_query *query);
int dns_response_rcode(const void *bytes); /* of a response that fits */

/* "2.0.120.10.in-addr.arpa" and the like of IPv6 to an address as inet_ntop() writes it. */
bool dns_reverse_parse(const char *name, char *ret, size_t room) must_check;

#endif
