/* src/network/dns_jail.h - what a process gives up that reads packets from containers. */
#ifndef NETWORK_DNS_JAIL_H
#define NETWORK_DNS_JAIL_H

#include "base/error.h"

/* No privileges, no user of ours, no new files or processes or programs, only the system calls of a
 * resolver; any other ends the process.  Files may still be opened to read.
 */
int dns_jail_enter(struct error *err) must_check;

#endif
