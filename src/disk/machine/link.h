/* src/disk/machine/link.h - the first network link of the machine: up, with an address. */
#ifndef DISK_MACHINE_LINK_H
#define DISK_MACHINE_LINK_H

#include <stdint.h>

/* Loopback, and the first link that is something else: it is up, so that the kernel makes its own
 * IPv6 addresses, and has what a DHCP server gives.  Returns the seconds after which to call
 * link_renew(), 0: never.
 */
uint32_t link_start(void);
uint32_t link_renew(void);

#endif
