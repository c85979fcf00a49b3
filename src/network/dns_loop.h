/* src/network/dns_loop.h - one thread that waits for descriptors.
 *
 * A source is what happens when its descriptor is ready.  One event is taken at a time, so a source
 * may free itself and any other.
 */
#ifndef NETWORK_DNS_LOOP_H
#define NETWORK_DNS_LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/epoll.h>

#include "base/macros.h"

struct dns_source {
	void (*ready)(struct dns_source *source, uint32_t events);
	int fd; /* owned; -1: none */
};

/* fd is the source's from here on, also on failure. */
int dns_source_open(struct dns_source *s, int epoll, int fd, uint32_t events) must_check;
void dns_source_want(struct dns_source *s, int epoll, uint32_t events);
void dns_source_close(struct dns_source *s);

#endif
