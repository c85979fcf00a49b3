/* src/network/claim.h - host ports: whose they are, and taking them. */
#ifndef NETWORK_CLAIM_H
#define NETWORK_CLAIM_H

#include <stddef.h>

#include "base/error.h"
#include "network/port.h"

struct db;

/* Inside a transaction: the port is this container's, or -EADDRINUSE with the name of its holder, a
 * container or a program of this host.  A host port of 0 is chosen.
 */
int claim_port(struct db *db, const char *id, struct port *port, struct error *err) must_check;
/* All of a container; the caller frees *ret. */
int claim_list(struct db *db, const char *id, struct port **ret, size_t *ret_n,
	       struct error *err) must_check;
int claim_drop(struct db *db, const char *id, struct error *err) must_check;

#endif
