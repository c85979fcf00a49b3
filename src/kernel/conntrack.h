/* src/kernel/conntrack.h - connections that the kernel remembers;
 * linux/netfilter/nfnetlink_conntrack.h.
 *
 * The kernel translates a flow as it did when it saw its first packet, for as long as packets come.
 * A flow of UDP never ends by itself, so whoever changes where a port leads makes it forget.
 */
#ifndef KERNEL_CONNTRACK_H
#define KERNEL_CONNTRACK_H

#include "base/ip.h"

/* What was sent on to this address under another one. */
void conntrack_forget_translated(const struct ip *to);
/* What of this protocol (IPPROTO_*) goes to one of these ports under its own address: a family,
 * AF_INET or AF_INET6.
 */
void conntrack_forget_untranslated(uint8_t family, uint8_t protocol, uint16_t first, uint16_t last);

/* Both fail without a word: a kernel without connection tracking has none to forget, and nothing
 * depends on it but flows that exist.
 */

#endif
