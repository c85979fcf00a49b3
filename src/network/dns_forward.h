/* src/network/dns_forward.h - one question that others answer.
 *
 * The first server is asked; a slow one gets company after DNS_RACE_MS, one that refuses at once,
 * and the first good answer wins, well before the client's own 5 seconds are over.  Each server is
 * asked from a socket of its own: the kernel draws its port and drops what comes from elsewhere,
 * and the ID is drawn, too.  The message itself passes unchanged, EDNS and all.
 */
#ifndef NETWORK_DNS_FORWARD_H
#define NETWORK_DNS_FORWARD_H

#include "network/dns_loop.h"
#include "network/dns_message.h"
#include "network/dns_stream.h"
#include "network/dns_upstream.h"

#define DNS_RACE_MS    300
#define DNS_AGAIN_MS   1300 /* after the last server: all of them once more */
#define DNS_GIVE_UP_MS 4000

struct dns_forward;

struct dns_try {
	struct dns_source source; /* first */
	struct dns_forward *forward;
	size_t server;
	uint16_t id;
	bool failed;
	struct dns_stream stream; /* with TCP */
};

struct dns_forward {
	struct dns_forward *next, **link; /* of all of a server */
	int epoll;
	bool tcp;
	int64_t next_ms, end_ms; /* when another is asked, when all is over */
	struct dns_servers servers;
	size_t asked; /* how often somebody was */
	struct dns_try tries[DNS_SERVERS_MAX];
	uint8_t *refusal; /* SERVFAIL and the like, if nobody does better; owned */
	size_t refusal_len;
	struct dns_query query;
	uint8_t *message; /* owned */
	size_t len;

	/* message NULL: nobody answered.  It may not free the forward, whose end it is anyway. */
	void (*done)(struct dns_forward *f, uint8_t *message, size_t len);
	void *owner;               /* the server */
	struct dns_source *client; /* TCP connection or UDP socket that it goes back to */
	union dns_address from;
	struct dns_servers *prefer; /* where to note who answered, or NULL */
};

/* Owned by itself: it ends with done().  Fields above the line are its own, those below the
 * caller's to fill before dns_forward_start().
 */
struct dns_forward *dns_forward_new(int epoll, const struct dns_query *query, const void *message,
				    size_t len, const struct dns_servers *servers, bool tcp);
void dns_forward_start(struct dns_forward *f, struct dns_forward **list, int64_t now_ms);
void dns_forward_timer(struct dns_forward *f, int64_t now_ms);
/* Without done(): its client is gone. */
void dns_forward_cancel(struct dns_forward *f);

#endif
