/* src/why/probe.h - one real packet, from where traffic would start, and what the sender learns. */
#ifndef WHY_PROBE_H
#define WHY_PROBE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/ip.h"

enum probe_end {
	PROBE_PENDING,
	PROBE_ANSWERED,
	PROBE_REFUSED,     /* a reset, or ICMP's "port unreachable" */
	PROBE_UNREACHABLE, /* error: what else the kernel or a router said */
};

struct probe_plan {
	struct ip from, to; /* from may be none */
	uint8_t protocol;   /* IPPROTO_TCP, _UDP, _ICMP, _ICMPV6 */
	uint16_t port;
	unsigned size; /* of what is sent, UDP and ICMP; 0: as little as there is */
	uint8_t ttl;   /* 0: the usual */
};

struct probe {
	const struct probe_plan *plan;
	int fd;
	uint16_t id; /* our port, or ICMP's identifier: by this its packets are known */
	unsigned sent;
	enum probe_end end;
	int error; /* errno, of PROBE_UNREACHABLE and _REFUSED */
};
#define PROBE_INIT ((struct probe) { .fd = -1 })

/* Opened in the namespace netns_fd, nothing is sent yet. */
int probe_open(int netns_fd, const struct probe_plan *plan, struct probe *ret,
	       struct error *err) must_check;
void probe_send(struct probe *p);          /* a refusal by our own kernel is an end, too */
void probe_listen(struct probe *p);        /* after its descriptor became readable or writable */
short probe_events(const struct probe *p); /* for poll(2) */
void probe_close(struct probe *p);

#endif
