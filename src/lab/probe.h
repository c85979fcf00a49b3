/* src/lab/probe.h - echo requests from any node to any address, thousands at once.
 *
 * They are sent by each node's own network stack, so that its routes, its firewall and its
 * neighbours' answers decide; who does not answer is known as soon as nothing moves any more.
 */
#ifndef LAB_PROBE_H
#define LAB_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"
#include "lab/lab.h"

/* What two neighbours would find out about each other by ARP.  It is put into their tables, as
 * something to be confirmed, for as long as the ping takes: asking all of 200 hosts for each of 200
 * from each of 200 is 8 million frames.
 */
struct acquainted {
	size_t node[2];  /* the one that pings, the other */
	int index[2];    /* by which link each sees the other */
	struct ip ip[2]; /* of each */
	unsigned char mac[2][6];
};

struct ping {
	size_t from; /* node */
	struct ip to;
	/* what came of it */
	int refused; /* the sender's own stack: -ENETUNREACH, -EMSGSIZE, ...; 0: it was sent */
	bool answered;
	uint8_t ttl; /* of the answer, as it came */
	int64_t rtt_ns;
	struct ip complainer; /* who sent an ICMP error instead; family 0: nobody */
	uint8_t icmp_type, icmp_code;
	const struct acquainted *known; /* NULL: ARP finds out */
	/* inner */
	int64_t sent_ns;
};

struct prober;
/* nodes: NULL or from which. */
int prober_open(struct lab *lab, const bool *nodes, struct prober **ret,
		struct error *err) must_check;
void prober_close(struct prober *p);
DEFINE_CLEANUP(struct prober *, prober, prober_close);

struct ping_how {
	unsigned size; /* bytes of the whole IP packet; 0: small */
	bool dont_fragment;
};
/* All of them; each failed one is tried again where the lab loses frames on purpose. */
void prober_run(struct prober *p, struct ping *pings, size_t n, const struct ping_how *how);
/* Can be read when an answer is there: for who watches meanwhile. */
int prober_fd(const struct prober *p, size_t node, uint8_t family);
/* One request, and no waiting; then what came. */
void prober_send(struct prober *p, struct ping *ping, const struct ping_how *how);
void prober_receive(struct prober *p, struct ping *ping);
/* A node forgets all neighbours that it was not told by hand; all nodes what routers told them. */
void prober_forget(struct prober *p, size_t node, uint8_t family);
void prober_forget_routes(struct prober *p);
/* What is in the packets, to know them again on the wire. */
uint16_t prober_id(const struct prober *p);

#endif
