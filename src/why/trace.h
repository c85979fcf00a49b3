/* src/why/trace.h - the kernel's own account of what its rules do with packets, from one network
 * namespace: nftrace events.
 *
 * A tracer marks packets by a table of its own, which has the owner flag: when its socket closes,
 * by whatever end, the kernel takes the table away.  No other table is touched.  A mark is lost
 * when a packet changes its namespace, so each has a tracer of its own.
 */
#ifndef WHY_TRACE_H
#define WHY_TRACE_H

#include <net/if.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "why/ruleset.h"

struct tracer;

/* Which packets: those of a protocol that have a port, or ICMP's identifier, on either side; and
 * errors about them.  Translation of addresses leaves it as it is.  Without a port: the first
 * packets of every connection and the answers to them, as far as the protocol tells them from
 * others, and all errors.
 */
struct trace_filter {
	uint8_t protocol; /* IPPROTO_*; 0: everything */
	uint16_t port;    /* 0: any */
};

#define TRACE_TABLE      "strake-why" /* with our pid behind */
#define TRACE_HEADER_MAX 64

enum trace_kind { TRACE_RULE, TRACE_END, TRACE_POLICY };

/* Our own chains, before and behind all others of a hook, say how far a packet came. */
enum trace_mark {
	TRACE_FOREIGN,
	TRACE_IN,        /* before prerouting */
	TRACE_OUT,       /* before output */
	TRACE_FORWARDED, /* routed to another link: before forward */
	TRACE_DELIVERED, /* behind input */
	TRACE_SENT,      /* behind postrouting */
};

struct trace_event {
	uint32_t id;             /* of the packet, while it is in one namespace */
	enum trace_mark mark_of; /* TRACE_FOREIGN: an event of somebody's rules */
	enum trace_kind kind;
	enum family family;
	char table[NAME_ROOM], chain[NAME_ROOM], target[NAME_ROOM];
	uint64_t handle;      /* of TRACE_RULE */
	enum verdict verdict; /* VERDICT_REJECT is a drop here */
	int iif, oif;         /* 0: none */
	uint32_t mark;
	/* Of the packet as it is, with a chain's first event; lengths 0 otherwise. */
	uint8_t network[TRACE_HEADER_MAX], transport[TRACE_HEADER_MAX];
	uint8_t network_len, transport_len;
	bool is_v6;
	/* Its connection; has_ct: the kernel tells. */
	bool has_ct;
	uint32_t ct_id, ct_status, ct_state;
	bool is_reply;
};

/* In the namespace netns_fd; -1: where we are. */
int tracer_open(int netns_fd, const struct trace_filter *filter, struct tracer **ret,
		struct error *err) must_check;
void tracer_close(struct tracer *t);
int tracer_fd(const struct tracer *t); /* readable: there are events */
/* 1: *ret is the next event; 0: there is none.  -ENOBUFS: some were lost.
 */
int tracer_read(struct tracer *t, struct trace_event *ret, struct error *err) must_check;

#endif
