/* src/network/firewalld_bus.h - strake-firewalld: one question or wish to firewalld over D-Bus. */
#ifndef NETWORK_FIREWALLD_BUS_H
#define NETWORK_FIREWALLD_BUS_H

#include "base/error.h"

/* verb is knows, add or remove.  1 is "no" to knows; without a bus or a firewalld on it the answer
 * is 0 to everything.
 */
int firewalld_bus(const char *verb, const char *link, struct error *err) must_check;

#endif
