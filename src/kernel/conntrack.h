/* src/kernel/conntrack.h - connections that the kernel remembers;
 * linux/netfilter/nfnetlink_conntrack.h.
 *
 * The kernel translates a flow as it did when it saw its first packet, for as long as packets come.
 * A flow of UDP never ends by itself, so whoever changes where a port leads makes it forget.
 */
#ifndef KERNEL_CONNTRACK_H
#define KERNEL_CONNTRACK_H

#include <stddef.h>

#include "base/ip.h"

struct conntrack_ports {
	struct ip at; /* family 0: any address of this host */
	uint16_t first, last;
};

/* What of this protocol (IPPROTO_*) was sent on to this address under another one. */
void conntrack_forget_translated(uint8_t protocol, const struct ip *to);
/* What of it goes to one of these ports of this host; a family, AF_INET or AF_INET6. */
void conntrack_forget_untranslated(uint8_t family, uint8_t protocol,
				   const struct conntrack_ports *ports, size_t n);

/* Both walk the whole table, some milliseconds.  They fail without a word: a kernel without
 * connection tracking has none to forget, and nothing depends on it but flows that exist.
 */

#endif
