/* src/network/firewalld.h - our bridges in firewalld's zone for trusted links.
 *
 * It speaks D-Bus, for which strake-firewalld is there, a program of its own, so that nobody else
 * links a bus.  Where the bus or firewalld does not answer there is nothing to be known or done.
 */
#ifndef NETWORK_FIREWALLD_H
#define NETWORK_FIREWALLD_H

#include <stdbool.h>

#include "base/error.h"

#define FIREWALLD_TABLE "firewalld" /* in nftables, while it runs */

/* *ret: it is in a zone already, or nobody is there to be asked. */
int firewalld_knows(const char *libexec, const char *link, bool *ret, struct error *err) must_check;
int firewalld_add(const char *libexec, const char *link, struct error *err) must_check;
int firewalld_remove(const char *libexec, const char *link, struct error *err) must_check;

#endif
