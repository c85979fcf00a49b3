/* src/network/mend.h - a place in a network that is there in part, made whole. */
#ifndef NETWORK_MEND_H
#define NETWORK_MEND_H

#include "base/error.h"

struct endpoint;
struct network_lease;
struct network_site;
struct nl;

/* The cable of a container that runs: made again if it is gone and the container's namespace is one
 * that we made, plugged in again, its port set.  The bridge is there.
 */
int mend_endpoint(const struct network_site *site, struct nl *nl, const struct network_lease *lease,
		  const struct endpoint *endpoint, struct error *err) must_check;

#endif
